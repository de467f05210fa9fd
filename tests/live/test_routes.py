"""Our own routes, infotext in the API, and the X/Y/Z plot."""

from __future__ import annotations

from typing import Any

import pytest

from lib_instantstyle import __version__
from lib_instantstyle.params.style_params import controls
from tests.live import needs
from tests.live.client import WebUI


def test_version(webui: WebUI) -> None:
    assert webui.get("/instantstyle/version") == {"name": "InstantStyle", "version": __version__}


def test_schema_lists_every_control(webui: WebUI) -> None:
    schema = webui.get("/instantstyle/schema")
    assert list(schema["properties"]) == list(controls())
    assert schema["properties"]["style_weight"]["maximum"] == 3.0
    assert schema["additionalProperties"] is False


def test_adapters(webui: WebUI) -> None:
    adapters = {entry["name"]: entry for entry in webui.get("/instantstyle/adapters")}
    assert adapters["ip-adapter_sdxl.safetensors"]["removes_content"] is True
    assert adapters["ip-adapter-plus_sdxl_vit-h.bin"]["kind"] == "plus"
    assert adapters["ip-adapter_sdxl.safetensors"]["encoders"] == ["tiny-bigG"]
    assert "content removal" in adapters["ip-adapter_sdxl.safetensors"]["description"]


def test_the_script_is_listed_for_both_tabs(webui: WebUI) -> None:
    scripts = webui.get("/sdapi/v1/scripts")
    assert "instantstyle" in scripts["txt2img"]
    assert "instantstyle" in scripts["img2img"]


def test_an_infotext_reproduces_the_picture(webui: WebUI, style: dict[str, Any]) -> None:
    plain = webui.txt2img(steps=1).infotexts[0]
    needs.need(webui.post("/sdapi/v1/txt2img", {"infotext": plain}).status == 200, "answer to a request's infotext")
    made = webui.txt2img(
        style | {"preset": "style + layout", "layout_weight": 0.4, "content": "a cat, (balloons)", "end": 0.8}
    )
    again = webui.post("/sdapi/v1/txt2img", {"infotext": made.infotexts[0]})
    assert again.status == 200, again.body
    assert again.pictures == made.pictures
    assert again.infotexts == made.infotexts


def test_an_unknown_reference_hash_says_so(webui: WebUI) -> None:
    answer = webui.txt2img({"enabled": True, "reference": "0" * 64})
    assert answer.status == 422
    assert "Drop the picture again" in answer.body["detail"]


@pytest.mark.each_host
@pytest.mark.by_adapter
def test_xyz_axes(webui: WebUI, style: dict[str, Any]) -> None:
    axes = webui.plot_axes()
    wanted = [f"[InstantStyle] {control.label}" for control in controls().values() if control.axis]
    assert all(axis in axes for axis in wanted)
    needs.true_plot(webui)
    answer = webui.plot(style, ("[InstantStyle] Style weight", "0, 1"), ("[InstantStyle] Preset", ["Style", "Layout"]))
    zero_style, one_style, zero_layout, one_layout = answer.pictures[-4:]
    assert zero_style != one_style
    assert zero_layout == one_layout == webui.txt2img(style | {"preset": "layout"}).pictures[0]


def test_what_could_be_fetched_is_told_and_nothing_is(webui: WebUI) -> None:
    told = webui.get("/instantstyle/models/fetch")
    assert told["state"] == "idle"
    sets = {entry["name"]: entry for entry in told["sets"]}
    assert list(sets) == ["recommended", "small", "plus"]
    assert sets["recommended"]["bytes_to_fetch"] == 0  # the tiny models stand in
    assert {file["checked_by"] for file in sets["small"]["files"]} == {"SHA-256", "structure"}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"set": "recommended"}, "Nothing is missing"),
        ({"set": "large"}, "There is no set"),
        ({}, "There is no set"),
        ({"url": "x"}, "Unknown key"),
    ],
)
def test_a_fetch_that_cannot_begin_says_why(webui: WebUI, body: dict[str, str], reason: str) -> None:
    answer = webui.post("/instantstyle/models/fetch", body)
    assert answer.status == 422
    assert reason in answer.body["detail"]


def test_the_preflight_says_what_is_there(webui: WebUI) -> None:
    told = webui.get("/instantstyle/preflight?content=a%20cat")
    assert told["ready"]
    assert [check["state"] for check in told["checks"]] == ["ready", "ready", "ready", "unknown", "ready", "ready"]
    told = webui.get("/instantstyle/preflight?content=a%20cat&adapter=ip-adapter_sdxl_vit-h")
    assert not told["ready"]
    assert "cannot remove content" in told["next"]
