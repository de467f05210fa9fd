"""Seeded random weights for a table of shapes, scaled so that signals keep their size through a deep net."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from tests.tiny.unet import Shapes


def random_tensors(shapes: Shapes, seed: int, dtype: torch.dtype = torch.float16) -> dict[str, torch.Tensor]:
    """Fill ``shapes``. Each tensor depends on the seed and on its own name only."""
    return {name: _tensor(name, shape, seed).to(dtype) for name, shape in shapes.items()}


def _tensor(name: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()) + seed)
    if not shape:
        return torch.tensor(4.6)  # CLIP's logit scale
    noise = torch.randn(shape, generator=generator)
    if len(shape) > 1:
        fan_in = torch.Size(shape[1:]).numel()
        return noise * (0.5 if "embedding" in name else fan_in**-0.5)
    return 0.02 * noise + (1.0 if _is_norm(name) else 0.0)


def _is_norm(name: str) -> bool:
    """Whether a vector scales what a normalisation puts out."""
    return name.endswith(".weight")
