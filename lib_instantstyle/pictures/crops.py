"""The square views of a reference that the image encoder sees."""

from __future__ import annotations

import math

from PIL import Image

from lib_instantstyle.params.declared import Crop

VIEW = 224  # pixels, the input size of all supported CLIP towers
MAX_TILES = 8


def views(image: Image.Image, crop: Crop, size: int = VIEW) -> list[Image.Image]:
    """Crop ``image`` to one or several ``size`` × ``size`` pictures.

    ``CENTRE`` does as InstantStyle's authors: bicubic resize of the shorter side, then centre crop. ``PAD`` adds
    borders in the picture's mean colour. ``TILES`` are squares along the longer side that overlap evenly and cover
    the picture, up to an aspect ratio of 1:8.
    """
    if crop is Crop.SQUASH:
        return [_resized(image, (size, size))]
    if crop is Crop.PAD:
        return [_padded(image, size)]
    shorter = min(image.size)
    scaled = _resized(image, (int(size * image.width / shorter), int(size * image.height / shorter)))
    across, down = scaled.width - size, scaled.height - size  # one of them is 0
    if crop is Crop.CENTRE:
        corners = [(across // 2, down // 2)]
    else:
        count = min(MAX_TILES, math.ceil(max(scaled.size) / size))
        steps = [index / (count - 1) for index in range(count)] if count > 1 else [0.5]
        corners = [(round(across * step), round(down * step)) for step in steps]
    return [scaled.crop((left, top, left + size, top + size)) for left, top in corners]


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def _padded(image: Image.Image, size: int) -> Image.Image:
    scale = size / max(image.size)
    inner = _resized(image, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    mean_colour = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    square = Image.new("RGB", (size, size), mean_colour)
    square.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return square
