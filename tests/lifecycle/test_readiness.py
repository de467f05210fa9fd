"""The preflight's facts come without loading anything, and the preflight says what a job would say."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.params.style_params import StyleParams, default_of
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.page import effects
from lib_instantstyle.webui.page.status import BOXES, LOOKED_AT, StatusLine, look_into
from lib_instantstyle.webui.page.wording import in_page_words
from lib_instantstyle.webui.styles.saving import save_style
from tests.host.doors import Api
from tests.host.inprocess import InProcess, in_process
from tests.lifecycle.conftest import Studio
from tests.live.client import encoded


@pytest.fixture
def host(models_dir: Path) -> Iterator[InProcess]:
    host = in_process(models_dir)
    host.load("tiny-sdxl.safetensors")
    yield host
    host.reset_options()


def states(told: dict) -> dict[str, str]:
    return {check["name"]: check["state"] for check in told["checks"]}


def test_an_sdxl_model_is_ready(host: InProcess) -> None:
    told = extension().readiness.report()
    assert told["ready"]
    assert list(states(told).values()) == ["ready", "ready", "ready", "unknown", "optional", "ready"]


def test_another_model_is_named(host: InProcess) -> None:
    host.load("tiny-sd15.safetensors")
    told = extension().readiness.report()
    assert not told["ready"]
    assert "Stable Diffusion 1.x" in told["next"]


def test_without_a_model_nothing_is_loaded(host: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import sd_models

    monkeypatch.setattr(sd_models.model_data, "sd_model", None)
    monkeypatch.setattr(sd_models, "reload_model_weights", pytest.fail)
    monkeypatch.setattr(sd_models, "load_model", pytest.fail, raising=False)
    told = extension().readiness.report()
    assert states(told)["SDXL model"] == "unknown"
    assert told["ready"]


def test_a_replacement_unet_and_an_unknown_adapter(host: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import sd_unet

    assert "was not found" in extension().readiness.report({"adapter": "absent"})["next"]
    monkeypatch.setattr(sd_unet, "current_unet", object())
    assert "Set SD Unet to None" in extension().readiness.report()["next"]


def test_it_is_cheap(host: InProcess) -> None:
    extension().readiness.report()
    begin = time.perf_counter()
    for _ in range(10):
        extension().readiness.report()
    assert (time.perf_counter() - begin) / 10 < 0.25


UNKNOWN = "ab" * 32
WIDE = encoded(Image.new("RGB", (128, 64), "white"))
BLACK = encoded(Image.new("RGB", (64, 64)))
SQUARE = encoded(Image.new("RGB", (64, 64), "white"))
REFUSED: dict[str, dict[str, Any]] = {
    "more weights than references": {"weights": "1, 0.5, 2"},
    "all weights 0": {"weights": "0"},
    "a weight that is none": {"weights": "much"},
    "start after end": {"start": 0.8, "end": 0.2},
    "a hires window": {"hires_start": 0.8, "hires_end": 0.2},
    "a value out of range": {"style_weight": 7},
    "an adapter that sees patches": {"content": "a cat", "adapter": "ip-adapter-plus_sdxl_vit-h"},
    "an adapter of another width": {"content": "a cat", "adapter": "ip-adapter_sdxl_vit-h"},
    "an adapter that is not there": {"adapter": "absent"},
    "a weight of content": {"content": "a cat:9"},
    "a weight of content that is none": {"content": "a cat:x"},
    "a curve": {"curve": "Wave"},
    "a hires curve": {"hires_curve": "Wave"},
    "block weights": {"preset": "Custom", "blocks": "head:1"},
    "a saved style": {"style": "absent"},
    "an unknown hash": {"reference": UNKNOWN},
    "a hash that is none": {"reference": "nothing"},
    "an unknown hash of a mask": {"reference": f"{{known}}; mask 1 {UNKNOWN}"},
    "a mask too many": {"masks": [SQUARE, SQUARE]},
    "a mask all black": {"masks": [BLACK]},
    "anti-layout from the layout": {"anti_layout": 1.0, "preset": "Style + layout"},
    "a subject that is not there": {"subject_weight": 0.2},
    "a cross-attention that is not there": {"preset": "Custom", "blocks": "style.99:1"},
}


@pytest.mark.parametrize("values", REFUSED.values(), ids=REFUSED)
def test_preflight_status_line_and_job_say_the_same(studio: Studio, values: dict[str, Any]) -> None:
    builder, line = extension().builder, status_line(studio)
    picture = StyleParams(image=studio.reference)
    if "reference" in values:
        known = builder.from_accordion(picture).hashes
        values = {**values, "reference": values["reference"].format(known=known.text() if known else "")}
    references = 0 if {"reference", "style"} & values.keys() else 1
    request = {"enabled": True, **values, **({"image": studio.reference} if references else {})}
    with pytest.raises(InstantStyleError) as refused:
        studio.host.txt2img({"InstantStyle": [request]})
    message = str(refused.value)
    assert shown(line, references, values) == in_page_words(message)
    if not values.keys() & {"masks", "anti_layout", "subject_weight"}:  # the route is not told which pictures there are
        query = {**values, **({"references": 1} if references else {})}
        told = Api().request("GET", "/instantstyle/preflight", params=query).json()
        assert not told["ready"]
        assert told["next"] == message


def test_what_a_job_takes_is_ready(studio: Studio) -> None:
    line = status_line(studio)
    known = extension().builder.from_accordion(StyleParams(image=studio.reference)).hashes
    assert known is not None
    taken = ({"weights": "1, 0"}, 2), ({"masks": [SQUARE]}, 1), ({"masks": [WIDE]}, 1), ({"reference": known.text()}, 0)
    dropped = ({"reference": UNKNOWN}, 1)  # a picture that is dropped puts hashes aside
    for values, references in (*taken, dropped):
        assert shown(line, references, values) == "Ready to generate."


BOTH = {"layout_image_known": "given", "subject_image_known": "given"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"layout_image_known": "given"}, "The layout picture does nothing: choose a preset with layout"),
        (BOTH | {"preset": "Layout"}, "The subject picture does nothing: raise Subject weight"),
        (BOTH, "The layout picture does nothing: choose a preset with layout, or remove it. The subject picture"),
        (
            {
                "content": "a cat",
                "content_strength": 0.0,
                "adapter": "ip-adapter_sdxl_vit-h",
            },  # which could not remove it
            "Content to remove does nothing: Removal strength is 0.",
        ),
        ({"style_weight": 0.0}, "Nothing acts: raise Style weight above 0."),
        ({"curve": "0:0, 1:0"}, "Curve does nothing: it is 0 from start to end."),
        ({"images": ["unopened"], "weights": "1, 0", "masks": [None, SQUARE]}, "A region mask does nothing"),
    ],
    ids=str,
)
def test_the_line_says_what_was_given_and_cannot_act(studio: Studio, values: dict[str, Any], said: str) -> None:
    line = status_line(studio)
    assert shown(line, 1, values).startswith(said)
    assert shown(line, 1, values | {"start": 0.8, "end": 0.2}).startswith("End must be greater than Start")  # first


@pytest.mark.parametrize(("role", "setting"), [("layout", {}), ("negative", {}), ("subject", {"subject_weight": 0.2})])
def test_pasted_pictures_of_every_kind_are_looked_for(studio: Studio, role: str, setting: dict[str, Any]) -> None:
    line = status_line(studio)
    known = extension().builder.from_accordion(StyleParams(image=studio.reference)).hashes
    assert known is not None
    values = {"reference": f"{known.text()}; {role} {UNKNOWN}", "preset": "Style + layout", **setting}
    with pytest.raises(InstantStyleError) as refused:
        studio.host.txt2img({"InstantStyle": [{"enabled": True, **values}]})
    assert shown(line, 0, values) == in_page_words(str(refused.value))
    given = {f"{role}_image_known": "given"}  # a picture that is dropped takes its place
    assert shown(line, 0, values | given) == "Ready to generate."
    assert shown(line, 1, values | given) == "Ready to generate."


def test_a_pasted_layout_that_nothing_takes_is_said_before_the_job(studio: Studio) -> None:
    pictures = StyleParams(image=studio.reference, layout_image=studio.reference, preset="Style + layout")
    known = extension().builder.from_accordion(pictures).hashes
    assert known is not None
    values = {"reference": known.text()}
    assert shown(status_line(studio), 0, values).startswith("The layout picture does nothing")
    assert shown(status_line(studio), 0, values | {"preset": "Style + layout"}) == "Ready to generate."


def test_the_line_says_which_box_cannot_be_used(studio: Studio) -> None:
    line, junk = status_line(studio), "data:image/png;base64,AAAA"
    problem = look_into("layout_image", True, junk)
    assert problem.startswith("The layout picture cannot be read")
    assert shown(line, 1, {"layout_image_known": problem}) == in_page_words(problem)
    assert [look_into("image", True, picture) for picture in (None, studio.reference)] == ["", "given"]
    assert look_into("image", False, junk) == "given"  # off, it is not opened


@pytest.mark.parametrize("values", [*REFUSED.values(), {"masks": ["junk"]}], ids=str)
def test_off_the_line_opens_and_refuses_nothing(
    studio: Studio, values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "open", pytest.fail)
    told = shown(status_line(studio), 1, {**values, "enabled": False})
    assert told == "InstantStyle is off: tick the box before its name."


@pytest.mark.parametrize(
    ("query", "message"), [({"referenze": 1}, "Unknown InstantStyle key"), ({"start": "x"}, "number")]
)
def test_a_query_is_read_as_the_dict_is(studio: Studio, query: dict[str, Any], message: str) -> None:
    told = Api().request("GET", "/instantstyle/preflight", params=query).json()
    assert message in told["next"]
    assert states(told)["Controls"] == "missing"


@pytest.mark.usefixtures("folder")
def test_a_saved_style_needs_no_encoder(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    save_style("ready ink", StyleParams(image=studio.reference), extension().builder)
    look = extension().models.look
    without = replace(look(), encoders=())
    monkeypatch.setattr(extension().models, "look", lambda: without)
    monkeypatch.setattr(extension().builder, "look", lambda: without)
    line = status_line(studio)
    assert shown(line, 0, {"style": "ready ink"}) == "Ready to generate."
    assert shown(line, 1, {"style": "ready ink"}).endswith("Remove the picture, or choose no saved style.")
    assert shown(line, 0, {"style": "ready ink", "weights": "1, 1"}).startswith("Reference weights: 2 weights")


def test_a_number_of_references_that_is_none_is_refused(studio: Studio) -> None:
    answer = Api().request("GET", "/instantstyle/preflight", params={"references": "two"})
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "'references' must be the number of pictures; got 'two'.",
    )


def test_the_input_picture_is_a_subject_only_where_it_is_asked_for(studio: Studio) -> None:
    line = status_line(studio, "img2img")
    for values in ({}, {"subject_weight": 0.2}):
        assert shown(line, 1, values) == "Ready to generate."
    given = {"subject_image_known": "given"}
    assert shown(line, 1, given).startswith("The subject picture does nothing")


def test_a_pasted_subject_is_looked_for_where_an_input_would_be_one(studio: Studio) -> None:
    known = extension().builder.from_accordion(StyleParams(image=studio.reference)).hashes
    assert known is not None
    line, values = status_line(studio, "img2img"), {"reference": known.text(), "subject_weight": 0.2}
    assert shown(line, 0, values) == "Ready to generate."
    assert "subject picture" in shown(line, 0, values | {"reference": f"{known.text()}; subject {UNKNOWN}"})
    given = {"subject_image_known": "given"}
    assert shown(line, 0, values | {"reference": f"{known.text()}; subject {UNKNOWN}"} | given) == "Ready to generate."


OFF = "InstantStyle is off: tick the box before its name."


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("enabled", [True, False])
def test_saved_styles_in_the_prompt_are_looked_at(studio: Studio, enabled: bool) -> None:
    save_style("ready ink", StyleParams(image=studio.reference), extension().builder)
    line, on = status_line(studio), {"enabled": enabled}
    plain, tagged = (
        ("Ready to generate.",) * 2
        if enabled
        else (OFF, "InstantStyle is off, but the saved styles in the prompt act.")
    )
    assert shown(line, 1, on | {"prompt": "a house"}) == plain
    assert shown(line, 1, on | {"prompt": "a house <instantstyle:Ready Ink:0.5>"}) == tagged
    assert shown(line, 1, on | {"prompt": "a house <instantstyle:ready ink:0>"}) == plain  # which does nothing
    for prompt in ("<instantstyle:nope>", "<instantstyle:ready ink:much>", "<instantstyle:ready ink:4>"):
        with pytest.raises(InstantStyleError) as refused:
            studio.host.txt2img(prompt=prompt)
        assert shown(line, 1, on | {"prompt": prompt}) == in_page_words(str(refused.value))


def test_what_acts_through_guidance_is_said_at_cfg_1(studio: Studio) -> None:
    line = status_line(studio)
    for values, names in (
        ({"anti_layout": 1.0}, "anti-layout"),
        ({"negative_image_known": "given", "anti_layout": 1.0}, "anti-layout, negative picture"),
        ({"method": "No adapter", "push": 1.0}, "push"),
    ):
        assert shown(line, 1, values) == "Ready to generate."
        assert shown(line, 1, values | {"cfg": 1.0}) == f"CFG 1 leaves out {names}: raise CFG Scale above 1."
    assert shown(line, 1, {"cfg": 1.0}) == "Ready to generate."


def test_what_is_no_picture_changes_no_setting(studio: Studio) -> None:
    for settle, setting in ((effects._preset_with_layout, "Style"), (effects._subject_weight, 0.0)):
        settled = effects._if_readable(settle, studio.reference, setting)
        assert settled in ("Style + layout", 0.2)
        for junk in ("data:image/png;base64,AAAA", "data:text/plain;base64,AAAA", None):
            assert effects._if_readable(settle, junk, setting) not in ("Style + layout", 0.2)


def status_line(studio: Studio, tab: str = "txt2img") -> Any:
    """The status line of ``tab``, as the page was built."""
    events = (getattr(event.fn, "__self__", None) for event in studio.host.shared.demo.fns)
    return next(owner for owner in events if isinstance(owner, StatusLine) and owner._tab == tab)


def shown(line: Any, references: int, values: dict[str, Any]) -> str:
    """What the line says below its marks."""
    chosen = {name: default_of(name) for name in LOOKED_AT} | {"enabled": True, "images": []} | values
    boxes = {**dict.fromkeys(BOXES, ""), "image": "given" * bool(references)}
    chosen["images"] = [*chosen["images"], *["unopened"] * (references - 1)]
    known = [chosen.pop(f"{name}_known", boxes[name]) for name in BOXES]
    around = [chosen.pop("prompt", ""), chosen.pop("cfg", 7.0)]
    drawn = line.looked(*known, *chosen.values(), *around)[0]
    return unescape(drawn.partition("<p role='status'>")[2].removesuffix("</p>"))
