"""Masks for inpainting."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image, ImageFilter

_FILL_RADII = (256, 64, 16, 4, 2)
Region = tuple[int, int, int, int]


def get_crop_region_v2(mask: Image.Image, pad: int = 0) -> Region | None:
    """Return the box of what is white, widened by ``pad``; None for a black mask."""
    box = mask.getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    return max(left - pad, 0), max(top - pad, 0), min(right + pad, mask.width), min(bottom + pad, mask.height)


def expand_crop_region(region: Region, width: int, height: int, image_width: int, image_height: int) -> Region:
    """Widen ``region`` to the ratio ``width``:``height``, inside the picture."""
    left, top, right, bottom = region
    ratio = width / height
    if (right - left) / (bottom - top) > ratio:
        top, bottom = _widen(top, bottom, int((right - left) / ratio), image_height)
    else:
        left, right = _widen(left, right, int((bottom - top) * ratio), image_width)
    return left, top, right, bottom


def _widen(start: int, end: int, length: int, limit: int) -> tuple[int, int]:
    length = min(max(length, end - start), limit)
    start = min(max(start - (length - (end - start)) // 2, 0), limit - length)
    return start, start + length


def fill(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Paint the masked area with the blurred surroundings."""
    surroundings = Image.new("RGBa", image.size)
    surroundings.paste(image.convert("RGBA").convert("RGBa"), mask=Image.eval(mask.convert("L"), lambda v: 255 - v))
    result = Image.new("RGBA", image.size)
    for radius in _FILL_RADII:
        result.alpha_composite(surroundings.filter(ImageFilter.GaussianBlur(radius)).convert("RGBA"))
    result.alpha_composite(surroundings.convert("RGBA"))
    return result.convert("RGB")


def create_binary_mask(image: Image.Image, round: bool = True) -> Image.Image:
    """Return a mask from alpha if there is any, else from brightness."""
    has_alpha = image.mode == "RGBA" and image.getextrema()[-1] != (255, 255)
    mask = image.getchannel("A") if has_alpha else image.convert("L")
    return mask.point(lambda value: 255 if value > 128 else 0) if round else mask


def as_array(mask: Image.Image, width: int, height: int) -> Any:
    """Return the mask in latent resolution, 0..1."""
    small = mask.convert("RGB").resize((width, height))
    return np.around(np.asarray(small, dtype=np.float32)[..., 0] / 255)
