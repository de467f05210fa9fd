"""Strength over the noise schedule. Knows torch only.

Fractions count noise level, not steps: ``0`` is the noisiest timestep, 999, and ``1`` the clean picture.
This holds for every sampler, whatever it does between steps, and for img2img and hires passes, which enter
the schedule part way.
"""

from __future__ import annotations

import torch

TIMESTEPS = 1000


class Schedule:
    """Strength at each timestep, looked up on the device without waiting for it."""

    def __init__(self, start: float = 0.0, end: float = 1.0) -> None:
        fraction = 1.0 - torch.arange(TIMESTEPS, dtype=torch.float64) / (TIMESTEPS - 1)
        tolerance = 0.5 / (TIMESTEPS - 1)  # the boundaries themselves belong to the window
        inside = (fraction >= start - tolerance) & (fraction <= end + tolerance)
        self._table = inside.float()
        self.is_constant = bool(inside.all())

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
