"""img2img's tab *Batch*, which only the page has: pictures one after the other, with one processing object for all."""

from __future__ import annotations

import io
from base64 import b64decode
from typing import Any

import pytest
from PIL import Image

from tests.live import needs
from tests.live.client import SMALL, WebUI, encoded
from tests.live.page import Page
from tests.tiny import pictures

PNG = "data:image/png;base64,"
LEADING = ["", 5]  # no id of a task, and the number of the tab
INPUTS = {name: encoded(draw().resize((64, 64))) for name, draw in (("a", pictures.dots), ("b", pictures.sunset))}


@pytest.fixture
def page(webui: WebUI) -> Page:
    config = needs.page(webui)
    needs.need("submit_img2img" in [event.get("js") for event in config["dependencies"]], "tab Batch in img2img")
    page = Page(webui, config, "img2img")
    try:
        _run(page)
    except AssertionError as error:
        needs.need(False, f"pictures from that tab, even without a style ({error})")
    return page


def _run(page: Page, **style: Any) -> tuple[list[bytes], list[str]]:
    fields = {f"img2img_{name}": SMALL[name] for name in ("prompt", "width", "height", "steps", "seed", "cfg_scale")}
    fields |= {"img2img_sampling": SMALL["sampler_name"], "img2img_denoising_strength": 0.6}
    files = [{"name": f"{name}.png", "data": PNG + data, "is_file": False} for name, data in INPUTS.items()]
    request = {f"script_img2img_instantstyle_{name}": value for name, value in style.items()}
    made, infotexts = page.generate(LEADING, img2img_batch_upload=files, **fields, **request)
    return [Image.open(io.BytesIO(file)).tobytes() for file in made], infotexts


def test_every_picture_is_styled(page: Page, style: dict[str, Any]) -> None:
    on = {"enabled-checkbox": True, "image": page.picture(b64decode(style["image"]))}
    (plain, plain_texts), (styled, styled_texts) = _run(page), _run(page, **on)
    assert len(plain) == len(styled) == len(styled_texts) == 2
    assert "InstantStyle" not in "".join(plain_texts)
    assert all("InstantStyle: " in text and "InstantStyle note" not in text for text in styled_texts)
    assert all(a != b for a, b in zip(styled, plain, strict=True))


def test_the_subject_is_each_picture_itself(page: Page, style: dict[str, Any]) -> None:
    on = {"enabled-checkbox": True, "image": page.picture(b64decode(style["image"])), "subject_weight": 0.5}
    implied, _ = _run(page, **on)
    first, second = (_run(page, **on, subject_image=page.picture(b64decode(data)))[0] for data in INPUTS.values())
    assert implied == [first[0], second[1]]
    assert first[1] != second[1]
