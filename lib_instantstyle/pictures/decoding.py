"""Reference pictures: base64, PIL images and arrays are decoded, within limits, to upright opaque RGB."""

from __future__ import annotations

import base64
import binascii
import contextlib
import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from lib_instantstyle.errors import PictureError
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.pictures.colours import plain
from lib_instantstyle.pictures.formats import DECODE_ERRORS, WHAT_TO_DO, check, open_bytes
from lib_instantstyle.pictures.unopened import Unopened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_BYTES = 128 * 1024 * 1024  # of the encoded file
WHITE = (255, 255, 255)  # behind transparent parts, the WebUI's default in img2img
BLACK = (0, 0, 0)


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
        value: Base64 or data URL, PIL image, array ``[height, width(, channels)]`` of 8 bits, `Unopened`, a
            dict with the key ``image``, a list with one of these, or None.
        fetch: Downloads a picture from an ``http`` address; without it addresses are refused.
        name: What error messages call the picture.
        background: Colour behind transparent parts.

    Raises:
        PictureError: If the value is not a picture, damaged, too small or too large.
    """
    image = open_picture(value, fetch, name)
    if image is None:
        return None
    with _naming(name):
        return Picture(plain(image, name, background))


def open_picture(
    value: Any, fetch: Callable[[str], Image.Image] | None = None, name: str = "reference picture"
) -> Image.Image | None:
    """Open a picture as `load_picture` does, but leave it as it is, with its notes; None if ``value`` is empty.

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
    with _naming(name):
        image = _opened(value, fetch, name)
        check(image, name)
        return image


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    """Say which picture it is that cannot be read."""
    try:
        yield
    except UnidentifiedImageError as error:  # its message shows the repr of a buffer
        raise PictureError(f"The {name} cannot be read: it is no picture, whatever its name. {WHAT_TO_DO}") from error
    except DECODE_ERRORS as error:
        raise PictureError(f"The {name} cannot be read ({error}). {WHAT_TO_DO}") from error


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
    if isinstance(value, Unopened):
        return _opened(value.open(name), None, name)
    if isinstance(value, Image.Image):
        return value
    if isinstance(value, np.ndarray):
        return Image.fromarray(value)
    if not isinstance(value, str):
        raise PictureError(f"The {name} must be a base64 text; got {type(value).__name__}. {WHAT_TO_DO}")
    if value.lstrip().lower().startswith(("http://", "https://")):
        if fetch is None:
            raise PictureError(f"The {name} is an address, which is not fetched here. Send the picture itself.")
        return fetch(value.strip())
    return open_bytes(_decoded(value, name), name)


def _decoded(text: str, name: str) -> bytes:
    if len(text) * 3 // 4 > MAX_BYTES:
        raise PictureError(f"The {name} is larger than {MAX_BYTES >> 20} MiB. Scale it down first.")
    encoded = text.split(",", 1)[1] if text.lstrip().lower().startswith("data:") and "," in text else text
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureError(f"The {name} is not valid base64 ({error}). {WHAT_TO_DO}") from error
