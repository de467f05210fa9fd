"""Content removal in CLIP space.

Image and text embeddings share one space, so InstantStyle (https://arxiv.org/abs/2404.02733, section 3.2) subtracts
the embedding of the words that name the content. Two alternatives take the same two vectors.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.embeddings import mean
from lib_instantstyle.params.contents import Content, Removal

if TYPE_CHECKING:
    from collections.abc import Sequence

MASKED_SHARE = 0.2  # of the elements, as in the code of https://arxiv.org/abs/2502.07466
UNRELATED = 0.1  # cosine below which words hardly describe a picture: a rule of thumb for CLIP, not measured


class Resemblance(NamedTuple):
    """Cosine similarity of a picture and one content, before and after removal."""

    content: Content
    before: float
    after: float

    @property
    def is_unrelated(self) -> bool:
        """Whether the words hardly describe the picture."""
        return self.before < UNRELATED

    @property
    def is_flipped(self) -> bool:
        """Whether removal overshot."""
        return self.after < 0.0 <= self.before


class Remover:
    """Removes contents from embeddings.

    With ``n`` contents of weights ``w`` and vectors ``t``, the direction is ``t̄ = Σ w·t / Σ w`` and the amount
    ``s · Σ w / n``. Text vectors share a large common component, and a sum would remove it once per content; with
    the mean, a strength has the same effect however many contents are named.

    Args:
        contents: At least one.
        vectors: ``[contents, d]``, pooled and projected text embeddings, not normalised.
        strength: ``s``, 0 to 2.
        method: One of the formulas below.
    """

    def __init__(self, contents: Sequence[Content], vectors: torch.Tensor, strength: float, method: Removal) -> None:
        self._contents = tuple(contents)
        self._vectors = vectors.float()
        weights = [content.weight for content in contents]
        self._direction = mean([vector.unsqueeze(0) for vector in self._vectors], weights)
        self._amount = strength * sum(weights) / len(weights)
        self._method = method

    def __call__(self, embedding: torch.Tensor) -> torch.Tensor:
        """Return projected image embeddings ``[rows, d]``, not normalised, without the contents, in float32.

        Raises:
            ParameterError: If image and text embeddings differ in width.
        """
        check_space(embedding.shape[-1], self._direction.shape[-1])
        formulas = {Removal.SUBTRACT: subtract, Removal.PROJECT_OUT: project_out, Removal.MASK: mask_out}
        return formulas[self._method](embedding.float(), self._direction, self._amount)

    def resemblances(self, embedding: torch.Tensor) -> list[Resemblance]:
        """Compare ``embedding`` ``[1, d]`` to each content before and after removal."""
        before = F.cosine_similarity(embedding.float(), self._vectors)
        after = F.cosine_similarity(self(embedding), self._vectors)
        return list(map(Resemblance, self._contents, before.tolist(), after.tolist()))


def check_space(picture_width: int, text_width: int) -> None:
    """Raise `ParameterError` if pictures and texts are not embedded in the same space."""
    if picture_width != text_width:
        raise ParameterError(
            "The adapter cannot remove content: choose ip-adapter_sdxl, which is made for the encoder ViT-bigG, or "
            f"empty Content to remove. The picture's embedding has {picture_width} numbers, the text tower's "
            f"{text_width}."
        )


def subtract(embedding: torch.Tensor, direction: torch.Tensor, amount: float) -> torch.Tensor:
    """Return ``e − a·t``, without normalisation (InstantStyle, section 3.2)."""
    return embedding - amount * direction


def project_out(embedding: torch.Tensor, direction: torch.Tensor, amount: float) -> torch.Tensor:
    """Remove the component along ``t`` and restore the length: ``e' = e − a·(e·t̂)t̂``, then ``|e|·e'/|e'|``."""
    unit = F.normalize(direction, dim=-1)
    rest = embedding - amount * (embedding * unit).sum(dim=-1, keepdim=True) * unit
    projected: torch.Tensor = F.normalize(rest, dim=-1) * embedding.norm(dim=-1, keepdim=True)
    return projected


def mask_out(embedding: torch.Tensor, direction: torch.Tensor, amount: float) -> torch.Tensor:
    """Damp the elements most similar to the content (https://arxiv.org/abs/2502.07466).

    ``p = ê ∘ t̂`` sums to the cosine; the fifth of the elements with the largest ``p`` is multiplied by
    ``1 − min(1, a)``, which never changes a sign.
    """
    resemblance = F.normalize(embedding, dim=-1) * F.normalize(direction, dim=-1)
    count = round(MASKED_SHARE * embedding.shape[-1])
    chosen = torch.zeros_like(embedding).scatter(-1, resemblance.topk(count, dim=-1).indices, 1.0)
    return embedding * (1.0 - chosen * min(1.0, amount))
