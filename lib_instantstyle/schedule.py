"""Strength over the noise schedule. Knows torch only.

Fractions count noise level, not steps: ``0`` is the noisiest timestep, 999, and ``1`` the clean picture.
This holds for every sampler, whatever it does between steps, and for img2img and hires passes, which enter
the schedule part way.
"""

from __future__ import annotations

import itertools
from enum import Enum
from typing import NamedTuple

import torch

from lib_instantstyle.controls import parse_choice, quoted
from lib_instantstyle.errors import ParameterError

TIMESTEPS = 1000
MAX_STRENGTH = 3.0
_EXAMPLE = "Write for example '0:0.4, 0.3:1, 0.8:0'."


class Shape(str, Enum):
    """Named curves between start and end. The value is the label that users see."""

    CONSTANT = "Constant"
    FADE_IN = "Fade in"
    FADE_OUT = "Fade out"
    EASE = "Ease in and out"


class Point(NamedTuple):
    """A strength at a place on the noise schedule."""

    fraction: float
    strength: float


Curve = Shape | tuple[Point, ...]


def parse_curve(text: str) -> Curve:
    """Read a curve: the name of a shape, or points ``fraction:strength`` in rising order.

    Raises:
        ParameterError: If it is neither, or the points are out of order or out of range.
    """
    shape = parse_choice(Shape, text)
    if isinstance(shape, Shape):
        return shape
    points = tuple(_parse_point(part) for part in text.split(",") if part.strip())
    if not points:
        raise ParameterError(f"The curve is empty. {_EXAMPLE}")
    for before, after in itertools.pairwise(points):
        if after.fraction <= before.fraction:
            raise ParameterError(
                f"The curve's points are out of order: {before.fraction:g} is followed by {after.fraction:g}. "
                "Write them from 0 (pure noise) to 1 (finished picture), each place once."
            )
    return points


def _parse_point(text: str) -> Point:
    fraction, separator, strength = text.partition(":")
    try:
        point = Point(float(fraction), float(strength))
    except ValueError:
        separator = ""
    if not separator:
        shapes = ", ".join(shape.value for shape in Shape)
        raise ParameterError(
            f"The curve has {quoted(text.strip())}, which is no point and no shape ({shapes}). {_EXAMPLE}"
        )
    if not (0.0 <= point.fraction <= 1.0 and 0.0 <= point.strength <= MAX_STRENGTH):
        raise ParameterError(
            f"The curve's point {text.strip()} is out of range: places go from 0 to 1, strengths from 0 to "
            f"{MAX_STRENGTH:g}. {_EXAMPLE}"
        )
    return point


class Schedule:
    """Strength at each timestep, looked up on the device without waiting for it.

    Args:
        start, end: The window outside of which the strength is 0.
        curve: A shape is stretched over the window; points stand where they say.
    """

    def __init__(self, start: float = 0.0, end: float = 1.0, curve: Curve = Shape.CONSTANT) -> None:
        fraction = 1.0 - torch.arange(TIMESTEPS, dtype=torch.float64) / (TIMESTEPS - 1)
        tolerance = 0.5 / (TIMESTEPS - 1)  # the boundaries themselves belong to the window
        inside = (fraction >= start - tolerance) & (fraction <= end + tolerance)
        progress = ((fraction - start) / (end - start)).clamp(0.0, 1.0)
        strength = _shaped(curve, progress) if isinstance(curve, Shape) else _interpolated(curve, fraction)
        self._table = (inside * strength).float()
        self.is_constant = bool((self._table == 1.0).all())

    def strength(self, timesteps: torch.Tensor) -> torch.Tensor:
        """Return the strength of each row.

        Args:
            timesteps: ``[rows]``, 0 to 999, fractions allowed (samplers interpolate).

        Returns:
            ``[rows, 1, 1]``, float32, on the device of ``timesteps``.
        """
        if self._table.device != timesteps.device:
            self._table = self._table.to(timesteps.device)
        index = timesteps.round().long().clamp(0, TIMESTEPS - 1)
        return self._table[index].view(-1, 1, 1)

    def sampled(self, count: int) -> list[float]:
        """Return ``count`` strengths from pure noise to the finished picture, for drawing."""
        places = torch.linspace(TIMESTEPS - 1, 0, count)
        strengths: list[float] = self.strength(places).flatten().tolist()
        return strengths


def _shaped(shape: Shape, progress: torch.Tensor) -> torch.Tensor:
    if shape is Shape.FADE_IN:
        return progress
    if shape is Shape.FADE_OUT:
        return 1.0 - progress
    if shape is Shape.EASE:
        return torch.sin(torch.pi * progress) ** 2
    return torch.ones_like(progress)


def _interpolated(points: tuple[Point, ...], fraction: torch.Tensor) -> torch.Tensor:
    """Join the points by straight lines; before the first and after the last the strength stays."""
    strength = torch.full_like(fraction, points[0].strength)
    for before, after in itertools.pairwise(points):
        way = (fraction - before.fraction) / (after.fraction - before.fraction)
        between = before.strength + way * (after.strength - before.strength)
        strength = torch.where(fraction > before.fraction, between, strength)
    return torch.where(fraction > points[-1].fraction, points[-1].strength, strength)
