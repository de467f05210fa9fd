"""The text field of the strength curve: a shape, or points on the noise schedule; `method.schedule` samples it."""

from __future__ import annotations

import contextlib
import itertools
from typing import NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import MAX_WEIGHT, Choice, quoted

_EXAMPLE = "Write for example '0:0.4, 0.3:1, 0.8:0'."


class Shape(Choice):
    """Named curves between start and end."""

    CONSTANT = "Constant"
    FADE_IN = "Fade in"
    FADE_OUT = "Fade out"
    EASE = "Ease in and out"


class Point(NamedTuple):
    """A strength at a fraction of the noise schedule."""

    fraction: float
    strength: float


Curve = Shape | tuple[Point, ...]


def parse_curve(text: str, field_name: str = "The curve") -> Curve:
    """Parse the name of a shape, or points ``fraction:strength`` with rising fractions.

    ``field_name`` is for the messages.

    Raises:
        ParameterError: If it is neither, or the points are out of order or out of range.
    """
    with contextlib.suppress(ValueError):
        return Shape(text)
    points = tuple(_parse_point(part, field_name) for part in text.split(",") if part.strip())
    if not points:
        raise ParameterError(f"{field_name} is empty. {_EXAMPLE}")
    for before, after in itertools.pairwise(points):
        if after.fraction <= before.fraction:
            raise ParameterError(
                f"{field_name}'s points are out of order: {before.fraction:g} is followed by {after.fraction:g}. "
                "Write them from 0 (pure noise) to 1 (finished picture), each place once."
            )
    return points


def _parse_point(text: str, field_name: str) -> Point:
    fraction, _, strength = text.partition(":")
    try:
        point = Point(float(fraction), float(strength))
    except ValueError:
        shapes = ", ".join(shape.value for shape in Shape)
        raise ParameterError(
            f"{field_name} has {quoted(text.strip())}, which is no point and no shape ({shapes}). {_EXAMPLE}"
        ) from None
    if not (0.0 <= point.fraction <= 1.0 and 0.0 <= point.strength <= MAX_WEIGHT):
        raise ParameterError(
            f"{field_name}'s point {text.strip()} is out of range: places go from 0 to 1, strengths from 0 to "
            f"{MAX_WEIGHT:g}. {_EXAMPLE}"
        )
    return point
