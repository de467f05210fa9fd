"""The button Describe: the words of content in a reference's own prompt, and of no other text that pictures carry."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from lib_instantstyle.errors import InstantStyleError, PictureError
from lib_instantstyle.webui.encoding.captions import caption
from lib_instantstyle.webui.page.pictures import PictureBox
from lib_instantstyle.webui.page.tabs.describing import _describe
from tests.lifecycle.conftest import Studio

SETTINGS = "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5, Size: 512x512, Model: tiny"
SEEN = "what the interrogator sees"
XMP = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:li>Steps: 3, Sampler: none, Seed: 1</rdf:li></x:xmpmeta>'
SWARM = json.dumps({"sui_image_params": {"prompt": "a snail, (spiky:1.4)", "steps": 30, "sampler": "euler"}}, indent=2)
GRAPH = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 5, "steps": 20, "sampler_name": "euler"}}})
RED = Image.new("RGB", (32, 32), (255, 0, 0))


@pytest.fixture(autouse=True)
def _interrogator(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studio.host.shared.interrogator, "interrogate", lambda _image: SEEN)


def dropped(form: str, **options: Any) -> Any:
    buffer = io.BytesIO()
    RED.save(buffer, form, **options)
    return PictureBox().preprocess("data:image/x;base64," + base64.b64encode(buffer.getvalue()).decode())


def png(*notes: tuple[str, str]) -> Any:
    written = PngImagePlugin.PngInfo()
    for name, text in notes:
        written.add_itxt(name, text)
    return dropped("PNG", pnginfo=written)


def jpeg(comment: bytes) -> Any:
    exif = Image.Exif()
    exif[0x8769] = {0x9286: comment}
    return dropped("JPEG", exif=exif)


@pytest.mark.parametrize(
    "picture",
    [
        png(("parameters", f"a (red:1.2) cat, sitting <lora:ink:1>\nNegative prompt: blurry\n{SETTINGS}")),
        jpeg(b"UNICODE\0" + f"a red cat, sitting\n{SETTINGS}".encode("utf-16-be")),
        dropped("GIF", comment=f"a red cat\n{SETTINGS}".encode()),
        png(("parameters", f"a red cat\n{SETTINGS}"), ("XML:com.adobe.xmp", XMP), ("Software", "Lightroom")),
    ],
    ids=["PNG", "JPEG", "GIF", "Lightroom"],
)
def test_a_generated_picture_knows_its_prompt(picture: Any) -> None:
    assert caption(picture, "style reference") == "a cat"


@pytest.mark.parametrize(
    "picture",
    [
        png(("comment", "Screenshot")),
        png(("parameters", '{"prompt": "a cat", "steps": 30, "sampler": "euler", "seed": 1}')),
        png(("parameters", SWARM)),
        png(("prompt", GRAPH), ("workflow", GRAPH)),
        png(("parameters", GRAPH), ("prompt", f"a red cat\n{SETTINGS}")),
        png(("parameters", f"\n{SETTINGS}")),
        png(("parameters", "Steps: many, Sampler: none, Seed: 1, Size: 2x2")),
        png(("exif", str(b"Exif\0\0MM\0*\0\0\0\x08"))),
        jpeg(b"ASCII\0\0\0shot on film, Lens: 50mm, ISO: 400, Shutter: 1/60"),
        jpeg(b"UNICODE\0\xd8"),
        dropped("JPEG", comment=b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n"),
        dropped("JPEG", comment=b"Lavc58.134.100"),
        dropped("GIF", comment=b"GIF optimised, by ezgif: yes"),
        dropped("PNG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\xff\xff\xff\x00"),
        dropped("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x09\x87"),
        dropped("WEBP", exif=b"no EXIF"),
    ],
    ids=["screenshot", "JSON", "SwarmUI", "ComfyUI", "the wrong way round", "no prompt", "no numbers", "Extras", "camera", "half a letter", "gd", "Lavc", "GIF",
         "IFD far away", "IFD cut off", "no IFD"],
)  # fmt: skip
def test_any_other_text_says_nothing(picture: Any) -> None:
    assert caption(picture, "style reference") == SEEN


def test_a_host_that_stumbles_over_notes_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import images

    def stumbling(_image: Any) -> None:
        raise ValueError("unpack requires a buffer of 2 bytes")

    monkeypatch.setattr(images, "read_info_from_image", stumbling)
    assert caption(png(("parameters", f"a cat\n{SETTINGS}")), "style reference") == SEEN


def test_what_is_no_picture_is_called_so() -> None:
    with pytest.raises(PictureError, match="The style reference cannot be read: it is no picture"):
        caption(PictureBox().preprocess("data:image/png;base64,bm8="), "style reference")


def test_without_an_interrogator_words_are_the_user_s(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forge Classic has none."""
    monkeypatch.setattr(studio.host.shared, "interrogator", None)
    with pytest.raises(InstantStyleError, match="has no interrogator"):
        caption(dropped("PNG"), "style reference")
    assert caption(png(("parameters", f"a red cat\n{SETTINGS}")), "style reference") == "a cat"


def test_words_of_style_are_left_out_of_what_the_interrogator_sees(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrogator = studio.host.shared.interrogator
    seen = "an oil painting of a cat in a blue hat, by Vincent van Gogh"
    monkeypatch.setattr(interrogator, "interrogate", lambda _image: seen)
    assert caption(dropped("PNG"), "style reference") == "a cat in a hat"
    monkeypatch.setattr(interrogator, "interrogate", lambda _image: "red and blue, watercolor, by Monet")
    with pytest.raises(InstantStyleError, match="saw no content: 'red and blue, watercolor, by Monet'"):
        caption(dropped("PNG"), "style reference")


def test_a_prompt_of_style_alone_asks_the_interrogator() -> None:
    assert caption(png(("parameters", f"masterpiece, watercolor\n{SETTINGS}")), "style reference") == SEEN


def test_describing_again_replaces_what_was_there() -> None:
    picture = png(("parameters", f"a red cat\n{SETTINGS}"))
    assert [_describe(picture, before) for before in ("", "a cat", "balloons, a dog")] == ["a cat"] * 3
