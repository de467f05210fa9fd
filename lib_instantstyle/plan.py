"""What is injected where: block weights × sites × adapter × tokens → one image term a site. Knows torch only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F

from lib_instantstyle.attention import split_heads
from lib_instantstyle.errors import AdapterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lib_instantstyle.blocks import Block, Site
    from lib_instantstyle.checkpoint import Adapter


class PlannedSite(NamedTuple):
    """A cross-attention that takes part, and how strongly."""

    site: Site
    weight: float


class ImageTokens(NamedTuple):
    """Image tokens of the conditional and the unconditional rows, ``[1, tokens, context]`` each."""

    conditional: torch.Tensor
    unconditional: torch.Tensor


@dataclass(frozen=True)
class ImageTerm:
    """The constant part of one site's image attention.

    Attributes:
        site: Where it is added.
        key: ``[2, heads, tokens, d]``: unconditional, conditional.
        value: The same shape, multiplied by the site's weight.
    """

    site: Site
    key: torch.Tensor
    value: torch.Tensor


def make_plan(weights: Mapping[Block, float], sites: Sequence[Site]) -> tuple[PlannedSite, ...]:
    """Return the sites of the blocks in ``weights``; a site with weight 0 takes no part at all."""
    return tuple(PlannedSite(site, weights[site.block]) for site in sites if weights.get(site.block, 0.0) != 0.0)


@torch.no_grad()
def image_terms(plan: Sequence[PlannedSite], adapter: Adapter, tokens: ImageTokens) -> tuple[ImageTerm, ...]:
    """Compute ``K' = c W_k`` and ``V' = w · c W_v`` of every planned site.

    They depend on neither latent nor step, so this happens once a job, in float32 on the CPU, and only the
    planned sites' matrices are read from the adapter.

    Raises:
        AdapterError: If the adapter's numbers are not finite.
    """
    both = torch.cat((tokens.unconditional, tokens.conditional)).float()  # (2, tokens, context)
    if not torch.isfinite(both).all():
        raise AdapterError(f"{adapter.path.name} makes tokens with NaN or infinity. Download the adapter again.")
    matrices = adapter.read_matrices(planned.site.adapter_id for planned in plan)
    return tuple(_image_term(planned, both, *matrices[planned.site.adapter_id], adapter.path.name) for planned in plan)


def _image_term(
    planned: PlannedSite, tokens: torch.Tensor, key_matrix: torch.Tensor, value_matrix: torch.Tensor, source: str
) -> ImageTerm:
    site, weight = planned
    key = split_heads(F.linear(tokens, key_matrix.float()), site.heads)
    value = split_heads(F.linear(tokens, value_matrix.float()) * weight, site.heads)
    if not (torch.isfinite(key).all() and torch.isfinite(value).all()):
        raise AdapterError(
            f"{source} holds NaN or infinity in the matrices of {site.name} (id {site.adapter_id}). "
            "Download the adapter again."
        )
    return ImageTerm(site, key.contiguous(), value.contiguous())
