"""Which rows of a UNet call are conditional, and which picture of the batch each belongs to.

A denoising step has all conditional rows first, picture by picture with the parts of AND prompts in order, and then
one unconditional row per picture. The host may spread them over several calls or leave out the unconditional ones,
but never reorders them. So a cursor that restarts at each step identifies every row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import RowsError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Row(NamedTuple):
    """One row of a UNet call."""

    conditional: bool
    picture: int


class RowCursor:
    """Identifies the rows of the UNet calls of one denoising step."""

    def __init__(self) -> None:
        self._rows: tuple[Row, ...] = ()
        self._next = 0

    def begin_step(self, parts: Sequence[int], conditional: int, unconditional: int, first_picture: int = 0) -> None:
        """Set the rows of the step that begins.

        Args:
            parts: Number of conditional rows of each picture (more than one with AND prompts).
            conditional: Number of conditional rows of the whole step.
            unconditional: Number of unconditional rows, one per picture or none.
            first_picture: Number of pictures in earlier batches of the job.

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
        self._next = 0

    def take(self, count: int) -> tuple[Row, ...]:
        """Return the next ``count`` rows.

        Once all rows are taken, further calls in the same step start over (another extension's extra passes). A
        call may also hold the whole step several times (tiles).

        Raises:
            RowsError: If no step has begun, or the call ends in the middle of a repetition.
        """
        total = len(self._rows)
        if self._next >= total:
            self._next = 0
        fits = self._next + count <= total
        tiled = total > 0 and self._next == 0 and count % total == 0
        if not (fits or tiled) or not count:
            raise RowsError(
                f"A UNet call has {count} rows where {total - self._next} of {total} are left in the denoising step. "
                "Another extension rearranges the batch; switch it off, or switch InstantStyle off."
            )
        rows = self._rows[self._next : self._next + count] if fits else self._rows * (count // total)
        self._next += count
        return rows
