"""A job within a job, as ADetailer's: unstyled unless the settings say otherwise, and no harm to the outer one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.host.launcher import EXTENSION_ROOT
from tests.lifecycle.conftest import Studio

WITH, WITHOUT = "with its scripts", "without scripts"
pytestmark = pytest.mark.usefixtures("_painter", "unchanged")


@pytest.fixture
def _painter(studio: Studio) -> Iterator[None]:
    studio.host.use_extensions(EXTENSION_ROOT, EXTENSION_ROOT / "tests" / "host" / "inner_pass")
    yield
    studio.host.use_extensions(EXTENSION_ROOT)


def outer(studio: Studio, mode: str, **fields: Any) -> list[bytes]:
    processed = studio.host.txt2img({**studio.request(), "Inner pass": [mode]}, **fields)
    assert all("InstantStyle: " in text for text in processed.infotexts)
    return studio._pixels(processed)


def repainted(studio: Studio, style: Any, **fields: Any) -> list[bytes]:
    """Do in two jobs what the inner pass does in one."""
    first = studio.host.txt2img(studio.request(), **fields).images
    again = [studio.host.img2img(style, init_images=[picture], denoising_strength=0.5, seed=1) for picture in first]
    return [studio._pixels(processed)[0] for processed in again]


@pytest.mark.parametrize("mode", [WITH, WITHOUT])
@pytest.mark.parametrize("fields", [{}, {"n_iter": 2, "batch_size": 2}], ids=["one", "batches"])
def test_the_inner_pass_is_unstyled(studio: Studio, mode: str, fields: dict[str, Any]) -> None:
    expected = repainted(studio, None, **fields)
    assert outer(studio, mode, **fields) == expected


def test_the_inner_pass_is_styled_by_choice(studio: Studio) -> None:
    unstyled, styled = repainted(studio, None), repainted(studio, studio.request())
    studio.host.shared.opts.data["instantstyle_style_inner_passes"] = True
    assert outer(studio, WITH) == styled != unstyled
    assert outer(studio, WITHOUT) == unstyled
