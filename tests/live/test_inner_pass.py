"""ADetailer's way of painting a picture again: on a WebUI that has `tests/host/inner_pass` among its extensions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import WebUI

WITH, WITHOUT = "with its scripts", "without scripts"


@pytest.fixture(autouse=True)
def _inner_pass(webui: WebUI) -> None:
    needs.script(webui, "inner pass")


def _outer(webui: WebUI, style: Any, mode: str) -> list[bytes]:
    answer = webui.txt2img(style, alwayson_scripts={"Inner pass": {"args": [mode]}})
    assert answer.status == 200, answer.body
    return answer.pictures


def _repainted(webui: WebUI, style: Any, inner: Any) -> list[bytes]:
    first = webui.txt2img(style).body["images"]
    return webui.img2img(inner, init_images=first, denoising_strength=0.5).pictures


def _need_repetition(webui: WebUI, mode: str) -> None:
    same = _outer(webui, None, mode) == _repainted(webui, None, None)
    needs.need(same, "inner pass that paints what img2img paints, even without a style")


@pytest.mark.parametrize("mode", [WITH, WITHOUT])
def test_the_inner_pass_is_unstyled(webui: WebUI, style: dict[str, Any], mode: str) -> None:
    _need_repetition(webui, mode)
    assert _outer(webui, style, mode) == _repainted(webui, style, None)


def test_the_inner_pass_is_styled_by_choice(webui: WebUI, style: dict[str, Any]) -> None:
    for mode in (WITH, WITHOUT):
        _need_repetition(webui, mode)
    with webui.options(instantstyle_style_inner_passes=True):
        assert _outer(webui, style, WITH) == _repainted(webui, style, style)
        assert _outer(webui, style, WITHOUT) == _repainted(webui, style, None)
