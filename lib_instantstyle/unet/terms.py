"""One image term at one cross-attention, expanded to the rows of a UNet call and added to the text term."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from lib_instantstyle.method.attention import image_attention, keep_text_colours
from lib_instantstyle.unet.rows import picture_of

if TYPE_CHECKING:
    from lib_instantstyle.method.schedule import Schedule
    from lib_instantstyle.pictures.regions import RegionSampler
    from lib_instantstyle.unet.call import CallRows
    from lib_instantstyle.unet.plan import ImageTerm
    from lib_instantstyle.unet.rows import Row

MAX_EXPANSIONS = 16  # expanded keys and values kept per term; a job rarely sees more than three


class ScheduledTerms(NamedTuple):
    """Image terms, of any number of sources, that share a schedule and the way in which they are added."""

    terms: tuple[ImageTerm, ...]
    schedule: Schedule  # strength over the noise schedule
    prompt_colours: float = 0.0  # 0 adds them, 1 aligns the text term to them (`keep_text_colours`)
    pictures: frozenset[int] | None = None  # those of the job that they act on; None is all

    @property
    def acts(self) -> bool:
        """Whether there are any, with a strength anywhere."""
        return bool(self.terms) and self.schedule.acts


class _Expanded(NamedTuple):
    """A term for the rows of one call, in the query's dtype and on its device."""

    key: torch.Tensor  # [rows, heads, tokens, d]
    value: torch.Tensor  # the same shape, multiplied by the weight where that is None
    weight: torch.Tensor | None  # [rows, 1, 1]
    region: torch.Tensor | None  # [1 or rows, positions, 1]


class SiteTerm:
    """One image term, with its expansions cached by the exact rows, since the batch may change within a job."""

    def __init__(self, term: ImageTerm, scheduled: ScheduledTerms, sampler: RegionSampler) -> None:
        self._term = term
        self._schedule = scheduled.schedule
        self._colours = scheduled.prompt_colours if term.is_style else 0.0
        self._pictures = scheduled.pictures
        self._sampler = sampler
        self._expanded: dict[object, _Expanded] = {}

    @property
    def has_region(self) -> bool:
        """Whether it acts on only a part of the picture."""
        return self._term.region is not None

    def forget(self) -> None:
        """Drop all expansions."""
        self._expanded.clear()

    def add_to(
        self,
        total: torch.Tensor,
        text_term: torch.Tensor,
        query: torch.Tensor,
        call: CallRows,
        grid: tuple[int, int] | None,
    ) -> torch.Tensor:
        """Return ``total`` plus this term.

        Args:
            total: The text term and the terms added so far, ``[rows, positions, channels]`` like the next two.
            text_term: The output of the text attention.
            query: The query of the cross-attention.
            call: The rows of the call.
            grid: Height and width of the positions, if a region needs them.
        """
        expanded = self._for_rows(query, call, grid)
        image_term = image_attention(query, expanded.key, expanded.value).to(total.dtype)
        if self._colours:
            image_term = keep_text_colours(text_term, image_term, self._colours)
        for factor in (expanded.weight, expanded.region):
            if factor is not None:
                image_term = image_term * factor
        if self._schedule.is_constant:
            return total + image_term
        return torch.addcmul(total, image_term, call.strength(self._schedule, total.dtype))

    def _for_rows(self, query: torch.Tensor, call: CallRows, grid: tuple[int, int] | None) -> _Expanded:
        known = (call.rows, query.dtype, query.device, grid)
        if known not in self._expanded:
            if len(self._expanded) >= MAX_EXPANSIONS:
                self._expanded.clear()
            self._expanded[known] = self._expand(query, call.rows, grid)
        return self._expanded[known]

    def _expand(self, query: torch.Tensor, rows: tuple[Row, ...], grid: tuple[int, int] | None) -> _Expanded:
        variants = self._term.variants(rows)
        weight = self._term.weight[variants].view(-1, 1, 1)
        if self._pictures is not None:
            weight = weight * torch.tensor([picture_of(row) in self._pictures for row in rows]).view(-1, 1, 1)
        value = self._term.value[variants]
        # `keep_text_colours` comes before the weight, which therefore cannot go into the value.
        folded = (value, weight) if self._colours else (value * weight.unsqueeze(-1), None)
        tensors = (self._term.key[variants], *folded, self._region(variants, grid))
        return _Expanded(*(None if t is None else t.to(query.device, query.dtype) for t in tensors))  # type: ignore[arg-type]

    def _region(self, variants: list[int], grid: tuple[int, int] | None) -> torch.Tensor | None:
        if self._term.region is None or grid is None:
            return None
        areas = self._sampler.sample(self._term.region, *grid)
        return areas if areas.shape[0] == 1 else areas[[variant // 2 for variant in variants]]
