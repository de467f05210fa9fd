"""Strength over the noise schedule.

Fractions measure the noise level, not steps: 0 is the noisiest timestep, 999, and 1 the clean picture. They mean the
same for every sampler, and for img2img and hires passes, which start part way.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Generic, TypeVar

import torch

from lib_instantstyle.params.curve import Curve, Point, Shape

if TYPE_CHECKING:
    from collections.abc import Collection

    from lib_instantstyle.params.style_params import StyleParams

TIMESTEPS = 1000
Key = TypeVar("Key")


class Schedule:
    """A table of strengths by timestep, read on the device without synchronisation.

    Args:
        start, end: The window outside of which the strength is 0.
        curve: A shape, which spans the window, or points at fractions of the whole schedule.
    """

    def __init__(self, start: float = 0.0, end: float = 1.0, curve: Curve = Shape.CONSTANT) -> None:
        fraction = 1.0 - torch.arange(TIMESTEPS, dtype=torch.float64) / (TIMESTEPS - 1)
        tolerance = 0.5 / (TIMESTEPS - 1)  # the window includes its boundaries
        inside = (fraction >= start - tolerance) & (fraction <= end + tolerance)
        progress = ((fraction - start) / (end - start)).clamp(0.0, 1.0)
        strength = _shaped(curve, progress) if isinstance(curve, Shape) else _interpolated(curve, fraction)
        self._table = (inside * strength).float()
        self._known: list[float] = self._table.tolist()
        self.is_constant = bool((self._table == 1.0).all())

    @classmethod
    def of_pass(cls, params: StyleParams, *, hires: bool) -> Schedule:
        """Return the schedule of the first pass or of the hires pass."""
        if hires and params.has_hires_schedule:
            return cls(params.hires_start, params.hires_end, params.parsed_hires_curve)
        return cls(params.start, params.end, params.parsed_curve)

    @property
    def acts(self) -> bool:
        """Whether the strength is above 0 anywhere."""
        return any(self._known)

    def strength(self, timesteps: torch.Tensor) -> torch.Tensor:
        """Return the strength ``[rows, 1, 1]`` at the timesteps ``[rows]``, in float32 and on their device.

        Timesteps go from 0 to 999 and are rounded, as samplers interpolate between them.
        """
        if self._table.device != timesteps.device:
            self._table = self._table.to(timesteps.device)
        index = timesteps.round().long().clamp(0, TIMESTEPS - 1)
        return self._table[index].view(-1, 1, 1)

    def at(self, timestep: float) -> float:
        """Return the strength at one timestep, without the device."""
        return self._known[min(max(round(timestep), 0), TIMESTEPS - 1)]

    def sampled(self, count: int) -> list[float]:
        """Return ``count`` strengths from pure noise to the clean picture, for drawing."""
        places = torch.linspace(TIMESTEPS - 1, 0, count)
        strengths: list[float] = self.strength(places).flatten().tolist()
        return strengths


class StrengthWatch(Generic[Key]):
    """Whether schedules had a strength at any of the timesteps that a pass went through.

    Known after the pass only: a window may fall between the sampler's steps. Nothing waits for the device before that.
    """

    def __init__(self) -> None:
        self._watched: dict[Key, Collection[Schedule]] = {}
        self._greatest: dict[Key, torch.Tensor] = {}

    def watch(self, key: Key, schedules: Collection[Schedule]) -> None:
        """Watch whether any of ``schedules`` acts, as far as that is not sure."""
        if not any(schedule.is_constant for schedule in schedules):
            self._watched[key] = schedules

    def note(self, timesteps: torch.Tensor) -> None:
        """Take in the timesteps of one call."""
        for key, schedules in self._watched.items():
            for schedule in schedules:
                strength = schedule.strength(timesteps).max()
                self._greatest[key] = torch.maximum(self._greatest.get(key, strength), strength)

    def missed(self) -> list[Key]:
        """Return the keys whose schedules were all 0 whenever there was a call."""
        return [key for key, greatest in self._greatest.items() if not greatest]


def _shaped(shape: Shape, progress: torch.Tensor) -> torch.Tensor:
    if shape is Shape.FADE_IN:
        return progress
    if shape is Shape.FADE_OUT:
        return 1.0 - progress
    if shape is Shape.EASE:
        return torch.sin(torch.pi * progress) ** 2
    return torch.ones_like(progress)


def _interpolated(points: tuple[Point, ...], fraction: torch.Tensor) -> torch.Tensor:
    """Interpolate linearly between the points; the strength is constant before the first and after the last."""
    strength = torch.full_like(fraction, points[0].strength)
    for before, after in itertools.pairwise(points):
        way = (fraction - before.fraction) / (after.fraction - before.fraction)
        between = before.strength + way * (after.strength - before.strength)
        strength = torch.where(fraction > before.fraction, between, strength)
    return torch.where(fraction > points[-1].fraction, points[-1].strength, strength)
