"""Adapter files that must be refused, one function for each reason. Each writes into a folder and returns the path.

They are no part of `ALL`: a models folder with broken files in it is a test's own affair.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file

from tests.tiny.adapters import linear_shapes
from tests.tiny.tensors import random_tensors
from tests.tiny.unet import SDXL, Shapes, UNetConfig

if TYPE_CHECKING:
    from pathlib import Path

_STYLE_VALUE = "ip_adapter.69.to_v_ip.weight"  # of the style block's first layer
_SHALLOW = UNetConfig(channels=8, multipliers=(1, 2, 4), depths=(0, 1, 1), middle_depth=1, context=2048, vector=None)


def truncated(folder: Path) -> Path:
    """A download that broke off: the header is whole, the tensors are not."""
    path = _save(folder, "truncated", _random(_SHALLOW))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)
    return path


def with_nan(folder: Path) -> Path:
    """Complete and of the right sizes for the tiny SDXL model, but with a NaN in a matrix of the style block."""
    tensors = _random(SDXL)
    tensors[_STYLE_VALUE][0, 0] = torch.nan
    return _save(folder, "with-nan", tensors)


def without_a_matrix(folder: Path) -> Path:
    """One K matrix is missing."""
    tensors = _random(_SHALLOW)
    del tensors["ip_adapter.3.to_k_ip.weight"]
    return _save(folder, "without-a-matrix", tensors)


def for_sd15(folder: Path) -> Path:
    """An adapter of Stable Diffusion 1.5's context width."""
    return _save(folder, "for-sd15", _random(replace(_SHALLOW, context=768), embedding=1024))


def for_refiner(folder: Path) -> Path:
    """An adapter of the SDXL refiner's context width."""
    return _save(folder, "for-refiner", _random(replace(_SHALLOW, context=1280)))


def for_other_depths(folder: Path) -> Path:
    """An SDXL adapter for a UNet with fewer transformer layers (SSD-1B and its kin)."""
    return _save(folder, "for-other-depths", _random(_SHALLOW))


def face_id(folder: Path) -> Path:
    """The keys of a FaceID adapter: an MLP for its projection, a LoRA beside the matrices."""
    shapes: Shapes = {
        "image_proj.proj.0.weight": (64, 512),
        "image_proj.proj.2.weight": (64, 64),
        "image_proj.norm.weight": (2048,),
        "ip_adapter.0.to_q_lora.down.weight": (8, 64),
        "ip_adapter.1.to_k_ip.weight": (64, 2048),
        "ip_adapter.1.to_v_ip.weight": (64, 2048),
    }
    return _save(folder, "face-id", random_tensors(shapes, seed=0))


def text_file(folder: Path) -> Path:
    """A web page that was saved under the adapter's name."""
    path = folder / "text-file.safetensors"
    path.write_text("<!doctype html><title>Sign in to download</title>\n", encoding="utf-8")
    return path


ALL = (truncated, with_nan, without_a_matrix, for_sd15, for_refiner, for_other_depths, face_id, text_file)


def _random(config: UNetConfig, embedding: int = 1280) -> dict[str, torch.Tensor]:
    return random_tensors(linear_shapes(embedding, config), seed=99)


def _save(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> Path:
    path = folder / f"{name}.safetensors"
    save_file(tensors, str(path))
    return path
