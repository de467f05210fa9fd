"""Files that Pillow alone does not open: named, and opened where a plug-in is installed."""

from __future__ import annotations

import base64
import sys
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.errors import PictureError
from lib_instantstyle.pictures.decoding import load_picture
from lib_instantstyle.pictures.formats import MAX_PIXELS, format_of

RED = Image.new("RGB", (40, 30), (255, 0, 0))


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def container(*brands: str) -> bytes:
    names = "".join((brands[0], "\0\0\0\0", *brands[1:])).encode("latin-1")
    return (8 + len(names)).to_bytes(4, "big") + b"ftyp" + names + b"\0\0\0\x40meta" + bytes(64)


HEIC, AVIF = container("heic", "mif1", "heic"), container("avif", "mif1", "miaf")
KINDS = {
    "HEIC": (HEIC, container("mif1", "heic"), container("msf1", "hevc"), container("heix")),
    "AVIF": (AVIF, container("mif1", "avif"), container("avis", "msf1")),
    "JPEG XL": (b"\xff\x0a" + bytes(40), b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40)),
    "a TIFF of a rare kind": (b"II*\0\x08\0\0\0\0\0", b"MM\0*\0\0\0\x08\0\0"),
    "OpenEXR": (b"v/1\x01" + bytes(40),),
    "PDF": (b"%PDF-1.7\n" + bytes(40),),
    "SVG": (b"<svg xmlns='x'/>", b"<?xml version='1.0'?>\n<!-- made -->\n<svg/>", b"\n <svg>"),
    "a camera's raw file": (container("crx ", "isom"), b"FUJIFILMCCD-RAW 0201"),
    "a video": (container("isom", "mp42"), b"\x1aE\xdf\xa3" + bytes(40)),
}


@pytest.fixture(autouse=True)
def _no_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pillow_heif", "pillow_avif"):
        monkeypatch.setitem(sys.modules, name, None)  # importing it fails


@pytest.mark.parametrize(("kind", "content"), [(kind, content) for kind, files in KINDS.items() for content in files])
def test_a_format_that_does_not_open_is_named(kind: str, content: bytes) -> None:
    with pytest.raises(PictureError, match=f"The layout picture is {kind}.*(PNG|and give that)"):
        load_picture(encoded(content), name="layout picture")


def test_heic_says_what_to_do() -> None:
    with pytest.raises(
        PictureError, match=r"pillow-heif is installed in the WebUI's Python\. Save the picture as JPEG"
    ):
        load_picture(encoded(HEIC))


@pytest.mark.parametrize(
    "content", [b"ftyp", b"just a text", bytes(64), b"<html><svg></svg></html>", b"RIFF\0\0\0\0WAVE"]
)
def test_what_is_nothing_known_is_no_picture(content: bytes) -> None:
    with pytest.raises(PictureError, match=r"it is no picture, whatever its name"):
        load_picture(encoded(content))


def heif(size: tuple[int, int] = RED.size, error: Exception | None = None) -> Any:
    """The part of pillow-heif that is used."""

    class File:
        def __init__(self) -> None:
            self.size = size

        def to_pillow(self) -> Image.Image:
            return RED

    def open_heif(_file: Any) -> File:
        if error:
            raise error
        return File()

    plugin = ModuleType("pillow_heif")
    plugin.open_heif = open_heif  # type: ignore[attr-defined]
    return plugin


def test_heic_opens_where_its_plugin_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", heif())
    picture = load_picture(encoded(HEIC))
    assert picture is not None
    assert picture.image.getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("error", [RuntimeError("bad box"), ValueError("bad box"), SyntaxError("bad box")])
def test_damaged_heic_is_called_so(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", heif(error=error))
    with pytest.raises(PictureError, match=r"cannot be read \(bad box\)"):
        load_picture(encoded(HEIC))


def test_huge_heic_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", heif(size=(MAX_PIXELS // 1000 + 1, 1000)))
    with pytest.raises(PictureError, match="at most 100 megapixels"):
        load_picture(encoded(HEIC))


def test_avif_opens_where_its_plugin_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in adds itself to Pillow; here it has, and reads the rest of the file as PNG."""
    monkeypatch.setitem(sys.modules, "pillow_avif", ModuleType("pillow_avif"))
    opened = Image.open
    monkeypatch.setattr(
        Image, "open", lambda file: RED if "pillow_avif" in sys.modules and file.read() else opened(file)
    )
    assert load_picture(encoded(AVIF)) is not None


def test_the_format_of_a_short_file_is_unknown() -> None:
    assert [format_of(HEIC[:length]) for length in (0, 4, 7)] == [""] * 3
