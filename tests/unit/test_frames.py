from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.pictures.regions import WHOLE
from lib_instantstyle.webui.hosts.crop_window import crop_window


def img2img(size: tuple[int, int], crop: tuple[int, int, int, int] | None, **fields: Any) -> SimpleNamespace:
    return SimpleNamespace(
        init_images=[Image.new("L", size)], paste_to=crop, **{"width": 1024, "height": 1024} | fields
    )


def test_most_passes_see_the_whole() -> None:
    assert crop_window(SimpleNamespace(width=64, height=64)) == WHOLE
    assert crop_window(img2img((512, 512), None)) == WHOLE


def test_only_masked_sees_its_crop() -> None:
    assert crop_window(img2img((1000, 500), (250, 100, 200, 200))) == pytest.approx((0.25, 0.2, 0.45, 0.6))


def test_a_crop_of_another_shape_is_filled_up_at_its_sides() -> None:
    """512×724 of a 512×1024 picture in 1024×1024: the host puts it into the columns 150 to 874."""
    left, top, right, bottom = crop_window(img2img((512, 1024), (0, 300, 512, 724)))
    assert (top, bottom) == pytest.approx((300 / 1024, 1.0))
    columns = [1024 * (edge - left) / (right - left) for edge in (0.0, 1.0)]
    assert columns == pytest.approx([150, 874], abs=0.5)


def test_a_hires_pass_of_another_shape_loses_its_sides() -> None:
    p = SimpleNamespace(is_hr_pass=True, truncate_x=32, truncate_y=0, hr_upscale_to_x=1024, hr_upscale_to_y=1024)
    assert crop_window(p) == pytest.approx((0.125, 0.0, 0.875, 1.0))


def test_a_hires_pass_of_the_same_shape_sees_the_whole() -> None:
    p = SimpleNamespace(is_hr_pass=True, truncate_x=0, truncate_y=0, hr_upscale_to_x=2048, hr_upscale_to_y=1024)
    assert crop_window(p) == WHOLE
