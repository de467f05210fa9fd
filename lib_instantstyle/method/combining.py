"""Means of several references."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence


def mean(vectors: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    """Return ``Σ w·v / Σ w``, in float32.

    Args:
        vectors: Of one shape, ``[1, d]`` embeddings or ``[1, tokens, context]`` image tokens.
        weights: Not negative, not all 0.
    """
    stacked = torch.stack([vector.float() for vector in vectors])
    largest = max(weights)  # only ratios count, and float32 would round the smallest weights to 0
    ratios = torch.tensor([weight / largest for weight in weights], dtype=torch.float32)
    factors = ratios.view(-1, *[1] * (stacked.dim() - 1))
    return (factors * stacked).sum(dim=0) / factors.sum()


def normalised_mean(vectors: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    """Return the weighted mean of the directions, as long as the vectors are on average.

    ``m = Σ w·v/|v|``; the answer is ``m/|m| · Σ w|v| / Σ w``. No reference wins by being long, and the answer
    does not shrink because the references disagree. Lengths are L2 over the last dimension.
    """
    lengths = [vector.float().norm(dim=-1, keepdim=True) for vector in vectors]
    directions = [vector.float() / length.clamp_min(1e-12) for vector, length in zip(vectors, lengths, strict=True)]
    direction = mean(directions, weights)
    unit: torch.Tensor = direction / direction.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return unit * mean(lengths, weights)
