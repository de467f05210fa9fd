"""A reference as the UNet is to see it: its latent, its noise, and its conditioning."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import torch

from lib_instantstyle.method.latents import fixed_noise
from lib_instantstyle.method.memo import digest
from lib_instantstyle.method.statistics import PIXELS, Statistics, statistics


class Conditioning(NamedTuple):
    """What the UNet is given of a text and a size."""

    context: torch.Tensor  # [1, tokens, context]
    vector: torch.Tensor | None = None  # [1, pooled and sizes]


class Variant(NamedTuple):
    """One row of the pass on references."""

    reference: int  # by its index
    unconditional: bool = False  # whether with the conditioning for unconditional rows, where that differs


@dataclass(frozen=True, eq=False)
class Reference:
    """One picture that self-attentions read.

    Attributes:
        sha256: Hash of the picture, which seeds its noise.
        latent: The clean latent ``[1, channels, h, w]``, in the scale of the UNet's; see `reference_size`.
        conditional: What its pass is conditioned on for conditional rows.
        unconditional: The same for unconditional ones; None if it does not differ, and one pass serves both.
    """

    sha256: str
    latent: torch.Tensor
    conditional: Conditioning
    unconditional: Conditioning | None = None

    @property
    def conditionings(self) -> tuple[Conditioning, ...]:
        """One for each row of its pass: for conditional rows, and for unconditional ones if that differs."""
        return (self.conditional,) if self.unconditional is None else (self.conditional, self.unconditional)

    def variant(self, index: int, *, conditional: bool) -> Variant:
        """Return what a row reads of it; ``index`` is its own."""
        return Variant(index, self.unconditional is not None and not conditional)

    @functools.cached_property
    def noise(self) -> torch.Tensor:
        """The one noise ``[1, channels, h, w]`` of all its passes."""
        return fixed_noise(self.sha256, self.latent.shape)

    @functools.cached_property
    def colours(self) -> Statistics:
        """Statistics of the latent's channels, for `method.statistics.calibrate`."""
        return statistics(self.latent, PIXELS)

    @functools.cached_property
    def digest(self) -> str:
        """A hash of everything that its pass depends on, besides the model and the timestep."""
        tensors = [self.latent, *(tensor for texts in self.conditionings for tensor in texts if tensor is not None)]
        return "/".join([self.sha256, *(digest(tensor.cpu()) for tensor in tensors)])
