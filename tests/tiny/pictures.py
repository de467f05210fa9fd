"""Three reference pictures that nobody could mix up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from pathlib import Path

_WIDTH, _HEIGHT = 512, 384


def stripes() -> Image.Image:
    """Red and blue diagonal stripes."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    odd = ((x + y) // 32 % 2).astype(bool)
    return Image.fromarray(np.where(odd[..., None], (200, 30, 40), (30, 60, 200)).astype(np.uint8))


def dots() -> Image.Image:
    """Green dots on cream."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    inside = (x % 64 - 32) ** 2 + (y % 64 - 32) ** 2 < 20**2
    return Image.fromarray(np.where(inside[..., None], (40, 150, 70), (250, 240, 210)).astype(np.uint8))


def sunset() -> Image.Image:
    """A vertical gradient with a yellow disc."""
    y, x = np.mgrid[:_HEIGHT, :_WIDTH]
    sky = np.stack((y * 255 // _HEIGHT, 60 + y * 90 // _HEIGHT, 200 - y * 150 // _HEIGHT), axis=-1)
    disc = (x - 256) ** 2 + (y - 200) ** 2 < 80**2
    return Image.fromarray(np.where(disc[..., None], (255, 220, 90), sky).astype(np.uint8))


def write_pictures(folder: Path) -> list[Path]:
    """Write them all as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for draw in (stripes, dots, sunset):
        paths.append(folder / f"{draw.__name__}.png")
        draw().save(paths[-1])
    return paths
