"""What cannot act is known from the settings, and each sentence names the control that is really at 0."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.schedule import Schedule, StrengthWatch
from lib_instantstyle.params.curve import parse_curve
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.styles.idle import left_out

NO_CURVE = "does nothing: it is 0 from start to end. Raise it, or move start and end."
WAITING = "do nothing: they wait for"


def said(roles: set[str] | None = None, **values: Any) -> list[str]:
    return [found.todo for found in left_out(StyleParams(**values), roles or set())]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"style_weight": 0}, "Nothing acts: raise Style weight above 0."),
        ({"preset": "Strong style", "style_weight": 0}, "Nothing acts: raise Style weight above 0."),
        ({"preset": "Layout", "layout_weight": 0}, "Nothing acts: raise Layout weight above 0."),
        (
            {"preset": "Style + layout", "style_weight": 0, "layout_weight": 0},
            "Nothing acts: raise Style weight or Layout weight above 0.",
        ),
        ({"preset": "Custom", "blocks": "style:0"}, "Nothing acts: raise Custom block weights above 0."),
        ({"preset": "Custom", "blocks": "layout:1", "layout_weight": 0}, "Nothing acts: raise Layout weight above 0."),
        ({"method": "No adapter", "self_weight": 0}, "Nothing acts: raise Self-attention weight above 0."),
        (
            {"method": "No adapter", "reach": "Custom", "self_blocks": "style:0"},
            "Nothing acts: raise Custom self-attentions above 0.",
        ),
        (
            {"method": "Both", "style_weight": 0, "self_weight": 0},
            "Nothing acts: raise Style weight or Self-attention weight above 0.",
        ),
        ({"curve": "0:0, 1:0"}, f"Curve {NO_CURVE}"),
        ({"curve": "0.5:0, 1:1", "end": 0.4}, f"Curve {NO_CURVE}"),
        ({"method": "No adapter", "curve": "0:0"}, f"Curve {NO_CURVE}"),
        ({"hires_curve": "0:0"}, f"Hires curve {NO_CURVE}"),
        ({"passes": "Hires pass", "hires_curve": "0.5:0, 1:1", "hires_end": 0.4}, f"Hires curve {NO_CURVE}"),
        ({"blocks": "style:0.5"}, f"Custom block weights {WAITING} Preset Custom. Choose that, or empty them."),
        (
            {"method": "Both", "self_blocks": "style:0.5"},
            f"Custom self-attentions {WAITING} Self-attentions Custom. Choose that, or empty them.",
        ),
        (
            {"content": "a cat:0, balloons"},
            "A content with the weight 0 is not removed: raise its weight, or take it out.",
        ),
        (
            {"push": 0.5, "calibration": 1},
            "Push, Colour calibration: nothing of it acts with the method Adapter. Choose No adapter or Both, or set it "
            "back.",
        ),
    ],
    ids=str,
)
def test_each_sentence_names_what_is_at_0(values: dict[str, Any], sentence: str) -> None:
    assert said(**values) == [sentence]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"preset": "Style + layout", "layout_weight": 0},  # the style acts
        {"preset": "Style + layout", "style_weight": 0},
        {"curve": "0:0, 1:1"},
        {"curve": "0:0", "passes": "Hires pass", "hires_curve": "Constant"},  # of a pass that is not wanted
        {"passes": "First pass", "hires_curve": "0:0"},
        {"blocks": ""},
        {"preset": "Custom", "blocks": "style:0.5"},
        {"method": "No adapter", "blocks": "style:0.5"},
        {"method": "Both", "style_weight": 0},
        {"method": "No adapter", "self_weight": 0, "calibration": 0.5},
    ],
    ids=str,
)
def test_what_acts_says_nothing(values: dict[str, Any]) -> None:
    assert said(**values) == []


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ({}, "choose a preset with layout"),
        ({"preset": "Style + layout", "layout_weight": 0}, "raise Layout weight"),
        ({"preset": "Custom", "blocks": "style:1, layout:0"}, "choose a preset with layout"),
        ({"preset": "Custom", "blocks": "style:1, layout:1", "layout_weight": 0}, "raise Layout weight"),
        ({"method": "No adapter"}, "raise Composition by blocks"),
    ],
    ids=str,
)
def test_advice_on_a_layout_picture_helps(values: dict[str, Any], advice: str) -> None:
    assert said({"layout"}, **values) == [f"The layout picture does nothing: {advice}, or remove it."]


@pytest.mark.parametrize("text", ["0:0, x", "1:1, 0:0", "2:1", ","])
def test_an_error_says_in_which_curve_it_is(text: str) -> None:
    for name, called in (("curve", "The curve"), ("hires_curve", "The hires curve")):
        with pytest.raises(ParameterError, match=f"^{called}\\b"):
            StyleParams(**{name: text})  # type: ignore[arg-type]


def test_a_reach_knows_afterwards_which_windows_were_missed() -> None:
    reach = StrengthWatch[str]()
    reach.watch("between", [Schedule(0.93, 0.95)])
    reach.watch("met", [Schedule(0.93, 0.95), Schedule(0.0, 0.2, parse_curve("0:1, 0.2:0"))])
    reach.watch("always", [Schedule(0.93, 0.95), Schedule()])
    assert reach.missed() == []  # nothing has been called: nothing is known
    for timestep in (999.0, 500.0, 0.0):
        reach.note(torch.full((2,), timestep))
    assert reach.missed() == ["between"]
