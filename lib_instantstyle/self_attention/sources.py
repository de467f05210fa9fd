"""What acts of the references, and where: sources of self-attentions and blocks, and the rows that they serve."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import torch

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.combination import Combine
from lib_instantstyle.params.self_attention import SWAP, Rule
from lib_instantstyle.pictures.regions import area_of, partition
from lib_instantstyle.unet.rows import picture_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lib_instantstyle.params.block_weights import Target
    from lib_instantstyle.params.blocks import Block
    from lib_instantstyle.pictures.regions import Mask
    from lib_instantstyle.unet.rows import Row

_MAX_LAYOUTS = 16  # of rows, whose portions are remembered; a job rarely sees more than three


class Portion(NamedTuple):
    """Adjoining rows of a call that read the same of the references, with the same strength."""

    rows: slice
    entry: int  # of the source's cycle
    conditional: bool
    weight: float


@dataclass(frozen=True, eq=False)
class ReferenceSource:
    """References, and how strongly they act on which rows.

    Attributes:
        cycle: Entries that the pictures of a batch take in turn; each names the references that are read together.
        factors: Strength of each entry.
        rule: How they are read.
        schedule: Strength over the noise schedule.
        pictures: Those of the job that are styled; None is all.
    """

    cycle: tuple[tuple[int, ...], ...]
    factors: tuple[float, ...]
    rule: Rule = SWAP
    schedule: Schedule = field(default_factory=Schedule)
    pictures: frozenset[int] | None = None
    _known: dict[tuple[Row, ...], tuple[Portion, ...]] = field(default_factory=dict, init=False, repr=False)

    @property
    def references(self) -> frozenset[int]:
        """The indices of those that act."""
        acting = [entry for entry, factor in zip(self.cycle, self.factors, strict=True) if factor]
        return frozenset(itertools.chain.from_iterable(acting))

    def portions(self, rows: tuple[Row, ...]) -> tuple[Portion, ...]:
        """Divide ``rows`` by what they read; rows that read nothing are left out."""
        if rows not in self._known:
            if len(self._known) >= _MAX_LAYOUTS:
                self._known.clear()
            self._known[rows] = tuple(self._divided(rows))
        return self._known[rows]

    def _divided(self, rows: tuple[Row, ...]) -> list[Portion]:
        portions, start = [], 0
        for (entry, conditional, weight), group in itertools.groupby(map(self._reads, rows)):
            end = start + len(list(group))
            portions.append(Portion(slice(start, end), entry, conditional, weight))
            start = end
        return [portion for portion in portions if portion.weight]

    def _reads(self, row: Row) -> tuple[int, bool, float]:
        entry = picture_of(row) % len(self.cycle) if len(self.cycle) > 1 else 0
        weight = self.factors[entry] * (1.0 if row.conditional else 1.0 - self.rule.push)
        if self.pictures is not None and picture_of(row) not in self.pictures:
            weight = 0.0
        return entry, row.conditional, weight


@dataclass(frozen=True, eq=False)
class AttentionSource(ReferenceSource):
    """References that self-attentions read.

    Attributes:
        weights: Strength by block or single self-attention.
        region: Where they act, ``[1 or cycle, h, w]`` in 0…1; None is everywhere.
    """

    weights: Mapping[Target, float] = field(default_factory=dict)
    region: torch.Tensor | None = None


@dataclass(frozen=True, eq=False)
class BlockSource(ReferenceSource):
    """References whose statistics blocks take over: channel means and deviations of all that a block puts out.

    It carries composition (``reference_adain`` of sd-webui-controlnet). Of references in one entry the statistics are
    averaged; ``rule`` counts for its push only.

    Attributes:
        weights: Strength by block.
    """

    weights: Mapping[Block, float] = field(default_factory=dict)


AnySource = TypeVar("AnySource", bound=ReferenceSource)


def shifted(source: AnySource, first: int) -> AnySource:
    """Return ``source`` with the indices of its references counted from ``first``."""
    return replace(source, cycle=tuple(tuple(index + first for index in entry) for entry in source.cycle))


class Wish(NamedTuple):
    """The settings that all sources of one style share."""

    targets: Mapping[Target, float]
    schedule: Schedule
    rule: Rule = SWAP
    pictures: frozenset[int] | None = None


def attention_sources(
    wish: Wish, weights: Sequence[float], combine: Combine = Combine.MEAN, masks: Mapping[int, Mask] | None = None
) -> list[AttentionSource]:
    """Return the sources of references with ``weights``, combined as the adapter's are.

    A mean mixes what the references give one by one; where they are concatenated, every position of the picture
    attends to all of them at once. References with a mask act in their own areas, the others in the rest.

    Raises:
        ParameterError: If concatenated references have different weights, which attention cannot give them.
    """
    masks = masks or {}
    if combine is Combine.PER_PICTURE:
        region = torch.stack([area_of(masks.get(index)) for index in range(len(weights))]) if masks else None
        return [_source(wish, [((index,), weight) for index, weight in enumerate(weights)], region)]
    areas, rest = partition({index: mask for index, mask in masks.items() if weights[index]}, len(weights))
    masked = [
        _source(wish, [((index,), weights[index])], area.unsqueeze(0))
        for index, area in enumerate(areas)
        if area is not None
    ]
    free = [index for index, area in enumerate(areas) if area is None and weights[index]]
    if not free or (rest is not None and not rest.any()):
        return masked
    region = None if rest is None else rest.unsqueeze(0)
    return masked + [_source(wish, [entry], region) for entry in _combined(free, weights, combine)]


def check_concatenation(combine: Combine, weights: Sequence[float]) -> None:
    """Refuse different ``weights``, as in `attention_sources`; references of weight 0 do not count."""
    if combine is Combine.CONCATENATE and len({weight for weight in weights if weight}) > 1:
        raise ParameterError(
            "Reference weights (weights) differ, but 'Each place picks one' lets every place of the picture choose "
            "itself. Give them equal weights, or combine them as Blend."
        )


def _combined(free: list[int], weights: Sequence[float], combine: Combine) -> list[tuple[tuple[int, ...], float]]:
    if combine is Combine.CONCATENATE:
        check_concatenation(combine, [weights[index] for index in free])
        return [(tuple(free), weights[free[0]])]
    total = 1.0 if combine is Combine.ADD else sum(weights[index] for index in free)
    return [((index,), weights[index] / total) for index in free]


def _source(wish: Wish, entries: list[tuple[tuple[int, ...], float]], region: torch.Tensor | None) -> AttentionSource:
    cycle, factors = zip(*entries, strict=True)
    return AttentionSource(cycle, factors, wish.rule, wish.schedule, wish.pictures, weights=wish.targets, region=region)
