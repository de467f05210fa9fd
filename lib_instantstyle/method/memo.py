"""Results kept for the next job, by what they were computed from, within a bound of bytes."""

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
    """Return a hash of the numbers, shape and dtype of a tensor on the CPU."""
    octets = tensor.detach().contiguous().flatten().view(torch.uint8).numpy().data
    return hashlib.sha256(octets).hexdigest() + f"{tuple(tensor.shape)}{tensor.dtype}"


class TensorMemo:
    """Tensors by key; the least recently used go first. Any thread may call.

    Args:
        limit: Bytes in all; 0 keeps nothing.

    Attributes:
        lookups: How often something was known (True) and was not (False).
    """

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self.lookups: Counter[bool] = Counter()
        self._limit = limit
        self._kept: OrderedDict[Hashable, tuple[torch.Tensor, ...]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    @property
    def bytes_kept(self) -> int:
        """What the tensors take."""
        return self._bytes

    def get(self, key: Hashable) -> tuple[torch.Tensor, ...] | None:
        """Return what was put under ``key``, which nobody may change, or None."""
        with self._lock:
            self.lookups[key in self._kept] += 1
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, *tensors: torch.Tensor) -> None:
        """Keep ``tensors`` under ``key``, unless they are larger than the limit."""
        size = _size(tensors)
        if size > self._limit:
            return
        with self._lock:
            self._bytes += size - _size(self._kept.pop(key, ()))
            self._kept[key] = tensors
            while self._bytes > self._limit:
                self._bytes -= _size(self._kept.popitem(last=False)[1])


def _size(tensors: tuple[torch.Tensor, ...]) -> int:
    return sum(tensor.nbytes for tensor in tensors)
