"""Colour calibration: bringing the colours of denoised latents to those of references."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.method.statistics import Statistics, calibrate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lib_instantstyle.method.schedule import Schedule


@dataclass(frozen=True)
class Calibration:
    """What the pictures of a batch are brought to, and how much.

    Attributes:
        colours: Statistics of references' latents, which the pictures take in turn.
        amount: 0 to 1.
        schedule: Strength over the noise schedule.
        pictures: Those of the job that it acts on; None is all.
    """

    colours: tuple[Statistics, ...]
    amount: float
    schedule: Schedule
    pictures: frozenset[int] | None = None

    def apply(self, denoised: torch.Tensor, timestep: float, pictures: Sequence[int]) -> torch.Tensor:
        """Return clean latents ``[pictures, channels, h, w]`` at ``timestep`` with calibrated colours."""
        strength = self.amount * self.schedule.at(timestep)
        if not strength:
            return denoised
        wanted = [self.colours[picture % len(self.colours)] for picture in pictures]
        target = Statistics(*(torch.cat(parts) for parts in zip(*wanted, strict=True)))
        amounts = [strength * (self.pictures is None or picture in self.pictures) for picture in pictures]
        return calibrate(denoised, target, torch.tensor(amounts).view(-1, 1, 1, 1).to(denoised))
