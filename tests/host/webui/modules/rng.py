"""Noise that depends on the seed of each picture alone, drawn on the CPU."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from modules import devices

_LATENT_SCALE = 8


class ImageRNG:
    """One generator for each picture of a batch."""

    def __init__(self, shape: tuple[int, ...], seeds: Sequence[int]) -> None:
        self.shape = shape
        self.generators = [torch.Generator("cpu").manual_seed(int(seed)) for seed in seeds]

    def first(self) -> torch.Tensor:
        """Return the noise that sampling starts from."""
        return self._draw(self.shape)

    def next(self) -> torch.Tensor:
        """Return the next noise, which stochastic samplers add."""
        return self._draw(self.shape)

    def _draw(self, shape: tuple[int, ...]) -> torch.Tensor:
        noise = [torch.randn(shape, generator=generator) for generator in self.generators]
        return torch.stack(noise).to(devices.device)


def latent_shape(width: int, height: int, channels: int = 4) -> tuple[int, int, int]:
    return channels, height // _LATENT_SCALE, width // _LATENT_SCALE
