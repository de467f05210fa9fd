"""The plan of a style: sources of image tokens × sites × adapter → image terms."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F

from lib_instantstyle.errors import AdapterError, ParameterError, UnsupportedModelError
from lib_instantstyle.method.attention import split_heads
from lib_instantstyle.method.memo import TensorMemo, digest
from lib_instantstyle.params.block_weights import SiteName, weight_at
from lib_instantstyle.unet.rows import picture_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lib_instantstyle.models.adapter import Adapter
    from lib_instantstyle.params.block_weights import Target
    from lib_instantstyle.unet.rows import Row
    from lib_instantstyle.unet.sites import Site


class PlannedSite(NamedTuple):
    """A cross-attention that gets an image term, and the term's weight."""

    site: Site
    weight: float


@dataclass(frozen=True, eq=False)
class Source:
    """Image tokens, and where and how strongly they act.

    Each of ``cycle`` references has two *variants*, one for unconditional and one for conditional rows; the
    pictures of a batch take the references in turn.
    """

    weights: Mapping[Target, float]  # strength by block or single site
    conditional: torch.Tensor  # [cycle, tokens, context]
    unconditional: torch.Tensor  # [cycle, tokens, context]
    factors: tuple[float, ...] = (1.0, 1.0)  # strength of each variant, 2 · cycle: unconditional, conditional, …
    token_factors: tuple[float, ...] | None = None  # scale of each token's value; None is 1 throughout
    region: torch.Tensor | None = None  # [1 or cycle, h, w] in 0…1, where it acts; None is everywhere
    is_style: bool = True  # whether `ScheduledTerms.prompt_colours` applies to it

    @functools.cached_property
    def tokens(self) -> torch.Tensor:
        """All variants, ``[2 · cycle, tokens, context]``, float32."""
        return torch.stack((self.unconditional, self.conditional), dim=1).flatten(0, 1).float()

    @functools.cached_property
    def digest(self) -> str:
        """A hash of `tokens`."""
        return digest(self.tokens)


@dataclass(frozen=True)
class ImageTerm:
    """The constant part of one source's image attention at one site."""

    site: Site
    key: torch.Tensor  # [variants, heads, tokens, d]
    value: torch.Tensor  # the same shape
    weight: torch.Tensor  # [variants], the strength at this site
    region: torch.Tensor | None = None  # as in `Source`
    is_style: bool = True

    def variants(self, rows: Sequence[Row]) -> list[int]:
        """Return the variant that serves each row."""
        cycle = self.key.shape[0] // 2
        return [2 * (picture_of(row) % cycle if cycle > 1 else 0) + int(row.conditional) for row in rows]


def make_plan(weights: Mapping[Target, float], sites: Sequence[Site]) -> tuple[PlannedSite, ...]:
    """Return the sites that ``weights`` names, without those of weight 0.

    Raises:
        ParameterError: If a single site is named that the UNet does not have.
    """
    check_site_names(weights, sites)
    weighed = ((site, weight_at(weights, site.block, site.depth)) for site in sites)
    return tuple(PlannedSite(site, weight) for site, weight in weighed if weight != 0.0)


def check_site_names(weights: Iterable[Target], sites: Sequence[Site]) -> None:
    """Raise `ParameterError` if ``weights`` names a single site that is not among ``sites``."""
    known = {SiteName(site.block, site.depth) for site in sites}
    for target in weights:
        if isinstance(target, SiteName) and target not in known:
            depth = sum(site.block is target.block for site in sites)
            raise ParameterError(
                f"Custom block weights (blocks) name {target.name}, but this block has the layers 0 to {depth - 1}."
            )


def check_fits(adapter: Adapter, sites: Sequence[Site]) -> None:
    """Raise `UnsupportedModelError` if site count, widths or context width are not those of ``adapter``."""
    others = {width for site in sites if (width := site.context_width) not in (None, adapter.context_width)}
    if others:
        raise UnsupportedModelError(
            f"{adapter.path.name} makes tokens {adapter.context_width} wide; the loaded checkpoint reads "
            f"{', '.join(map(str, sorted(others)))}. Choose an adapter made for this model family."
        )
    if dict(adapter.widths) != {site.adapter_id: site.width for site in sites}:
        raise UnsupportedModelError(
            f"{adapter.path.name} has {len(adapter.widths)} cross-attention sites, the loaded checkpoint {len(sites)}, "
            "or their widths differ. Choose an adapter made for this model family."
        )


@torch.no_grad()
def image_terms(
    sources: Sequence[Source], sites: Sequence[Site], adapter: Adapter, memo: TensorMemo | None = None
) -> tuple[ImageTerm, ...]:
    """Compute ``K' = c W_k`` and ``V' = c W_v`` of every source at every site where it acts.

    They depend on neither latent nor step, so they are computed once per job, in float32 on the CPU. The adapter is
    read only for sites that are planned and not in ``memo``.

    Raises:
        AdapterError: If a key or value is not finite.
        ParameterError: If weights name a site that is not there.
    """
    acting = [(source, planned) for source in sources for planned in make_plan(source.weights, sites)]
    pairs = _Pairs(adapter, TensorMemo() if memo is None else memo)
    pairs.complete((source, planned.site) for source, planned in acting)
    return tuple(_image_term(source, planned, *pairs.known[source, planned.site]) for source, planned in acting)


class _Pairs:
    """``K'`` and ``V'`` by source and site, from ``memo`` or computed."""

    def __init__(self, adapter: Adapter, memo: TensorMemo) -> None:
        self.known: dict[tuple[Source, Site], tuple[torch.Tensor, ...]] = {}
        self._adapter = adapter
        self._fingerprint = adapter.fingerprint
        self._memo = memo

    def complete(self, wanted: Iterable[tuple[Source, Site]]) -> None:
        """Fill `known` for all of ``wanted``, reading each missing site's matrices once."""
        missing: dict[int, list[tuple[Source, Site]]] = {}
        for source, site in wanted:
            pair = self._memo.get(self._key(source, site))
            if pair is None:
                missing.setdefault(site.adapter_id, []).append((source, site))
            else:
                self.known[source, site] = pair
        for number, matrices in self._adapter.read_matrices(missing):
            wide = [matrix.float() for matrix in matrices]
            for source, site in missing[number]:
                self.known[source, site] = self._computed(source, site, wide)

    def _computed(self, source: Source, site: Site, matrices: Iterable[torch.Tensor]) -> tuple[torch.Tensor, ...]:
        pair = tuple(split_heads(_projected(source.tokens, matrix), site.heads).contiguous() for matrix in matrices)
        if not all(torch.isfinite(tensor).all() for tensor in pair):
            raise AdapterError(
                f"{self._adapter.path.name} gives NaN or infinity at {site.name} (id {site.adapter_id}). "
                "Download the adapter again."
            )
        self._memo.put(self._key(source, site), *pair)
        return pair

    def _key(self, source: Source, site: Site) -> tuple[object, ...]:
        return ("keys and values", self._fingerprint, source.digest, site.adapter_id, site.heads)


def _projected(tokens: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Project variant by variant: matrix products round by their size, and other references must change no bit."""
    return torch.stack([F.linear(variant, matrix) for variant in tokens])


def _image_term(source: Source, planned: PlannedSite, key: torch.Tensor, value: torch.Tensor) -> ImageTerm:
    if source.token_factors is not None:
        value = value * torch.tensor(source.token_factors).unsqueeze(-1)
    weight = planned.weight * torch.tensor(source.factors)
    return ImageTerm(planned.site, key, value, weight, source.region, source.is_style)
