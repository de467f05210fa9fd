"""Pictures on the page that are gone, or no pictures: named while the accordion is on, never opened while it is off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import SMALL, WebUI
from tests.live.page import Page

PNG = "data:image/png;base64,"
NO_PICTURE = PNG + "bm8gcGljdHVyZQ=="
GONE = {"name": "/tmp/gradio/0123456789abcdef/image.png", "data": None, "is_file": True}
FOREIGN = {"name": "/etc/hostname", "data": None, "is_file": True}  # the server wrote it in no job of its own
BAD = {
    "a reference that is gone": ({"images": [GONE]}, "The style reference 2 is gone"),
    "a reference of an earlier run": ({"images": [[FOREIGN, None]]}, "The style reference 2 is gone"),
    "a mask that is gone": ({"masks": [[GONE, "Reference 1"]]}, "The region mask 1 is gone"),
    "no picture": ({"layout_image": NO_PICTURE}, "The layout picture cannot be read: it is no picture"),
}


@pytest.fixture
def page(webui: WebUI) -> Page:
    return Page(webui, needs.page(webui), "txt2img")


def _fields(**style: Any) -> dict[str, Any]:
    fields = {f"txt2img_{name}": SMALL[name] for name in ("prompt", "width", "height", "steps", "seed", "cfg_scale")}
    return fields | {f"script_txt2img_instantstyle_{name}": value for name, value in style.items()}


def test_a_closed_accordion_opens_nothing(page: Page) -> None:
    bad: dict[str, Any] = {"images": [GONE, [FOREIGN, None]], "masks": [[GONE, "Reference 1"]]}
    bad |= dict.fromkeys(("image", "layout_image", "negative_image", "subject_image"), NO_PICTURE)
    _, infotexts = page.generate([], **_fields(**bad))
    assert "InstantStyle" not in infotexts[0]


@pytest.mark.parametrize("bad", BAD)
def test_an_open_one_says_which_picture(page: Page, style: dict[str, Any], bad: str) -> None:
    given, message = BAD[bad]
    on = {"enabled-checkbox": True, "image": PNG + style["image"]}
    with pytest.raises(AssertionError, match=message):
        page.generate([], **_fields(**on, **given))
