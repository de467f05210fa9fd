"""One run of a self-attention that reads references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from lib_instantstyle.method.self_attention import align, along, attend, beside, in_rows, mix
from lib_instantstyle.self_attention.recorded_pass import own_forward

if TYPE_CHECKING:
    from torch import nn

    from lib_instantstyle.self_attention.records import Records
    from lib_instantstyle.self_attention.reference import Reference, Variant
    from lib_instantstyle.self_attention.sources import AttentionSource, Portion
    from lib_instantstyle.unet.sites import Site

    Variants = tuple[Variant, ...]


class Acting(NamedTuple):
    """A source that acts at a site, for the rows of one run."""

    source: AttentionSource
    weight: float  # at this site and timestep
    portions: tuple[Portion, ...]


class Run:
    """What the rows of one run of a self-attention read.

    Where a single source fully replaces what rows would see, the site's own projections answer with it, and the
    host's attention does the rest (`is_direct`). Otherwise the result is mixed in before the output projection.
    """

    def __init__(self, site: Site, acting: list[Acting], records: Records, references: tuple[Reference, ...]) -> None:
        self._site = site
        self._acting = acting
        self._records = records
        self._references = references
        self._inputs: dict[tuple[int, ...], torch.Tensor] = {}
        self._projected: dict[tuple[str, Variants], torch.Tensor] = {}
        self.own: dict[str, torch.Tensor] = {}  # the picture's own query, key and value, [rows, positions, width]

    def is_direct(self, rows: int, positions: int) -> bool:
        """Whether one source with weight 1 and no region answers for ``rows``, each of which has ``positions``.

        What they read must be of one size then, together with what others keep.
        """
        if len(self._acting) != 1 or self._acting[0].source.region is not None:
            return False
        (acting,) = self._acting
        sizes = {self._positions(self._variants(acting, portion)) for portion in acting.portions}
        if not self.serves(rows):
            sizes |= {0} if self.shares else {positions}
        return len(sizes) == 1 and all(portion.weight * acting.weight == 1.0 for portion in acting.portions)

    def serves(self, rows: int) -> bool:
        """Whether each of ``rows`` reads something of every source."""
        served = (sum(len(_range(portion)) for portion in acting.portions) for acting in self._acting)
        return all(count == rows for count in served)

    @property
    def shares(self) -> bool:
        """Whether any source needs the picture's own keys and values."""
        return any(acting.source.rule.shares for acting in self._acting)

    @property
    def aligns(self) -> bool:
        """Whether any source needs the query changed before the attention."""
        return any(acting.source.rule.shares and acting.source.rule.aligns for acting in self._acting)

    # ---- direct ----

    def inputs(self, role: str, like: torch.Tensor) -> torch.Tensor:
        """Return what the projection of ``role`` is to be given, ``[variants, positions, channels]``."""
        distinct = dict.fromkeys(self._variants(self._acting[0], p) for p in self._acting[0].portions)
        return in_rows([self._input(role, variants, like) for variants in distinct])

    def answer(self, role: str, output: torch.Tensor, *, is_reference: bool) -> torch.Tensor:
        """Return what the projection of ``role`` answers to the host.

        Args:
            role: ``query``, ``key`` or ``value``.
            output: What it put out: for the picture's rows, or for `inputs`.
            is_reference: Whether the latter.
        """
        (acting,) = self._acting
        read = [self._variants(acting, portion) for portion in acting.portions for _ in _range(portion)]
        if is_reference:
            places = {variants: place for place, variants in enumerate(dict.fromkeys(read))}
            return in_rows([output[places[variants]].unsqueeze(0) for variants in read])
        reference = in_rows([self._project(role, variants, output) for variants in read])
        rule = acting.source.rule
        if not rule.shares:
            return self._replaced(output, reference, acting.portions)
        own = align(output, reference) if rule.aligns and role != "value" else output
        return own if role == "query" else beside(own, reference, rule.copies)

    @staticmethod
    def _replaced(output: torch.Tensor, reference: torch.Tensor, portions: tuple[Portion, ...]) -> torch.Tensor:
        """Return ``reference``, whose rows are those of ``portions``, and of ``output`` the rows between them."""
        if len(reference) == len(output):
            return reference
        replaced, start = output.clone(), 0
        for portion in portions:
            end = start + len(_range(portion))
            replaced[portion.rows] = reference[start:end]
            start = end
        return replaced

    # ---- mixed ----

    def mixed(self, plain: torch.Tensor, regions: dict[AttentionSource, torch.Tensor]) -> torch.Tensor:
        """Return ``plain`` ``[rows, positions, width]`` with every source mixed in.

        ``regions`` has the shares ``[1 or cycle, positions, 1]`` of those that have any.
        """
        total = plain.clone()
        for acting in self._acting:
            areas = regions.get(acting.source)
            for portion in acting.portions:
                area = None if areas is None else areas[portion.entry % len(areas)]
                styled = self._styled(acting, portion).to(plain.dtype)
                total[portion.rows] += mix(plain[portion.rows], styled, acting.weight * portion.weight, area)
        return total

    def _styled(self, acting: Acting, portion: Portion) -> torch.Tensor:
        """Return the attention of the rows of ``portion`` to what they read."""
        rule, variants = acting.source.rule, self._variants(acting, portion)
        query = self.own["query"][portion.rows]
        key, value = (self._project(role, variants, query).expand(len(query), -1, -1) for role in ("key", "value"))
        if rule.shares:
            own_key, own_value = self.own["key"][portion.rows], self.own["value"][portion.rows]
            if rule.aligns:
                query = align(query, self._project("query", variants, query))
                own_key = align(own_key, key)
            key, value = beside(own_key, key, rule.copies), beside(own_value, value, rule.copies)
        return attend(query, key.to(query.dtype), value.to(query.dtype), self._site.heads)

    # ---- the references' side ----

    def _variants(self, acting: Acting, portion: Portion) -> Variants:
        entry = acting.source.cycle[portion.entry]
        return tuple(self._references[i].variant(i, conditional=portion.conditional) for i in entry)

    def _positions(self, variants: Variants) -> int:
        return sum(self._records.inputs[self._site.adapter_id, variant].key.shape[1] for variant in variants)

    def _input(self, role: str, variants: Variants, like: torch.Tensor) -> torch.Tensor:
        """Return what was recorded of ``variants``, one after the other along the positions."""
        found = [getattr(self._records.inputs[self._site.adapter_id, variant], role) for variant in variants]
        known = tuple(map(id, found))
        if known not in self._inputs:  # records may lie on the CPU, and keys and values share them
            self._inputs[known] = along([tensor.to(like.device, non_blocking=True) for tensor in found])
        return self._inputs[known]

    def _project(self, role: str, variants: Variants, like: torch.Tensor) -> torch.Tensor:
        """Return query, key or value of ``variants``, ``[1, positions, width]``, computed once a run."""
        if (role, variants) not in self._projected:
            module: nn.Module = projection(self._site.attention, role)
            self._projected[role, variants] = own_forward(module, self._input(role, variants, like))
        return self._projected[role, variants]


def projection(attention: Any, role: str) -> nn.Module:
    """Return ``to_q``, ``to_k`` or ``to_v`` by the role of what it puts out."""
    module: nn.Module = getattr(attention, f"to_{role[0]}")
    return module


def _range(portion: Portion) -> range:
    return range(portion.rows.start, portion.rows.stop)
