"""Picture files: opened by Pillow and the plug-ins that are installed; what does not open is named."""

from __future__ import annotations

import io
import re
import struct
import zlib
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from lib_instantstyle.errors import PictureError

MIN_SIDE = 16  # pixels
MAX_PIXELS = 100_000_000  # far more than a 224-pixel view needs
MAX_ASPECT = 100  # a thinner picture would be a line to the encoder
WHAT_TO_DO = "Give a PNG, JPEG or WebP picture."

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
_HEIC, _AVIF = "HEIC", "AVIF"
_PLUGINS = {_HEIC: "pillow-heif", _AVIF: "pillow-avif-plugin"}
_BRANDS = {  # of the container that newer formats share; AVIF names HEIC's brand too
    **dict.fromkeys(("avif", "avis"), _AVIF),
    **dict.fromkeys(("heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"), _HEIC),
    "crx ": "a camera's raw file",
}
_BEGINNINGS = {
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "a TIFF of a rare kind, such as floating-point colours or a camera's raw file": rb"II[*+]\0|MM\0[*+]",
    "OpenEXR": rb"v/1\x01",
    "Radiance HDR": rb"#\?RA",
    "a camera's raw file": rb"FUJIFILMCCD-RAW|IIRO|IIU\0",
    "PDF": rb"%PDF",
    "SVG": rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE[^>]*>\s*)*<svg",
    "a video": rb"....ftyp|\x1aE\xdf\xa3",
}


def open_file(path: str, name: str) -> Image.Image:
    """Open a file of this machine as `open_bytes` does."""
    return open_bytes(Path(path).read_bytes(), name)


def open_bytes(content: bytes, name: str) -> Image.Image:
    """Open a picture file; its pixels may be decoded later. ``name`` is what messages call it.

    Raises:
        PictureError: If it is of a known format that does not open here, or of unusable size.
        UnidentifiedImageError: If it is no picture.
        OSError: If it is damaged; or any other of `DECODE_ERRORS`.
    """
    try:
        image = Image.open(io.BytesIO(content))
    except UnidentifiedImageError:
        kind = format_of(content)
        opened = _opened_by_plugin(kind, content, name)
        if opened is None:
            _refuse_kind(kind, name)
            raise
        image = opened
    return image


def check(image: Image.Image, name: str) -> None:
    """Refuse what must not be decoded, by format or size, before it is.

    Raises:
        PictureError: If it is drawn by another program, or too small, too large or too thin.
    """
    if image.format in _DRAWN_BY_PROGRAMS:
        raise PictureError(f"The {name} is {image.format}: commands that another program would run. {WHAT_TO_DO}")
    _check_size(image.size, name)


def format_of(content: bytes) -> str:
    """Return what a file is that Pillow does not open, by its first bytes; empty if that is unknown."""
    if content[4:8] == b"ftyp":
        length = min(max(int.from_bytes(content[:4], "big"), 16), 256)
        brands = [content[start : start + 4].decode("latin-1") for start in (8, *range(16, length, 4))]
        if known := [kind for brand, kind in _BRANDS.items() if brand in brands]:
            return known[0]
    return next((kind for kind, begin in _BEGINNINGS.items() if re.match(begin, content[:2000], re.DOTALL)), "")


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
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


def _opened_by_plugin(kind: str, content: bytes, name: str) -> Image.Image | None:
    """Open what needs a plug-in of Pillow; None where that is not installed."""
    try:
        if kind == _AVIF:
            import pillow_avif  # noqa: F401  adds AVIF to Pillow

            return Image.open(io.BytesIO(content))
        if kind == _HEIC:
            import pillow_heif

            file = pillow_heif.open_heif(io.BytesIO(content))
            _check_size(file.size, name)
            opened: Image.Image = file.to_pillow()  # without adding HEIC to the Pillow of everybody
            return opened
    except ImportError:
        pass
    except RuntimeError as error:  # what libheif finds
        raise OSError(str(error)) from error
    return None


def _refuse_kind(kind: str, name: str) -> None:
    if plugin := _PLUGINS.get(kind):
        raise PictureError(
            f"The {name} is {kind}, which opens only where {plugin} is installed in the WebUI's Python. Save the "
            "picture as JPEG or PNG, and give that."
        )
    if kind:
        raise PictureError(f"The {name} is {kind}, which is not opened here. {WHAT_TO_DO}")
