"""The embeddings of a job's pictures, and weighted means of embeddings or image tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.params.combination import Combine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lib_instantstyle.params.style_params import StyleParams


@dataclass(frozen=True)
class Embeddings:
    """The encoder's output for each picture, ``[tiles, d]``; for Plus adapters ``[tiles, patches + 1, d]``."""

    style: tuple[torch.Tensor, ...]  # one per style reference, at least one
    nothing: torch.Tensor  # the unconditional embedding
    layout: torch.Tensor | None = None
    negative: torch.Tensor | None = None
    subject: torch.Tensor | None = None

    @property
    def roles(self) -> frozenset[str]:
        """Which of "layout" and "negative" there is an embedding for."""
        return frozenset(role for role in ("layout", "negative") if getattr(self, role) is not None)


def mean_embedding(params: StyleParams, embeddings: Embeddings, indices: Sequence[int] | None = None) -> torch.Tensor:
    """Return the mean ``[1, d]`` of the style references at ``indices``, or of all, for a linear adapter."""
    weights = params.reference_weights(len(embeddings.style))
    chosen = range(len(weights)) if indices is None else indices
    vectors = [over_tiles(embeddings.style[index]) for index in chosen]
    return averaging(params)(vectors, [weights[index] for index in chosen])


def averaging(params: StyleParams) -> Callable[[Sequence[torch.Tensor], Sequence[float]], torch.Tensor]:
    """Return the function that averages references: `mean` or `normalised_mean`."""
    return normalised_mean if params.combine is Combine.NORMALISED_MEAN else mean


def over_tiles(embedding: torch.Tensor) -> torch.Tensor:
    """Return the mean ``[1, d]`` over the tiles of one picture."""
    return embedding.float().mean(dim=0, keepdim=True)


def mean(vectors: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    """Return ``Σ w·v / Σ w``, in float32.

    Args:
        vectors: Embeddings ``[1, d]`` or image tokens ``[1, tokens, context]``.
        weights: Not negative, not all 0.
    """
    stacked = torch.stack([vector.float() for vector in vectors])
    largest = max(weights)  # only ratios count, and float32 would round the smallest weights to 0
    ratios = torch.tensor([weight / largest for weight in weights], dtype=torch.float32)
    factors = ratios.view(-1, *[1] * (stacked.dim() - 1))
    return (factors * stacked).sum(dim=0) / factors.sum()


def normalised_mean(vectors: Sequence[torch.Tensor], weights: Sequence[float]) -> torch.Tensor:
    """Return the weighted mean of the directions, scaled to the weighted mean of the lengths.

    With ``m = Σ w·v/|v|`` it is ``m/|m| · Σ w|v| / Σ w``, where ``|·|`` is the L2 norm over the last dimension. Long
    vectors do not dominate, and the result does not shrink when the references disagree.
    """
    lengths = [vector.float().norm(dim=-1, keepdim=True) for vector in vectors]
    directions = [vector.float() / length.clamp_min(1e-12) for vector, length in zip(vectors, lengths, strict=True)]
    direction = mean(directions, weights)
    unit: torch.Tensor = direction / direction.norm(dim=-1, keepdim=True).clamp_min(1e-12)
    return unit * mean(lengths, weights)
