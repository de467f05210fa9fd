"""Which rows of a UNet call are conditional, and which picture of the batch each belongs to.

AUTOMATIC1111's WebUI does not say. Its denoising step has all conditional rows first, picture by picture with the
parts of AND prompts in order, and then one unconditional row per picture. It may spread them over several calls or
leave out the unconditional ones, but never reorders them. Other extensions do more: tiles repeat rows, guidance adds
calls. So the order identifies a call only while the calls keep to it; from then on the texts that its rows carry do.
The Forge family says what each chunk of a call is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from lib_instantstyle.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    Candidates = Sequence[frozenset[int]]  # of each row of a call, the rows of the step that carry its text


class Row(NamedTuple):
    """One row of a UNet call."""

    conditional: bool
    picture: int | None  # None where pictures with the same text cannot be told apart


class RowCursor:
    """Identifies the rows of the UNet calls of one sampling pass.

    What is found out about a call holds for all later calls at the same place of the same kind of step, so texts are
    compared, and the device waited for, once per place.
    """

    def __init__(self) -> None:
        self._rows: tuple[Row, ...] = ()
        self._block = 0
        self._next = 0
        self._place = 0
        self._places: dict[Hashable, int] = {}
        self._known: dict[int, tuple[tuple[Row, ...], int]] = {}

    def begin_step(
        self, parts: Sequence[int], conditional: int, unconditional: int, first_picture: int = 0, block: int = 0
    ) -> None:
        """Set the rows of the step that begins.

        Args:
            parts: Number of conditional rows of each picture (more than one with AND prompts).
            conditional: Number of conditional rows of the whole step.
            unconditional: Number of unconditional rows, one per picture or none.
            first_picture: Number of pictures in earlier batches of the job.
            block: Number of rows, from the first, that the host sends in every call of the step; 0 where it splits
                the step, or that is unknown.

        Raises:
            RowsError: If ``parts`` does not account for every conditional row.
        """
        if sum(parts) != conditional or unconditional not in (0, len(parts)):
            raise RowsError(
                f"A denoising step has {conditional} conditional and {unconditional} unconditional rows, but its "
                f"prompts have {list(parts)} parts. Another extension rearranges the batch; switch it off."
            )
        numbered = list(enumerate(parts, start=first_picture))
        conditional_rows = [Row(True, picture) for picture, count in numbered for _ in range(count)]
        self._rows = (*conditional_rows, *(Row(False, picture) for picture, _ in numbered[:unconditional]))
        self._block, self._next = block, 0
        self._place = self._place_of((self._rows, block))

    def take(
        self, count: int, shape: Hashable = None, candidates: Callable[[], Candidates] | None = None
    ) -> tuple[Row, ...]:
        """Return the rows of the next call.

        Args:
            count: How many it has.
            shape: What else is seen of it without waiting for the device, such as the length of its texts.
            candidates: Compares its texts with the step's; without it only the order tells.

        Raises:
            RowsError: If neither order nor texts identify them.
        """
        self._place = self._place_of((self._place, count, shape))
        if self._place not in self._known:
            found = candidates() if candidates else [frozenset[int]()] * count
            self._known[self._place] = self._identified(count, found)
        rows, self._next = self._known[self._place]
        return rows

    def _place_of(self, key: Hashable) -> int:
        """Return a number for a place in a kind of step, reached from another place by one call."""
        return self._places.setdefault(key, len(self._places) + 1)

    def _identified(self, count: int, found: Candidates) -> tuple[tuple[Row, ...], int]:
        """Return the rows, and the place of the next one in the step's order."""
        expected = range(self._next, self._next + count)
        if count and expected.stop <= len(self._rows) and _agree(expected, found):
            return self._rows[expected.start : expected.stop], expected.stop
        if count and all(found) and (named := [self._named(texts) for texts in found]) and None not in named:
            return tuple(row for row in named if row), self._next
        repeated = [index % self._block for index in range(count)] if self._block else []
        if repeated and count % self._block == 0 and _agree(repeated, found):
            return tuple(self._rows[index] for index in repeated), self._next
        raise RowsError(
            f"A UNet call has {count} rows that are none of the {len(self._rows)} rows of the denoising step in order, "
            "and their texts do not tell which they are. Another extension repeats or rearranges rows: switch it off, "
            "give prompt and negative prompt different texts, or switch InstantStyle off."
        )

    def _named(self, texts: frozenset[int]) -> Row | None:
        return common_row(self._rows[index] for index in texts)


def common_row(rows: Iterable[Row]) -> Row | None:
    """Return what ``rows``, of which there is one at least, have in common; None if not even the kind."""
    kinds, pictures = map(set, zip(*rows, strict=True))
    if len(kinds) > 1:
        return None
    return Row(bool(kinds.pop()), pictures.pop() if len(pictures) == 1 else None)


def chunk_rows(kinds: Sequence[int], pictures: int, count: int, first_picture: int = 0) -> tuple[Row, ...]:
    """Return the rows of a call that consists of chunks, as the Forge family's calls do.

    Each chunk has all pictures of the batch in order; the call has all chunks in order, or repeats them tile by tile.

    Args:
        kinds: Of each chunk: 0 conditional, 1 unconditional.
        pictures: Number of pictures of the batch.
        count: Number of rows of the call.
        first_picture: Number of pictures in earlier batches of the job.

    Raises:
        RowsError: If ``count`` is not a multiple of the rows of all chunks.
    """
    chunks = [Row(kind == 0, first_picture + picture) for kind in kinds for picture in range(pictures)]
    if not chunks or not count or count % len(chunks):
        raise RowsError(
            f"A UNet call has {count} rows, which is no multiple of the {len(chunks)} rows that the WebUI names for it "
            f"({len(kinds)} for each of {pictures} pictures). Another extension cuts the batch: switch it off, or "
            "switch InstantStyle off."
        )
    return tuple(chunks) * (count // len(chunks))


def picture_of(row: Row) -> int:
    """Return the picture that ``row`` belongs to.

    Raises:
        RowsError: If it is unknown.
    """
    if row.picture is None:
        raise RowsError(
            "Pictures of the batch are styled differently, but another extension repeats or rearranges the rows of "
            "those with the same prompt. Switch it off, give each picture a prompt of its own, or use batch size 1."
        )
    return row.picture


def compare_texts(ours: torch.Tensor, theirs: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return how many tokens each row has in common with each of their rows, ``[rows, all their rows]``.

    It is 0 where they differ. Hosts and extensions lengthen texts at the end, so only as many tokens are compared as
    both have.

    Args:
        ours: ``[rows, tokens, context]`` of a call.
        theirs: Tensors of the same kind with any number of rows and tokens, in any dtype and on any device.
    """
    columns = []
    for tensor in theirs:
        tokens = min(ours.shape[1], tensor.shape[1])
        known, seen = tensor[:, :tokens].to(ours.device, ours.dtype), ours[:, :tokens]
        columns += [tokens * (seen == row).flatten(1).all(dim=1) for row in known]
    return torch.stack(columns, dim=1)


def best_matches(common: torch.Tensor) -> list[frozenset[int]]:
    """Return the columns that each row of `compare_texts` has most in common with; this waits for the device."""
    best = (common == common.amax(dim=1, keepdim=True)) & (common > 0)
    return [frozenset(index for index, value in enumerate(row) if value) for row in best.tolist()]


def _agree(indices: Sequence[int], found: Candidates) -> bool:
    """Whether the texts allow these rows; an unknown text, which another extension has changed, allows any."""
    return all(not texts or index in texts for index, texts in zip(indices, found, strict=True))
