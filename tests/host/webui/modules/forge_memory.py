"""The Forge family's memory manager: how many rows a UNet call may have, and who asked for room."""

from __future__ import annotations

from typing import Any

import torch

_PLENTY = 1 << 40  # bytes
_MEMORY_OF_A_ROW = 1 << 20
_MEMORY_OF_A_CALL = 1 << 30


class Memory:
    """What tests may set and see.

    Attributes:
        rows: How many rows fit into one call; None: all.
        asked: What `free_memory` was called with.
    """

    def __init__(self) -> None:
        self.rows: int | None = None
        self.asked: list[tuple[int, torch.device]] = []


memory = Memory()


def free_memory(memory_required: int, device: torch.device, keep_loaded: Any = ()) -> None:
    """Make room. Nothing of the stand-in's takes any."""
    memory.asked.append((memory_required, device))


def minimum_inference_memory() -> int:
    return _MEMORY_OF_A_CALL


def get_free_memory(_device: Any = None) -> int:
    return _PLENTY if memory.rows is None else memory.rows * _MEMORY_OF_A_ROW + 1


def memory_required(shape: list[int]) -> int:
    """Return what a call with an input of ``shape`` takes."""
    return shape[0] * _MEMORY_OF_A_ROW
