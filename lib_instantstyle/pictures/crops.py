"""The square views of a reference that the encoder sees."""

from __future__ import annotations

import math

from PIL import Image

from lib_instantstyle.params.crop import Crop

VIEW = 224  # pixels, the input of every CLIP tower that adapters are made for
MAX_TILES = 8


def views(image: Image.Image, crop: Crop, size: int = VIEW) -> list[Image.Image]:
    """Return the ``size`` × ``size`` pictures that stand for ``image``: one, or several tiles.

    ``CENTRE`` is what the method's authors do: shortest side to ``size``, bicubic, centre crop. ``PAD`` adds
    borders in the picture's mean colour. ``TILES`` are squares along the longer side that overlap evenly, so
    that nothing is left out (of panoramas beyond 1:8, at most eight are taken).
    """
    if crop is Crop.SQUASH:
        return [_resized(image, (size, size))]
    if crop is Crop.PAD:
        return [_padded(image, size)]
    tall = _resized(image, _shortest_side(image, size))
    if crop is Crop.CENTRE:
        return [_square(tall, (tall.width - size) // 2, (tall.height - size) // 2, size)]
    count = min(MAX_TILES, math.ceil(max(tall.size) / size))
    steps = [index / max(1, count - 1) for index in range(count)] if count > 1 else [0.5]
    places = [(round((tall.width - size) * step), round((tall.height - size) * step)) for step in steps]
    return [_square(tall, left, top, size) for left, top in places]


def _resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    return image if image.size == size else image.resize(size, Image.Resampling.BICUBIC)


def _shortest_side(image: Image.Image, size: int) -> tuple[int, int]:
    if image.width <= image.height:
        return size, int(size * image.height / image.width)
    return int(size * image.width / image.height), size


def _square(image: Image.Image, left: int, top: int, size: int) -> Image.Image:
    return image.crop((left, top, left + size, top + size))


def _padded(image: Image.Image, size: int) -> Image.Image:
    scale = size / max(image.size)
    inner = _resized(image, (max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    mean_colour = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    square = Image.new("RGB", (size, size), mean_colour)
    square.paste(inner, ((size - inner.width) // 2, (size - inner.height) // 2))
    return square
