import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import EpsImagePlugin, Image

from lib_instantstyle.errors import PictureError
from lib_instantstyle.pictures.decoding import load_picture


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> str:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return base64.b64encode(buffer.getvalue()).decode()


RED = Image.new("RGB", (40, 30), (255, 0, 0))


@pytest.mark.parametrize(
    "value",
    [RED, np.asarray(RED), encoded(RED), f"data:image/png;base64,{encoded(RED)}", {"image": encoded(RED), "mask": None},
     [encoded(RED)], encoded(RED.convert("P")), encoded(RED.convert("RGBA"))],
)  # fmt: skip
def test_every_carrier_yields_the_same_picture(value: Any) -> None:
    picture = load_picture(value)
    assert picture is not None
    assert picture.image.mode == "RGB"
    assert picture.sha256 == load_picture(RED).sha256  # type: ignore[union-attr]


@pytest.mark.parametrize("value", [None, "", "  ", [], {"image": None}])
def test_nothing_is_none(value: Any) -> None:
    assert load_picture(value) is None


def test_transparency_is_composited_on_white() -> None:
    hidden = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert load_picture(hidden).image.getpixel((0, 0)) == (255, 255, 255)  # type: ignore[union-attr]
    palette = Image.new("P", (20, 20), 0)
    assert load_picture(encoded(palette, transparency=0)).image.getpixel((0, 0)) == (255, 255, 255)  # type: ignore[union-attr]


def test_exif_rotation_is_honoured() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90°
    assert load_picture(encoded(RED, "JPEG", exif=exif)).image.size == (30, 40)  # type: ignore[union-attr]


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    grey = Image.fromarray(np.full((20, 20), 32896, dtype=np.uint16))
    assert load_picture(encoded(grey)).image.getpixel((0, 0)) == (128, 128, 128)  # type: ignore[union-attr]


def test_cmyk_and_animation_work() -> None:
    assert load_picture(encoded(RED.convert("CMYK"), "JPEG")) is not None
    frames = encoded(RED, "GIF", save_all=True, append_images=[Image.new("RGB", RED.size, (0, 0, 255))])
    assert load_picture(frames).image.getpixel((5, 5)) == (255, 0, 0)  # type: ignore[union-attr]


def _bomb() -> str:
    return encoded(Image.new("1", (12_000, 12_000)))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (encoded(Image.new("RGB", (1, 1))), "1×1 pixels; each side needs at least 16"),
        (Image.new("1", (12_000, 12_000)), "12000×12000 pixels; at most 100 megapixels"),
        (_bomb(), "12000×12000"),
        (base64.b64encode(b"just some text").decode(), "cannot be read"),
        ("this is no base64!", "not valid base64"),
        (encoded(RED)[:60], "cannot be read"),
        (base64.b64encode(base64.b64decode(encoded(RED))[:-60]).decode(), "cannot be read"),
        ("https://example.org/a.png", "is an address, which is not fetched here"),
        (12, "must be a base64 text; got int"),
        ([RED, RED], "2 pictures were given as reference picture"),
    ],
    ids=["1x1", "huge", "huge file", "text", "no base64", "stub", "truncated", "address", "number", "two"],
)  # fmt: skip
def test_unusable_pictures_say_why(value: Any, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        load_picture(value)


def test_addresses_go_through_the_host() -> None:
    seen = []
    picture = load_picture(" https://example.org/a.png", fetch=lambda address: seen.append(address) or RED)
    assert seen == ["https://example.org/a.png"]
    assert picture is not None


def test_a_picture_that_a_program_would_draw_is_refused_before_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow gives the commands of an EPS file to Ghostscript, where there is one."""
    ran = []
    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", lambda *arguments: ran.append(arguments))
    with pytest.raises(PictureError, match="is EPS: commands that another program would run"):
        load_picture(encoded(RED, "EPS"))
    assert not ran
