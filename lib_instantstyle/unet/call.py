"""One call of the UNet: its rows, and the part of them that an attention is run with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from lib_instantstyle.errors import RowsError
from lib_instantstyle.unet.rows import best_matches, common_row, compare_texts

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from lib_instantstyle.method.schedule import Schedule
    from lib_instantstyle.unet.rows import Row


class UNetCall(NamedTuple):
    """One call of the UNet, as the host explains it."""

    rows: tuple[Row, ...]  # one per row of the batch
    timesteps: torch.Tensor  # [rows], 0 to 999
    context: torch.Tensor | None = None  # [rows, tokens, context], the texts of the rows
    timestep: float | None = None  # that of all rows, where the host knows it without waiting for the device
    replaced: frozenset[str] = frozenset()  # LDM names of blocks or layers whose self-attention another extension runs


class CallRows:
    """The rows of one UNet call and their strengths, which all attentions share.

    ``strengths`` has ``[rows, 1, 1]`` in float32 for each schedule that is not constant. ``records`` is what the
    injection's companion prepared for the call.
    """

    def __init__(
        self,
        rows: tuple[Row, ...] = (),
        strengths: Mapping[Schedule, torch.Tensor] | None = None,
        context: torch.Tensor | None = None,
    ) -> None:
        self.rows = rows
        self.context = context
        self.records: Any = None
        self._strengths: dict[object, torch.Tensor] = {key: tensor for key, tensor in (strengths or {}).items()}  # noqa: C416
        self._parts: dict[tuple[frozenset[int], ...], CallRows] = {}

    def strength(self, schedule: Schedule, dtype: torch.dtype) -> torch.Tensor:
        """Return the strength ``[rows, 1, 1]``, converted once per call for all cross-attentions."""
        if (schedule, dtype) not in self._strengths:
            self._strengths[schedule, dtype] = self._strengths[schedule].to(dtype)
        return self._strengths[schedule, dtype]

    def part(self, texts: tuple[frozenset[int], ...]) -> CallRows:
        """Return some of the rows, each given by the indices of those that carry its text; made once per call."""
        if texts not in self._parts:
            named = (common_row(self.rows[index] for index in indices) for indices in texts)
            part = CallRows(tuple(row for row in named if row))
            part.records = self.records
            first = [min(indices) for indices in texts]
            part._strengths = {key: tensor[first] for key, tensor in self._strengths.items()}
            self._parts[texts] = part
        return self._parts[texts]


class PartCursor:
    """Identifies the rows that a cross-attention is run with, where another extension runs it in parts.

    As with `RowCursor`, what is found out about a part holds for all later parts at the same place.
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[frozenset[int], ...]] = {}

    def identify(
        self, call: CallRows, done: int, count: int, context: torch.Tensor | None
    ) -> tuple[frozenset[int], ...] | None:
        """Return which rows of ``call`` each of ``count`` rows may be, of which ``done`` have been run before.

        Parts come in order, or carry texts that tell the kind at least; None if neither holds. ``context`` is
        ``[count, tokens, …]``.
        """
        key = (call.rows, done, count, None if context is None else context.shape[1])
        if key not in self._known:
            found = self._found(call, done, count, context)
            if found is None:
                return None
            self._known[key] = found
        return self._known[key]

    @staticmethod
    def _found(
        call: CallRows, done: int, count: int, context: torch.Tensor | None
    ) -> tuple[frozenset[int], ...] | None:
        in_order = tuple(frozenset({index}) for index in range(done, done + count))
        if context is None or call.context is None or context.shape[0] != count:
            return in_order if done + count <= len(call.rows) else None
        texts = best_matches(compare_texts(context, [call.context]))
        if done + count <= len(call.rows) and all(i <= t or not t for i, t in zip(in_order, texts, strict=True)):
            return in_order
        if all(texts) and all(common_row(call.rows[index] for index in text) for text in texts):
            return tuple(texts)
        return None


class SiteRows:
    """Tells which rows of the UNet's call one attention is run with: all of them, or a part."""

    def __init__(self, name: str, parts: PartCursor) -> None:
        self._name = name
        self._parts = parts
        self.forget()

    def forget(self) -> None:
        """Drop the call that was last counted in."""
        self._call: CallRows | None = None
        self._done = 0  # rows of it that the attention has been run with

    def of(self, call: CallRows, count: int, context: torch.Tensor | None = None) -> CallRows:
        """Return the rows of a run with ``count`` rows and the texts ``context`` ``[count, tokens, …]``.

        Raises:
            RowsError: If neither their order nor their texts identify them.
        """
        if count == len(call.rows):
            return call
        if self._call is not call:
            self._call, self._done = call, 0
        texts = self._parts.identify(call, self._done, count, context)
        if texts is None:
            raise self.mismatch(call, f"{count} rows")
        self._done += count
        return call.part(texts)

    def mismatch(self, call: CallRows, found: str) -> RowsError:
        """Return the error of a run with ``found`` in the place of the rows of ``call``."""
        return RowsError(
            f"{self._name} was called with {found} where the UNet's call has {len(call.rows)} rows. Another extension "
            "changes this attention; switch it off, or switch InstantStyle off."
        )
