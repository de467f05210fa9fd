"""What did nothing says so, below the picture and in the console, and is not in the infotext."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from lib_instantstyle.errors import InstantStyleError, UnknownStyleError
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.styles.saving import save_style
from tests.lifecycle.conftest import Studio

NAME = "notes test"


@pytest.fixture
def saved(studio: Studio) -> Iterator[str]:
    save_style(NAME, StyleParams(enabled=True, image=studio.reference), extension().builder, replace=True)
    yield NAME
    with suppress(UnknownStyleError):
        extension().library.delete(NAME)


@pytest.mark.parametrize(
    ("style", "control"),
    [
        ({"style_weight": 0}, "Style weight"),
        ({"preset": "layout", "layout_weight": 0}, "Layout weight"),
        ({"preset": "style + layout", "style_weight": 0, "layout_weight": 0}, "Style weight or Layout weight"),
        ({"preset": "custom", "blocks": "style:0, style.1:0"}, "Custom block weights"),
        ({"curve": "0:0, 1:0"}, "Curve"),
        ({"curve": "0.5:0, 1:1", "end": 0.4}, "Curve"),
        ({"method": "No adapter", "curve": "0:0"}, "Curve"),
        ({"method": "No adapter", "self_weight": 0}, "Self-attention weight"),
    ],
    ids=str,
)
def test_nothing_to_do_is_said(
    studio: Studio, caplog: pytest.LogCaptureFixture, style: dict[str, Any], control: str
) -> None:
    plain = studio.plain()
    with caplog.at_level(logging.WARNING, "instantstyle"):
        processed = studio.host.run(studio.host.job(scripts=studio.request(**style)))
    assert [image.tobytes() for image in processed.images] == plain
    assert f"InstantStyle had nothing to do: raise {control} above 0." in processed.comments
    assert "InstantStyle had nothing to do" in caplog.text
    assert "InstantStyle" not in processed.infotexts[0]


def test_each_job_leaves_one_line_in_the_log(studio: Studio, caplog: pytest.LogCaptureFixture) -> None:
    studio.forget()
    with caplog.at_level(logging.INFO, "instantstyle"):
        for _ in range(2):
            studio.styled({"content": "a cat"}, n_iter=2)
    first, again = (record.getMessage() for record in caplog.records if record.levelno == logging.INFO)
    for line in (first, again):
        assert line.startswith(
            "up_blocks.0.attentions.1 1, push away a cat, ip-adapter_sdxl.safetensors, 4 tokens; ready in "
        )
    assert first.endswith(" ms; known: 0 of 1 embeddings, 0 of 12 tensors")
    assert again.endswith(" ms; known: 1 of 1 embeddings, 12 of 12 tensors")


def test_an_idle_accordion_is_not_credited_with_the_prompt_s_style(studio: Studio, saved: str) -> None:
    processed = studio.host.txt2img(studio.request(style_weight=0), prompt=f"a house <instantstyle:{saved}>")
    assert "InstantStyle had nothing to do" in processed.comments
    assert f"InstantStyle styles: {saved}" in processed.infotexts[0].replace('"', "")
    assert "InstantStyle preset" not in processed.infotexts[0]


def test_a_layout_picture_that_is_left_out_is_said(studio: Studio) -> None:
    processed = studio.host.txt2img(studio.request(layout_image=studio.reference), cfg_scale=5)
    note = "the layout picture was left out, since the preset or its weights leave the layout block out"
    assert note in processed.comments
    assert f"InstantStyle note: {note}" in processed.infotexts[0].replace('"', "")


def test_what_acted_says_nothing(studio: Studio) -> None:
    assert "InstantStyle" not in studio.host.txt2img(studio.request()).comments


def test_what_stopped_a_job_of_the_api_is_not_told_on_the_page(studio: Studio) -> None:
    generation = extension().generation
    for is_api, told in ((True, ""), (False, "Reference weights (weights): 3 weights")):
        job = studio.host.job(scripts=studio.request(weights="1, 2, 3"))
        job.is_api = is_api
        with pytest.raises(InstantStyleError):
            studio.host.run(job)
        assert generation.errors.take_problem()[: len(told) or None] == told
        assert generation.errors.take_problem() == ""


MISSED = "did nothing: no step falls where its strength is above 0"
BETWEEN = {"start": 0.93, "end": 0.95}  # two steps


@pytest.mark.parametrize(
    "style",
    [BETWEEN, {"curve": "0.93:0, 0.94:1, 0.95:0"}, {"method": "No adapter", **BETWEEN}, {"method": "Both", **BETWEEN}],
    ids=str,
)
def test_a_window_between_the_steps_is_said_afterwards(studio: Studio, style: dict[str, Any]) -> None:
    plain = studio.plain(steps=2)
    processed = studio.host.txt2img(studio.request(**style), steps=2)
    assert [image.tobytes() for image in processed.images] == plain
    assert f"InstantStyle {MISSED}" in processed.comments
    assert f"InstantStyle note: InstantStyle {MISSED}" in processed.infotexts[0].replace('"', "")


def test_a_window_that_one_step_meets_says_nothing(studio: Studio) -> None:
    processed = studio.host.txt2img(studio.request(start=0.0, end=0.1), steps=2)
    assert MISSED not in processed.comments + processed.infotexts[0]


def test_a_hires_pass_without_strength_leaves_the_first_pass_its_infotext(studio: Studio) -> None:
    hires = {"enable_hr": True, "hr_scale": 2.0, "denoising_strength": 0.7, "steps": 2}
    for style, said in (
        ({"hires_curve": "0:0"}, "InstantStyle (hires pass) had nothing to do: raise Hires curve above 0."),
        ({"hires_curve": "Constant", "hires_start": 0.05, "hires_end": 0.06}, f"InstantStyle (hires pass) {MISSED}"),
    ):
        processed = studio.host.txt2img(studio.request(**style), **hires)
        assert said in processed.comments
        assert "InstantStyle preset: Style" in processed.infotexts[0]
        first = studio.host.txt2img(studio.request(passes="first pass"), **hires)
        assert processed.images[0].tobytes() == first.images[0].tobytes()


def test_a_content_of_weight_0_is_said(studio: Studio) -> None:
    processed = studio.host.txt2img(studio.request(content="a cat:0, balloons"))
    assert "a content with the weight 0 was not removed" in processed.comments
    assert "a content with the weight 0" in processed.infotexts[0]
