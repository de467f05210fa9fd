"""What can be counted exactly: operations, waits for the GPU, hooks, bytes read."""

from __future__ import annotations

import contextlib
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from lib_instantstyle.models.tensor_file import TensorFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import nn


class Operations(TorchDispatchMode):
    """Counts tensor operations inside a ``with`` block, without views, which cost a GPU nothing.

    Attributes:
        by_name: How often each came so far.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_name: Counter[str] = Counter()

    @property
    def count(self) -> int:
        """All of them."""
        return self.by_name.total()

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if not (func.is_view or name == "_unsafe_view"):  # a view whose origin nobody sees, of a matrix product
            self.by_name[name] += 1
        return func(*args, **(kwargs or {}))


def operations(action: Callable[[], object]) -> int:
    """Return the number of tensor operations of ``action``."""
    with Operations() as counter:
        action()
    return counter.count


def waits(action: Callable[[], object]) -> int:
    """Return how often ``action`` makes the CPU wait for the GPU."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            action()
        finally:
            torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing CUDA operation" in str(warning.message) for warning in caught)


def hooks(model: nn.Module) -> int:
    """Return the number of hooks anywhere in ``model``."""
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


@dataclass
class Reading:
    """What was read of tensor files.

    Attributes:
        octets: Bytes of the tensors.
    """

    octets: int = 0


@contextlib.contextmanager
def reading() -> Iterator[Reading]:
    """Count what the product reads of its files inside the block."""
    total, original = Reading(), TensorFile.stream

    def counted(file: TensorFile, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        for key, tensor in original(file, keys):
            total.octets += tensor.nbytes
            yield key, tensor

    with mock.patch.object(TensorFile, "stream", counted):
        yield total
