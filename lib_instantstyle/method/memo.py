"""A cache in memory for tensors that later jobs need again."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Hashable

DEFAULT_LIMIT = 64 * 1024 * 1024  # bytes; a reference needs about 1 MB at SDXL's style block, 5 MB at all blocks


def digest(tensor: torch.Tensor) -> str:
    """Return a hash of the values, shape and dtype of a tensor on the CPU."""
    octets = tensor.detach().contiguous().flatten().view(torch.uint8).numpy().data
    return hashlib.sha256(octets).hexdigest() + f"{tuple(tensor.shape)}{tensor.dtype}"


class TensorMemo:
    """A thread-safe cache of up to ``limit`` bytes, which evicts the least recently used tensors."""

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.lookups: Counter[bool] = Counter()  # hits (True) and misses (False)
        self.bytes_kept = 0
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[torch.Tensor, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> tuple[torch.Tensor, ...] | None:
        """Return the tensors put under ``key``, or None. Do not modify them in place."""
        with self._lock:
            self.lookups[key in self._kept] += 1
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, *tensors: torch.Tensor) -> None:
        """Store ``tensors``, unless they exceed the limit by themselves."""
        size = _size(tensors)
        if size > self._limit:
            return
        with self._lock:
            self.bytes_kept += size - _size(self._kept.pop(key, ()))
            self._kept[key] = tensors
            while self.bytes_kept > self._limit:
                self.bytes_kept -= _size(self._kept.popitem(last=False)[1])


def _size(tensors: tuple[torch.Tensor, ...]) -> int:
    return sum(tensor.nbytes for tensor in tensors)
