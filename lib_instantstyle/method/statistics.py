"""Mean and deviation of channels, and AdaIN, which exchanges them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

_EPSILON = 1e-5  # added to the variance, as in the code of https://arxiv.org/abs/2312.02133
POSITIONS = (1,)  # of [rows, positions, channels]
PIXELS = (2, 3)  # of [rows, channels, height, width]


class Statistics(NamedTuple):
    """Mean and standard deviation of each channel of each row; the dimensions they were taken over have size 1."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def row(self, index: int) -> Statistics:
        """Return those of one row."""
        return Statistics(self.mean[index : index + 1], self.deviation[index : index + 1])

    def to(self, other: torch.Tensor) -> Statistics:
        """Return them on the device of ``other``."""
        return Statistics(*(tensor.to(other.device, non_blocking=True) for tensor in self))


def statistics(values: torch.Tensor, dims: tuple[int, ...]) -> Statistics:
    """Take the mean and the unbiased deviation ``√(var + ε)`` over ``dims``, in float32 at least.

    A single value does not vary: its deviation is ``√ε``.
    """
    wide = values.to(torch.promote_types(values.dtype, torch.float32))
    count = math.prod(values.shape[dim] for dim in dims)
    variance, mean = torch.var_mean(wide, dim=dims, correction=min(1, count - 1), keepdim=True)
    return Statistics(mean, (variance + _EPSILON).sqrt())


def mean_statistics(several: Sequence[Statistics], weights: Sequence[float]) -> Statistics:
    """Return the weighted means ``Σ w·μ / Σ w`` and ``Σ w·σ / Σ w``; the weights are not all 0."""
    shares = [weight / sum(weights) for weight in weights]
    mean = torch.stack([share * one.mean for share, one in zip(shares, several, strict=True)]).sum(dim=0)
    deviation = torch.stack([share * one.deviation for share, one in zip(shares, several, strict=True)]).sum(dim=0)
    return Statistics(mean, deviation)


def adain(
    values: torch.Tensor, target: Statistics, dims: tuple[int, ...], amount: float | torch.Tensor = 1.0
) -> torch.Tensor:
    """Bring each channel of each row to the statistics of ``target`` (https://arxiv.org/abs/1703.06868, equation 8).

    With the amount ``a`` it is ``x + a·(σ(r)·(x − μ(x))/σ(x) + μ(r) − x)``.

    Args:
        values: ``x``, such as ``[rows, positions, channels]``.
        target: Of ``r``, over the same ``dims``; one row, or one for each of ``values``.
        dims: What the statistics are taken over: `POSITIONS` or `PIXELS`.
        amount: 0 to 1; or a tensor that broadcasts to ``values``.
    """
    own = statistics(values, dims)
    aligned = (values - own.mean) / own.deviation * target.deviation + target.mean
    if not (isinstance(amount, float) and amount == 1.0):
        aligned = values + amount * (aligned - values)
    return aligned.to(values.dtype)


def calibrate(denoised: torch.Tensor, reference: Statistics, amount: float | torch.Tensor = 1.0) -> torch.Tensor:
    """Bring the colours of a denoised latent to the reference's: AdaIN of its channels over all pixels.

    Visual Style Prompting (https://arxiv.org/abs/2402.12974) does so in a few late steps, where VAE latents, whose
    channels carry colours, no longer change their shapes.

    Args:
        denoised: The predicted ``x₀`` ``[rows, channels, h, w]``.
        reference: `statistics` over `PIXELS` of the reference's clean latent, of any size.
        amount: As in `adain`.
    """
    return adain(denoised, reference.to(denoised), PIXELS, amount)
