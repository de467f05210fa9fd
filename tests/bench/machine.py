"""The machine that is measured: its name, its clock and its memory."""

from __future__ import annotations

import gc
import os
import platform
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diffusers
import torch

if TYPE_CHECKING:
    from collections.abc import Callable

_CPU_INFO = Path("/proc/cpuinfo")
_GPU_CALLS = 5  # timed together: a sampler does not wait for the GPU between steps either


@dataclass(frozen=True)
class Machine:
    """One device of this machine.

    Attributes:
        device: Where the UNets are.
    """

    device: torch.device

    @property
    def is_gpu(self) -> bool:
        return self.device.type == "cuda"

    @property
    def name(self) -> str:
        return torch.cuda.get_device_name(self.device) if self.is_gpu else f"{cpu_name()}, {_threads()}"

    @property
    def slug(self) -> str:
        """The name as a file's."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")

    def described(self) -> dict[str, Any]:
        """Return what a reader must know of it."""
        return {
            "name": self.name,
            "device": self.device.type,
            "cpu": cpu_name(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "torch": torch.__version__,
            "diffusers": diffusers.__version__,
        }

    def wait(self) -> None:
        """Wait until the device has done everything."""
        if self.is_gpu:
            torch.cuda.synchronize(self.device)

    def seconds(self, action: Callable[[], object]) -> float:
        """Return the wall time of one ``action``, the mean of a few in a row on a GPU."""
        calls = _GPU_CALLS if self.is_gpu else 1
        self.wait()
        begun = time.perf_counter()
        for _ in range(calls):
            action()
        self.wait()
        return (time.perf_counter() - begun) / calls

    def bytes_held(self) -> int:
        """Return the bytes of all tensors: the allocator's on a GPU, those that Python can reach on a CPU."""
        gc.collect()
        if self.is_gpu:
            self.wait()
            return torch.cuda.memory_allocated(self.device)
        storages = (tensor.untyped_storage() for tensor in live_tensors() if tensor.device.type == "cpu")
        return sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())  # each storage once

    def peak_bytes(self, action: Callable[[], object]) -> int:
        """Return the most bytes that ``action`` allocates at once on a GPU; nobody counts a CPU's."""
        before = self.bytes_held()
        torch.cuda.reset_peak_memory_stats(self.device)
        action()
        self.wait()
        return torch.cuda.max_memory_allocated(self.device) - before


def live_tensors() -> list[torch.Tensor]:
    """Return every tensor that Python can reach."""
    return [thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor)]


def cpu_name() -> str:
    """Return the CPU's model as the system writes it."""
    if _CPU_INFO.exists():
        for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _threads() -> str:
    count = torch.get_num_threads()
    return f"{count} thread{'s' if count > 1 else ''}"
