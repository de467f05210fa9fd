"""Several references become one style, or several. Knows torch only."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.controls import quoted
from lib_instantstyle.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIMIT = 3.0


class Combine(str, Enum):
    """How references act together. The value is the label that users see."""

    MEAN = "Mean"
    NORMALISED_MEAN = "Normalised mean"
    CONCATENATE = "Concatenate"
    ADD = "Add"
    PER_PICTURE = "One per picture"

    @property
    def is_mean(self) -> bool:
        """Whether the references blend into one."""
        return self in (Combine.MEAN, Combine.NORMALISED_MEAN)


def parse_weights(text: str, count: int) -> list[float]:
    """Read up to ``count`` weights, separated by commas; those left out are 1.

    Raises:
        ParameterError: If there are more, if one is no number from 0 to 3, or if all are 0.
    """
    inner = text.strip(" []").rstrip(" ,")
    parts = [part.strip() for part in inner.split(",")] if inner else []
    if len(parts) > count:
        raise ParameterError(
            f"Reference weights (weights): {len(parts)} weights for {count} references. Leave the superfluous ones out."
        )
    weights = [_parse_weight(part) for part in parts] + [1.0] * (count - len(parts))
    if weights and not any(weights):
        raise ParameterError("Reference weights (weights) are all 0. Give one reference a weight, or switch off.")
    return weights


def _parse_weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        raise ParameterError(f"Reference weights (weights): {quoted(text)} is not a number. Write '1, 0.5'.") from None
    if not 0.0 <= weight <= _LIMIT:
        raise ParameterError(f"Reference weights (weights): {text} is outside 0 to {_LIMIT:g}.")
    return weight


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
