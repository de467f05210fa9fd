"""Reference pictures: base64, PIL images and arrays are decoded, within limits, to upright opaque RGB."""

from __future__ import annotations

import base64
import binascii
import functools
import hashlib
import io
import struct
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lib_instantstyle.errors import PictureError
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from collections.abc import Callable

MIN_SIDE = 16  # pixels
MAX_PIXELS = 100_000_000  # far more than a 224-pixel view needs
MAX_BYTES = 128 * 1024 * 1024  # of the encoded file
WHITE = (255, 255, 255)  # behind transparent parts, the WebUI's default in img2img
BLACK = (0, 0, 0)
MAX_ASPECT = 100  # a thinner picture would be a line to the encoder

# Pillow's readers raise these on damaged files; only OSError is documented.
DECODE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
_DRAWN_BY_PROGRAMS = ("EPS", "WMF")  # Pillow runs Ghostscript or the Windows API on them
_WHAT_TO_DO = "Give a PNG, JPEG or WebP picture."


@dataclass(frozen=True)
class Picture:
    """A decoded reference: upright, opaque RGB."""

    image: Image.Image

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of size and pixels, independent of file format and transport."""
        size = f"{self.image.width}x{self.image.height}:".encode()
        return hashlib.sha256(size + self.image.tobytes()).hexdigest()


def load_picture(
    value: Any,
    fetch: Callable[[str], Image.Image] | None = None,
    name: str = "reference picture",
    background: tuple[int, int, int] = WHITE,
) -> Picture | None:
    """Decode a picture from the page, the API or another script; None if ``value`` is empty.

    Args:
        value: Base64 or data URL, PIL image, array ``[height, width(, channels)]`` of 8 bits, a dict
            with the key ``image``, a list with one of these, or None.
        fetch: Downloads a picture from an ``http`` address; without it addresses are refused.
        name: What error messages call the picture.
        background: Colour behind transparent parts.

    Raises:
        PictureError: If the value is not a picture, damaged, too small or too large.
    """
    if isinstance(value, dict) and value:
        if "image" not in value:
            raise PictureError(f"The {name} is a dict without 'image'; got the keys {quoted(sorted(map(str, value)))}.")
        value = value["image"]
    if isinstance(value, (list, tuple)):
        if len(value) > 1:
            raise PictureError(f"{len(value)} pictures were given as {name}; give one.")
        value = value[0] if value else None
    if is_empty(value):
        return None
    try:
        return Picture(_normalised(_opened(value, fetch, name), name, background))
    except UnidentifiedImageError as error:  # its message shows the repr of a buffer
        raise PictureError(f"The {name} cannot be read: it is no picture, whatever its name. {_WHAT_TO_DO}") from error
    except DECODE_ERRORS as error:
        raise PictureError(f"The {name} cannot be read ({error}). {_WHAT_TO_DO}") from error


def load_pictures(
    values: Any,
    limit: int,
    fetch: Callable[[str], Image.Image] | None = None,
    name: str = "reference picture",
    background: tuple[int, int, int] = WHITE,
) -> list[Picture | None]:
    """Decode a list of pictures; empty entries become None.

    Raises:
        PictureError: If there are more than ``limit``, or for one of them as in `load_picture`.
    """
    entries = values if isinstance(values, (list, tuple)) else [values]
    if len(entries) > limit:
        raise PictureError(f"{len(entries)} pictures were given where at most {limit} fit: leave some of them out.")
    return [load_picture(entry, fetch, f"{name} {number}", background) for number, entry in enumerate(entries, start=1)]


def is_empty(value: Any) -> bool:
    """Whether no picture was given, as opposed to an invalid one."""
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, (list, tuple)):
        return all(is_empty(entry) for entry in value)
    return value is None or (isinstance(value, dict) and not value)


def _opened(value: Any, fetch: Callable[[str], Image.Image] | None, name: str) -> Image.Image:
    if isinstance(value, Image.Image):
        return value
    if isinstance(value, np.ndarray):
        return Image.fromarray(value)
    if not isinstance(value, str):
        raise PictureError(f"The {name} must be a base64 text; got {type(value).__name__}. {_WHAT_TO_DO}")
    if value.lstrip().lower().startswith(("http://", "https://")):
        if fetch is None:
            raise PictureError(f"The {name} is an address, which is not fetched here. Send the picture itself.")
        return fetch(value.strip())
    return Image.open(io.BytesIO(_decoded(value, name)))


def _decoded(text: str, name: str) -> bytes:
    if len(text) * 3 // 4 > MAX_BYTES:
        raise PictureError(f"The {name} is larger than {MAX_BYTES >> 20} MiB. Scale it down first.")
    encoded = text.split(",", 1)[1] if text.lstrip().lower().startswith("data:") and "," in text else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(f"The {name} is not valid base64 ({error}). {_WHAT_TO_DO}") from error


def _normalised(image: Image.Image, name: str, background: tuple[int, int, int]) -> Image.Image:
    if image.format in _DRAWN_BY_PROGRAMS:
        raise PictureError(f"The {name} is {image.format}: commands that another program would run. {_WHAT_TO_DO}")
    width, height = image.size
    if min(width, height) < MIN_SIDE:
        raise PictureError(
            f"The {name} is {width}×{height} pixels; each side needs at least {MIN_SIDE}. Use a larger one."
        )
    if width * height > MAX_PIXELS:
        raise PictureError(
            f"The {name} is {width}×{height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels are read. "
            "The encoder sees 224×224 of it: scale it down first."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise PictureError(f"The {name} is {width}×{height} pixels, thinner than 1:{MAX_ASPECT}. Cut a part out of it.")
    return _composited(_eight_bits(ImageOps.exif_transpose(image)), background)


def _eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith(("I", "F")):
        return image
    values = np.array(image, dtype=np.float32)  # modified in place below, to save memory
    if image.mode != "F" and values.max() > 255:  # 16-bit greyscale; Pillow would clip it at 255
        values /= 257.0
    np.nan_to_num(values, copy=False)
    return Image.fromarray(values.clip(0, 255, out=values).round(out=values).astype(np.uint8))


def _composited(image: Image.Image, background: tuple[int, int, int]) -> Image.Image:
    if image.mode not in ("RGBA", "LA", "PA", "La", "RGBa") and "transparency" not in image.info:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    opaque = Image.new("RGBA", layer.size, (*background, 255))
    return Image.alpha_composite(opaque, layer).convert("RGB")
