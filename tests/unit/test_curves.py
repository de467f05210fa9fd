"""Curves and windows over the noise schedule, against numpy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.curve import Curve, Shape, parse_curve
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.page.tabs.timing_tab import _handles

EVERY = np.arange(1000)
FRACTIONS = (999 - EVERY) / 999  # 0 at the noisiest timestep, 999
HALF_A_STEP = 0.5 / 999  # the nearest timestep to a boundary belongs to the window


def strengths(schedule: Schedule) -> np.ndarray:
    return schedule.strength(torch.from_numpy(EVERY)).flatten().numpy()


def by_hand(curve: Curve, start: float, end: float, fraction: float) -> float:
    if not start - HALF_A_STEP <= fraction <= end + HALF_A_STEP:
        return 0.0
    if isinstance(curve, tuple):
        places, values = [point[0] for point in curve], [point[1] for point in curve]
        return float(np.interp(fraction, places, values))
    way = min(max((fraction - start) / (end - start), 0.0), 1.0)
    return {
        "Constant": 1.0,
        "Fade in": way,
        "Fade out": 1.0 - way,
        "Ease in and out": math.sin(math.pi * way) ** 2,
    }[curve.value]


CURVES = [
    *(shape.value for shape in Shape),
    "0:0.4, 0.3:1, 0.8:0",
    "0.5:2",
    "0:0, 1:3",
    "0.2:1, 0.201:0",
    "0:1, 0.1:0.5, 0.2:1.5, 0.9:0.25, 1:0",
]


@pytest.mark.parametrize("window", [(0.0, 1.0), (0.0, 0.45), (0.2, 0.7), (0.9, 1.0), (0.0, 0.001)], ids=str)
@pytest.mark.parametrize("text", CURVES)
def test_every_curve_in_every_window_at_every_timestep(text: str, window: tuple[float, float]) -> None:
    curve = parse_curve(text)
    expected = [by_hand(curve, *window, fraction) for fraction in FRACTIONS]
    np.testing.assert_allclose(strengths(Schedule(*window, curve)), expected, atol=1e-5)


def test_points_stand_where_they_say_and_shapes_are_stretched_over_the_window() -> None:
    half = 500  # timestep 500 is the place 0.4995
    points = parse_curve("0:1, 1:0")
    assert Schedule(0.4, 0.6, points).strength(torch.tensor([half])).item() == pytest.approx(0.5, abs=1e-3)
    assert Schedule(0.4, 0.8, Shape.FADE_IN).strength(torch.tensor([half])).item() == pytest.approx(0.25, abs=2e-3)


@pytest.mark.parametrize("text", CURVES)
def test_a_window_cuts_a_curve_off(text: str) -> None:
    found = strengths(Schedule(0.25, 0.75, parse_curve(text)))
    assert not found[(FRACTIONS < 0.249) | (FRACTIONS > 0.751)].any()


def test_points_stay_level_before_the_first_and_after_the_last() -> None:
    found = strengths(Schedule(curve=parse_curve("0.3:0.5, 0.6:2")))
    assert set(found[FRACTIONS < 0.3].tolist()) == {0.5}
    assert set(found[FRACTIONS > 0.6].tolist()) == {2.0}


def test_rows_at_different_and_fractional_timesteps() -> None:
    schedule = Schedule(curve=Shape.FADE_OUT)
    found = schedule.strength(torch.tensor([999.0, 500.4, 0.3, -2.0, 1003.0]))
    assert found.shape == (5, 1, 1)
    assert found.flatten().tolist() == pytest.approx([1.0, 500 / 999, 0.0, 0.0, 1.0], abs=1e-6)


@pytest.mark.parametrize(
    ("schedule", "constant"),
    [
        (Schedule(), True),
        (Schedule(curve=parse_curve("0:1, 1:1")), True),
        (Schedule(curve=parse_curve("0.3:1")), True),
        (Schedule(0.0, 0.99), False),
        (Schedule(0.01, 1.0), False),
        (Schedule(curve=parse_curve("0:0.5, 1:0.5")), False),  # constant, but not 1: it must be multiplied
        (Schedule(curve=Shape.FADE_IN), False),
        (Schedule(curve=Shape.EASE), False),
        (Schedule(curve=parse_curve("0:1, 0.999:1, 1:0.9")), False),
    ],
)
def test_constant_means_that_nothing_is_multiplied(schedule: Schedule, constant: bool) -> None:
    assert schedule.is_constant is constant
    assert constant == all(strength == 1.0 for strength in strengths(schedule))


def test_what_is_drawn_is_what_acts() -> None:
    curve = parse_curve("0:0.4, 0.3:1, 0.8:0")
    places = np.linspace(0, 1, 11)
    assert Schedule(curve=curve).sampled(11) == pytest.approx(np.interp(places, *zip(*curve, strict=True)), abs=2e-3)


@pytest.mark.parametrize("shape", Shape)
def test_shapes_are_found_by_their_labels(shape: Shape) -> None:
    assert [parse_curve(text) for text in (shape.value, shape.value.upper(), f" {shape.value} ")] == [shape] * 3
    assert parse_curve(shape.value.replace(" ", "_")) is shape


def test_points_are_read_with_any_spacing() -> None:
    assert parse_curve(" 0 : 0.4 ,0.3:1,  1:0,") == ((0.0, 0.4), (0.3, 1.0), (1.0, 0.0))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" , ", "empty"),
        ("0:1, 0.5:1, 0.3:0", r"out of order: 0\.5 is followed by 0\.3"),
        ("0:1, 0.5:1, 0.5:0", r"out of order: 0\.5 is followed by 0\.5"),
        ("-0.1:1", "out of range"),
        ("1.1:1", "out of range"),
        ("0:3.1", "out of range"),
        ("0:-1", "out of range"),
        ("nan:1", "out of range"),
        ("0:nan", "out of range"),
        ("0:inf", "out of range"),
        ("fade", "'fade', which is no point and no shape"),
        ("0.5", r"'0\.5', which is no point and no shape"),
        ("0:1, x:1", "'x:1', which is no point and no shape"),
        ("0:1:2", "'0:1:2', which is no point and no shape"),
        (":", "':', which is no point and no shape"),
    ],
)
def test_bad_curves_say_what_is_wrong_and_give_an_example(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message) as raised:
        parse_curve(text)
    assert "0:0.4, 0.3:1, 0.8:0" in str(raised.value) or "each place once" in str(raised.value)


@given(st.text() | st.from_regex(r"(-?[0-9.e]{0,4}:[0-9.e]{0,4},? ?){0,4}"))
def test_no_text_does_worse_than_a_parameter_error(text: str) -> None:
    try:
        curve = parse_curve(text)
    except ParameterError:
        return
    found = strengths(Schedule(curve=curve))
    assert np.isfinite(found).all()
    assert found.min() >= 0.0
    assert found.max() <= 3.0


NUMBERS = st.floats(0, 1).map(lambda value: round(value, 3))


@given(st.dictionaries(NUMBERS, st.floats(0, 3).map(lambda value: round(value, 3)), min_size=1, max_size=6))
def test_any_points_are_joined_as_numpy_joins_them(points: dict[float, float]) -> None:
    places = sorted(points)
    curve = parse_curve(", ".join(f"{place}:{points[place]}" for place in places))
    expected = np.interp(FRACTIONS, places, [points[place] for place in places])
    np.testing.assert_allclose(strengths(Schedule(curve=curve)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("values", "points"),
    [
        ({}, [(0.0, 1.0), (0.25, 1.0), (0.5, 1.0), (0.75, 1.0), (1.0, 1.0)]),
        (
            {"start": 0.2, "end": 0.6, "curve": "Fade out"},
            [(0.2, 1.0), (0.3, 0.75), (0.4, 0.5), (0.5, 0.25), (0.6, 0.0)],
        ),
        ({"curve": "0.3:0.5, 0.6:2"}, [(0.3, 0.5), (0.6, 2.0)]),
    ],
)
def test_points_to_drag_are_those_of_the_curve(values: dict[str, object], points: list[tuple[float, float]]) -> None:
    assert _handles(StyleParams(**values)) == points
