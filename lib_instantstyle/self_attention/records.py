"""What a pass on references leaves: the inputs of their self-attentions, and the statistics of their blocks."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import torch

from lib_instantstyle.method.statistics import Statistics

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from lib_instantstyle.params.blocks import Block
    from lib_instantstyle.self_attention.reference import Variant

DEFAULT_LIMIT = 2 * 1024**3  # bytes
logger = logging.getLogger("instantstyle")


class Inputs(NamedTuple):
    """What the projections of one self-attention were given: one tensor, unless a hypernetwork changed it.

    Each is ``[1, positions, channels]``. The query's is there only where it is needed. Keys and values would take twice
    the room.
    """

    key: torch.Tensor
    value: torch.Tensor
    query: torch.Tensor | None = None


class Records(NamedTuple):
    """The records of one timestep, by site or block and by what was run; they hold no part of the model.

    Sites are named by their ``adapter_id``.
    """

    inputs: dict[tuple[int, Variant], Inputs]
    blocks: dict[tuple[Block, Variant], Statistics]  # [1, channels, 1, 1]

    def tensors(self) -> Iterator[torch.Tensor]:
        """Yield every tensor once."""
        every = [t for group in (*self.inputs.values(), *self.blocks.values()) for t in group if t is not None]
        yield from {id(tensor): tensor for tensor in every}.values()

    @property
    def nbytes(self) -> int:
        """Bytes of all tensors."""
        return sum(tensor.nbytes for tensor in self.tensors())

    def on_cpu(self) -> Records:
        """Return a copy on the CPU, without waiting for the device: read it from the same stream only."""
        copies = {id(t): t.clone() if t.is_cpu else t.to("cpu", non_blocking=True) for t in self.tensors()}
        return Records(
            {key: Inputs(*(copies.get(id(t)) for t in given)) for key, given in self.inputs.items()},  # type: ignore[arg-type]  # only the query may be None
            {key: Statistics(*(copies[id(t)] for t in found)) for key, found in self.blocks.items()},
        )


class KeptRecords:
    """A thread-safe store of up to ``limit`` bytes on the CPU, which may be changed; further pictures need no pass.

    Records are kept by *series*: all timesteps of a sampling pass whose references, conditioning, model and settings
    are the same. The series used longest ago is evicted first. A series that alone exceeds the limit is not kept at
    all, as half of one would hardly save time.
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.bytes_kept = 0
        self.too_large: set[Hashable] = set()
        self._limit = limit
        self._series: OrderedDict[Hashable, dict[Hashable, Records]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def limit(self) -> int:
        """Bytes that may be kept. Another limit gives series that were too large for the last one a new chance."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        with self._lock:
            if limit != self._limit:
                self._limit = limit
                self.too_large.clear()
                self._evict()

    def get(self, series: Hashable, timestep: Hashable) -> Records | None:
        """Return the records put under both, or None. Do not modify them in place."""
        with self._lock:
            if series not in self._series:
                return None
            self._series.move_to_end(series)
            return self._series[series].get(timestep)

    def put(self, series: Hashable, timestep: Hashable, records: Records) -> None:
        """Store a copy of ``records``, unless the series has become too large; `too_large` then names it."""
        if series in self.too_large:
            return
        copy = records.on_cpu()
        with self._lock:
            kept = self._series.setdefault(series, {})
            self._series.move_to_end(series)
            replaced = kept.pop(timestep, None)
            kept[timestep] = copy
            self.bytes_kept += copy.nbytes - (replaced.nbytes if replaced else 0)
            if series in self._evict():
                self.too_large.add(series)
                logger.info(
                    "What was read of the reference takes more than %d MB and is not kept: each picture reads it "
                    "anew. Settings → InstantStyle has the limit.",
                    self._limit >> 20,
                )

    def _evict(self) -> set[Hashable]:
        """Let go of the series used longest ago until the limit is kept to, and return their names."""
        names: set[Hashable] = set()
        while self.bytes_kept > self._limit:
            name, evicted = self._series.popitem(last=False)
            self.bytes_kept -= sum(records.nbytes for records in evicted.values())
            names.add(name)
        return names

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._series.clear()
            self.too_large.clear()
            self.bytes_kept = 0
