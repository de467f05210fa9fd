"""What a request says wrongly is answered, and as early as it can be known."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.models.vision_tower import VisionTower
from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.styles.saving import save_style
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded
from tests.tiny import pictures

VIT_H = {"adapter": "ip-adapter_sdxl_vit-h"}
PLUS = {"adapter": "ip-adapter-plus_sdxl_vit-h"}
TWO = {"images": [encoded(pictures.dots())]}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"content": "a cat", **VIT_H}, "1024 numbers, the text tower's 1280"),
        ({"content": "a cat", **PLUS}, "Plus adapters see patches"),
        ({"weights": "1, 0.5, 2"}, "3 weights for 1 references"),
        ({"weights": "1, 0.5, 2", **TWO}, "3 weights for 2 references"),
        ({"weights": "0, 0", **TWO}, "are all 0"),
        ({"weights": "0"}, "are all 0"),
    ],
    ids=str,
)
def test_what_is_known_before_the_encoder_is_refused_before_it(
    studio: Studio, wish: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    studio.forget()

    def unexpected(*_arguments: Any) -> None:
        raise AssertionError("The encoder was loaded.")

    monkeypatch.setattr(VisionTower, "__init__", unexpected)
    with pytest.raises(Exception, match=message):
        studio.styled(wish)


def test_content_at_strength_0_needs_no_adapter_that_removes_it(studio: Studio) -> None:
    for adapter in (VIT_H, PLUS):
        assert studio.styled({"content": "a cat", "content_strength": 0, **adapter}) == studio.styled(adapter)


JUNK: dict[str, Any] = {name: "junk" for name in controls() if name != "enabled"}


@pytest.mark.parametrize(
    "arguments",
    [
        *([{"enabled": False, name: "junk"}] for name in ("image", "images", "masks", "style", "reference", "weights")),
        [{"enabled": False, "image": "http://127.0.0.1:1/x.png"}],
        [{"enabled": False, "style_wieght": 1}],
        [{"enabled": False, "start": 0.8, "end": 0.2, "blocks": "layout:1", "adapter": "absent"}],
        [{"enabled": False, **JUNK}],
        [{"enabled": False, **dict.fromkeys(JUNK)}],
        [False, *JUNK.values()],
    ],
    ids=lambda arguments: str(arguments)[:60],
)
def test_off_is_off_whatever_else_is_sent(
    studio: Studio, arguments: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", pytest.fail)
    processed = studio.host.txt2img({"InstantStyle": arguments})
    assert [image.tobytes() for image in processed.images] == studio.plain()
    assert "InstantStyle" not in processed.infotexts[0]
    assert not processed.comments


@pytest.mark.usefixtures("folder")
def test_a_tag_acts_beside_an_accordion_that_is_off(studio: Studio) -> None:
    save_style("off ink", StyleParams(enabled=True, image=studio.reference), extension().builder)
    tagged = {"prompt": "a house <instantstyle:off ink>"}
    processed = studio.host.txt2img({"InstantStyle": [{"enabled": False, **JUNK}]}, **tagged)
    assert [image.tobytes() for image in processed.images] == studio.plain(**tagged) != studio.plain()


@pytest.mark.parametrize("off", [{}, {"enabled": False}, {"enabled": False, **JUNK}], ids=["nothing", "off", "junk"])
def test_a_plot_over_what_is_off_says_so(studio: Studio, off: dict[str, Any]) -> None:
    p = studio.host.job(scripts={"InstantStyle": [off]})
    p._instantstyle_axes = {"style_weight": 0.5}
    with pytest.raises(ParameterError, match="varies InstantStyle"):
        studio.host.run(p)


@pytest.mark.parametrize("key", ["image", "images", "reference", "enabeld"])
def test_a_dict_without_enabled_is_off_and_says_so(studio: Studio, key: str) -> None:
    value = {"image": studio.reference, "images": [studio.reference], "reference": "ab" * 32, "enabeld": True}[key]
    processed = studio.host.txt2img({"InstantStyle": [{key: value}]}, n_iter=2)
    assert [image.tobytes() for image in processed.images] == studio.plain(n_iter=2)
    assert all("'enabled' is missing" in text for text in processed.infotexts)
    assert "send 'enabled': true" in processed.comments


@pytest.mark.parametrize("request_", [{}, {"enabled": False}, {"preset": "layout"}, {"image": None}], ids=str)
def test_a_dict_that_wants_nothing_says_nothing(studio: Studio, request_: dict[str, Any]) -> None:
    if request_.get("enabled") is False:
        request_ = {**request_, "image": studio.reference}
    processed = studio.host.txt2img({"InstantStyle": [request_]})
    assert "InstantStyle" not in processed.infotexts[0]


def test_scripts_that_are_reloaded_in_mid_loop_leave_a_note(studio: Studio) -> None:
    with _in_the_loop(studio, lambda: extension().generation.unload()):
        processed = studio.host.txt2img(studio.request(), steps=3)
    assert "not applied to the end" in processed.infotexts[0]
    extension().generation.unload()
    assert "not applied" not in studio.host.txt2img(studio.request()).infotexts[0]


@contextlib.contextmanager
def _in_the_loop(studio: Studio, act: Any) -> Iterator[None]:
    calls: list[Any] = []

    def after(*_arguments: Any) -> None:
        calls.append(None)
        if len(calls) == 2:
            act()

    handle = studio.unet.register_forward_hook(after)
    try:
        yield
    finally:
        handle.remove()
