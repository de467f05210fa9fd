"""What cameras and programs write beside the pixels: EXIF, ICC profiles, numbers that are no bytes."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin

from lib_instantstyle.errors import PictureError
from lib_instantstyle.pictures.decoding import load_picture
from tests.support import profiles

COLOUR = (200, 60, 40)
SIDE = 24


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


def flat(colour: Any, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (SIDE, SIDE), colour)


def sent(image: Image.Image, form: str = "PNG", **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return encoded(buffer.getvalue())


def read(value: Any) -> Image.Image:
    picture = load_picture(value)
    assert picture is not None
    assert picture.image.mode == "RGB"
    assert picture.image.info == {}  # would be written along with the pixels, and read once more
    return picture.image


# ---- EXIF ----


def png_with(**texts: str) -> str:
    notes = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        notes.add_text(name.replace("_", " "), text)
    return sent(flat(COLOUR), pnginfo=notes)


@pytest.mark.parametrize(
    "value",
    [
        png_with(exif=str(b"Exif\0\0MM\0*\0\0\0\x08")),  # the WebUI's Extras write bytes as text
        png_with(Raw_profile_type_exif="\nexif\n 8\nno hexadecimals"),
        sent(flat(COLOUR), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
        sent(flat(COLOUR), exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x01\x12"),
        sent(flat(COLOUR), exif=b"Exif\0\0no TIFF at all"),
        sent(flat(COLOUR), "WEBP", lossless=True, exif=b"Exif\0\0II*\0\x08"),
    ],
    ids=["Extras", "raw profile", "far away", "cut off", "no TIFF", "WebP"],
)
def test_a_picture_with_exif_that_cannot_be_read_is_used(value: str) -> None:
    assert read(value).getpixel((5, 5)) == COLOUR


def test_damaged_pixels_do_not_pass_for_damaged_notes() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    buffer = io.BytesIO()
    noise.save(buffer, "PNG", exif=b"Exif\0\0no TIFF at all")
    with pytest.raises(PictureError, match="cannot be read"):
        load_picture(encoded(buffer.getvalue()[:4000]))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_honoured(orientation: int) -> None:
    shape = Image.new("RGB", (40, 30))
    shape.paste(COLOUR, (0, 0, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = np.asarray(read(sent(shape, exif=exif)))
    upright = np.asarray(shape)
    views = [upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1]]
    views += [view.swapaxes(0, 1) for view in (upright, upright[::-1], upright[::-1, ::-1], upright[:, ::-1])]
    assert (turned == views[orientation - 1]).all()


# ---- ICC profiles ----


def test_the_profiles_of_the_tests_are_right() -> None:
    assert profiles.stored(COLOUR, "Adobe RGB") == (173, 62, 45)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("space", profiles.SPACES)
def test_colours_of_a_profile_become_srgb(space: str, form: str) -> None:
    options = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}.get(form, {})
    image = flat(profiles.stored(COLOUR, space))
    found = read(sent(image, form, icc_profile=profiles.profile(space), **options)).getpixel((5, 5))
    assert found == pytest.approx(COLOUR, abs=3)


def test_transparent_and_indexed_pictures_have_profiles_too() -> None:
    icc, values = profiles.profile("Adobe RGB"), profiles.stored(COLOUR, "Adobe RGB")
    layer = Image.new("RGBA", (SIDE, SIDE), (*values, 255))
    layer.paste((0, 0, 0, 0), (0, 0, 8, 8))
    image = read(sent(layer, icc_profile=icc))
    assert image.getpixel((2, 2)) == (255, 255, 255)
    assert image.getpixel((20, 20)) == pytest.approx(COLOUR, abs=2)
    indexed = flat(values).convert("P", palette=Image.Palette.ADAPTIVE)
    assert read(sent(indexed, icc_profile=icc)).getpixel((5, 5)) == pytest.approx(COLOUR, abs=2)


def test_greys_have_profiles_too() -> None:
    linear = profiles.grey_profile(1.0)
    assert read(sent(flat(55, "L"), icc_profile=linear)).getpixel((5, 5)) == pytest.approx((128,) * 3, abs=2)
    assert read(sent(flat(COLOUR), icc_profile=linear)).getpixel((5, 5)) == COLOUR  # another picture's


def test_pixels_in_srgb_stay_as_they_are() -> None:
    """And with them the hash, by which pasted parameters find the picture."""
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (np.asarray(read(sent(noise, icc_profile=srgb))) == np.asarray(noise)).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "CMYK"])
@pytest.mark.parametrize("broken", [b"", b"no profile", profiles.profile("Adobe RGB")[:200]], ids=["no", "text", "cut"])
def test_a_broken_profile_is_ignored(broken: bytes, mode: str) -> None:
    image = flat(COLOUR).convert(mode)
    assert read(sent(image, "TIFF", icc_profile=broken)).tobytes() == read(image).tobytes()


def test_the_profile_of_another_kind_of_picture_is_ignored() -> None:
    image = flat(COLOUR).convert("CMYK")
    assert read(sent(image, "TIFF", icc_profile=profiles.profile("ProPhoto"))).tobytes() == read(image).tobytes()


def test_a_pillow_without_littlecms_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any) -> None:
        raise ImportError

    monkeypatch.setattr(ImageCms, "ImageCmsProfile", missing)
    assert read(sent(flat(COLOUR), icc_profile=profiles.profile("Adobe RGB"))).getpixel((5, 5)) == COLOUR


# ---- numbers that are no bytes ----


def ramp(low: float, high: float) -> Image.Image:
    return Image.fromarray(np.linspace(low, high, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE))


@pytest.mark.parametrize("high", [1.0, 1.05, 255.0, 65535.0])
def test_floating_point_is_scaled(high: float) -> None:
    values = np.asarray(read(sent(ramp(0, high), "TIFF")))
    assert values.max() >= 250
    assert values.mean() == pytest.approx(127.5, abs=8)


def test_glints_and_ringing_do_not_darken_a_picture() -> None:
    values = np.full((SIDE, SIDE), 0.5, dtype=np.float32)
    values[0, 0], values[0, 1], values[0, 2] = 12.0, -0.02, np.nan
    image = read(sent(Image.fromarray(values), "TIFF"))
    assert [image.getpixel((x, y))[0] for x, y in ((5, 5), (0, 0), (1, 0), (2, 0))] == [128, 255, 0, 0]


@pytest.mark.parametrize(("low", "high"), [(-1, 1), (0, 8), (0, 1e9), (0, np.inf)])
def test_floating_point_without_a_white_is_refused(low: float, high: float) -> None:
    values = np.asarray(ramp(low, min(high, 1e30))).copy()
    values[-1] = high
    with pytest.raises(PictureError, match=r"has values from .* to .*Save it as an 8-bit PNG or JPEG"):
        load_picture(sent(Image.fromarray(values), "TIFF"))


def test_black_stays_black() -> None:
    assert read(sent(ramp(0, 0), "TIFF")).getextrema() == ((0, 0),) * 3
