"""What the page's picture boxes hand over, and what becomes of a painted canvas."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from lib_instantstyle.errors import ParameterError, PictureError
from lib_instantstyle.pictures.decoding import load_picture
from lib_instantstyle.webui.page.pictures import Canvas, PictureBox
from lib_instantstyle.webui.page.tabs.regions_tab import _blank, _set
from tests.live.client import encoded

SIZE = (64, 48)
NO_PICTURE = "data:image/png;base64," + base64.b64encode(b"a text that was renamed").decode()


def url(image: Image.Image) -> str:
    return f"data:image/png;base64,{encoded(image)}"


def strokes(box: tuple[int, int, int, int] | None = None) -> str:
    layer = Image.new("RGBA", SIZE, (0, 0, 0, 0))
    if box:
        ImageDraw.Draw(layer).rectangle(box, (255, 255, 255, 255))
    return url(layer)


def used(sent: Any, number: str = "1") -> Image.Image:
    mask = _set(Canvas().preprocess(sent), number, 0, [])[int(number) - 1]
    assert mask is not None
    return mask


def test_sixteen_bits_arrive_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.linspace(0, 65535, 40 * 40).reshape(40, 40).astype(np.uint16))
    picture = load_picture(PictureBox().preprocess(url(grey)))
    assert picture is not None
    values = np.asarray(picture.image)
    assert (values.min(), values.max()) == (0, 255)
    assert values.mean() == pytest.approx(127.5, abs=1)


def test_what_is_no_picture_is_refused_by_us() -> None:
    with pytest.raises(PictureError, match="The style reference cannot be read: it is no picture"):
        load_picture(PictureBox().preprocess(NO_PICTURE), name="style reference")


def test_an_empty_box_is_none() -> None:
    assert PictureBox().preprocess(None) is None


def test_strokes_are_the_mask() -> None:
    assert used({"image": url(_blank(*SIZE)), "mask": strokes((8, 8, 23, 31))}).getbbox() == (8, 8, 24, 32)


@pytest.mark.parametrize(
    "sent",
    [url(_blank(*SIZE)), {"image": url(_blank(*SIZE)), "mask": None}, {"image": url(_blank(*SIZE)), "mask": strokes()}],
    ids=["alone", "without a mask", "without strokes"],
)
def test_an_empty_canvas_is_no_mask(sent: Any) -> None:
    with pytest.raises(ParameterError, match=r"Nothing is painted yet\. Paint where reference 2 acts"):
        used(sent, "2")


def test_no_canvas_is_no_mask() -> None:
    with pytest.raises(ParameterError, match="There is nothing to make a mask of"):
        used(None)


@pytest.mark.parametrize("level", [64, 96, 128, 255])
def test_an_uploaded_mask_may_be_uniform(level: int) -> None:
    sent = {"image": url(Image.new("L", SIZE, level)), "mask": strokes()}
    assert used(sent).getextrema() == (level, level)


def test_an_uploaded_mask_may_have_sixteen_bits() -> None:
    half = Image.fromarray(np.full((48, 64), 32896, dtype=np.uint16))
    assert used({"image": url(half), "mask": None}).getextrema() == (128, 128)
