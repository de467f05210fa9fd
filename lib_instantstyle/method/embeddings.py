"""What the encoder saw of a job's pictures, and their averages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_instantstyle.method.combining import mean, normalised_mean
from lib_instantstyle.params.combination import Combine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch

    from lib_instantstyle.params.style_params import StyleParams


@dataclass(frozen=True)
class Embeddings:
    """What the encoder saw, of each picture ``[tiles, …]`` as the adapter's kind reads it.

    Attributes:
        style: Of the style references, at least one.
        nothing: Of "no picture".
        layout, negative, subject: Of the other pictures, where given.
    """

    style: tuple[torch.Tensor, ...]
    nothing: torch.Tensor
    layout: torch.Tensor | None = None
    negative: torch.Tensor | None = None
    subject: torch.Tensor | None = None


def mean_embedding(params: StyleParams, embeddings: Embeddings, indices: Sequence[int] | None = None) -> torch.Tensor:
    """Return the average ``[1, d]`` of the style references of a linear adapter, before removal.

    Args:
        params: Say how to average.
        embeddings: Of the references.
        indices: Which of them; all by default.
    """
    weights = params.reference_weights(len(embeddings.style))
    chosen = range(len(weights)) if indices is None else indices
    vectors = [over_tiles(embeddings.style[index]) for index in chosen]
    return averaging(params)(vectors, [weights[index] for index in chosen])


def averaging(params: StyleParams) -> Callable[[Sequence[torch.Tensor], Sequence[float]], torch.Tensor]:
    """Return the function that averages references as ``params`` wish."""
    return normalised_mean if params.combine is Combine.NORMALISED_MEAN else mean


def over_tiles(embedding: torch.Tensor) -> torch.Tensor:
    """Return the mean ``[1, d]`` over the tiles of one picture."""
    return embedding.float().mean(dim=0, keepdim=True)
