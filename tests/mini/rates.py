"""Counts over many pictures, with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch

Q95 = 1.96  # of the normal distribution, for intervals of 95 %


class Outcome(NamedTuple):
    """What one picture shows. Each is true or false, or for ``place`` the four numbers to correlate."""

    target: bool
    leak: bool
    figure: bool
    ground: bool
    texture: bool
    outline: bool
    prompted: bool
    place: tuple[float, float, float, float]


@dataclass(frozen=True)
class Rates:
    """Shares over many outcomes.

    Attributes:
        outcomes: One a picture.
    """

    outcomes: tuple[Outcome, ...]

    def __len__(self) -> int:
        return len(self.outcomes)

    def share(self, name: str) -> float:
        """Return how many outcomes have ``name``, 0 to 1."""
        return sum(getattr(outcome, name) for outcome in self.outcomes) / len(self)

    def bounds(self, name: str) -> tuple[float, float]:
        """Return the 95 % Wilson interval of `share`."""
        n, p = len(self), self.share(name)
        middle, scale = p + Q95**2 / (2 * n), 1 + Q95**2 / n
        spread = Q95 * math.sqrt(p * (1 - p) / n + Q95**2 / (4 * n * n))
        return (middle - spread) / scale, (middle + spread) / scale

    @property
    def place(self) -> float:
        """Correlation of where shapes lie with where the reference's lies, mean of both axes."""
        table = torch.tensor([outcome.place for outcome in self.outcomes]).T
        return float(sum(torch.corrcoef(table[[axis, axis + 2]])[0, 1] for axis in (0, 1)) / 2)
