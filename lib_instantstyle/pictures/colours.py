"""From what a picture file may hold to what the encoder takes: upright, 8 bits, sRGB, opaque, without notes."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np
from PIL import Image

from lib_instantstyle.errors import PictureError
from lib_instantstyle.pictures.formats import DECODE_ERRORS

_ORIENTATION = 0x0112  # EXIF
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_PROFILED = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # a profile's colour space and the mode it describes
_LEVELS = (0, 51, 102, 153, 204, 255)
_BEYOND = 1e9  # stands for infinity, of which there is no percentile
_RINGING = 0.1  # what resampling adds to values from 0 to 1
_DARK = 16  # of 255: a floating-point picture below would be black, so 255 is not its white
_SAME = 3  # of 255: profiles closer to sRGB than this leave the pixels, and so the picture's hash, as they are


def plain(image: Image.Image, name: str, background: tuple[int, int, int]) -> Image.Image:
    """Return ``image`` as RGB; ``background`` is the colour behind transparent parts.

    Raises:
        PictureError: If its values are outside every usual range.
        OSError: If it is damaged; or any other of `DECODE_ERRORS`.
    """
    image.load()  # damaged pixels must not pass for damaged notes
    profile = image.info.get("icc_profile")
    grey = image.mode.startswith(("1", "L", "I", "F")) and image.mode != "LAB"
    image = _eight_bits(_upright(image), name)
    flat = _in_srgb(image, profile, background, grey=grey) if profile else None
    result = flat or _composited(image, background)
    result.info = {}  # whoever saves it would write notes and profile along
    return result


def _upright(image: Image.Image) -> Image.Image:
    """Turn ``image`` as its EXIF says; with EXIF that cannot be read, it stays as it is."""
    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION))
    except DECODE_ERRORS:
        return image
    return image if turn is None else image.transpose(turn)


def _eight_bits(image: Image.Image, name: str) -> Image.Image:
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.array(image, dtype=np.float32)  # modified in place below, to save memory
    np.nan_to_num(values, copy=False, posinf=_BEYOND, neginf=-_BEYOND)
    values *= _to_eight_bits(values, name, floating=image.mode == "F")
    return Image.fromarray(values.clip(0, 255, out=values).round(out=values).astype(np.uint8))


def _to_eight_bits(values: Any, name: str, *, floating: bool) -> float:
    """Return the factor from ``values`` to 0 … 255; no file says what its white is."""
    low, high = float(values.min()), float(values.max())
    usual = float(np.percentile(values, 99)) if floating else high  # floating point has glints far beyond white
    if floating and low >= -_RINGING and usual <= 1 + _RINGING:
        return 255.0
    if low < 0 or high > 65535 or (floating and usual < _DARK):
        raise PictureError(
            f"The {name} has values from {low:g} to {high:g}; what reads 0 to 1, 255 or 65535 is taken. Save it as an "
            "8-bit PNG or JPEG."
        )
    return 1.0 if high <= 255 else 1 / 257


def _in_srgb(image: Image.Image, profile: bytes, background: tuple[int, int, int], *, grey: bool) -> Image.Image | None:
    """Convert from an ICC profile to sRGB; None where that changes nothing, or the profile is not to be used."""
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _PROFILED[source.profile.xcolor_space.strip()]
        if (mode == "CMYK") != (image.mode == "CMYK") or (mode == "L" and not grey):
            return None  # another picture's
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
        if mode != "CMYK" and _changes_nothing(transform, mode):
            return None
        flat = image if mode == "CMYK" else _composited(image, background).convert(mode)
        converted: Image.Image = ImageCms.applyTransform(flat, transform)
    except (ImageCms.PyCMSError, ImportError, *DECODE_ERRORS):  # ImportError: a Pillow without LittleCMS
        return None
    return converted


def _changes_nothing(transform: Any, mode: str) -> bool:
    from PIL import ImageCms

    colours = np.array(list(itertools.product(_LEVELS, repeat=3)), dtype=np.uint8)[None]
    if mode == "L":
        colours = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    converted = ImageCms.applyTransform(Image.fromarray(colours).convert(mode), transform)
    return bool(np.abs(np.asarray(converted).astype(int) - colours).max() <= _SAME)


def _composited(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in image.info:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    opaque = Image.new("RGBA", layer.size, (*background, 255))
    return Image.alpha_composite(opaque, layer).convert("RGB")
