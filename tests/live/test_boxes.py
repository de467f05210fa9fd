"""Pictures on the page that are gone, or no pictures: named while the accordion is on, never opened while it is off."""

from __future__ import annotations

import base64
import re
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.live import needs
from tests.live.client import SMALL, WebUI
from tests.live.page import Page

GONE = str(Path(tempfile.gettempdir()) / "gradio" / "0123456789abcdef" / "image.png")
FOREIGN = "/etc/hostname"  # the server wrote it in no job of its own
BAD = {
    "a reference that is gone": ("images", (GONE, None), "The style reference 2 is gone"),
    "a mask that is gone": ("masks", (GONE, "Reference 1"), "The region mask 1 is gone"),
    "a file of somebody else": ("images", (FOREIGN, None), "The style reference 2 is gone|not in the upload folder"),
}


@pytest.fixture
def page(webui: WebUI) -> Page:
    return Page(webui, needs.page(webui), "txt2img")


def _fields(**style: Any) -> dict[str, Any]:
    fields = {f"txt2img_{name}": SMALL[name] for name in ("prompt", "width", "height", "steps", "seed", "cfg_scale")}
    return fields | {f"script_txt2img_instantstyle_{name}": value for name, value in style.items()}


def test_a_closed_accordion_opens_nothing(page: Page) -> None:
    elsewhere = [] if page.is_gradio_4 else [(FOREIGN, None)]  # gradio 4 refuses it for every component
    bad: dict[str, Any] = {
        "images": page.gallery((GONE, None), *elsewhere),
        "masks": page.gallery((GONE, "Reference 1")),
    }
    no_picture = page.picture(b"no picture")
    bad |= dict.fromkeys(("image", "layout_image", "negative_image", "subject_image"), no_picture)
    _, infotexts = page.generate([], **_fields(**bad))
    assert "InstantStyle" not in infotexts[0]


@pytest.mark.parametrize("bad", BAD)
def test_an_open_one_says_which_picture(page: Page, style: dict[str, Any], bad: str) -> None:
    name, entry, message = BAD[bad]
    assert re.search(message, _refusal(page, **_on(page, style), **{name: page.gallery(entry)}))


def test_what_is_no_picture_is_named(page: Page, style: dict[str, Any]) -> None:
    message = _refusal(page, **_on(page, style), layout_image=page.picture(b"no picture"))
    assert "The layout picture cannot be read: it is no picture" in message


def _refusal(page: Page, **style: Any) -> str:
    with pytest.raises(AssertionError) as refusal:
        page.generate([], **_fields(**style))
    message = str(refusal.value)
    needs.need("&#x27;NoneType&#x27; object" not in message, "error's own words among what its page's jobs answer")
    return message


def _on(page: Page, style: dict[str, Any]) -> dict[str, Any]:
    return {"enabled-checkbox": True, "image": page.picture(base64.b64decode(style["image"]))}
