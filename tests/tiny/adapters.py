"""Tiny IP-Adapters and image encoders in the official layouts, matching the tiny SDXL model."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from tests.tiny.tensors import random_tensors
from tests.tiny.unet import SDXL, Shapes, UNetConfig

if TYPE_CHECKING:
    from pathlib import Path

_OLD_MEMBER = re.compile(r"/(data\.pkl|version|byteorder|data/\d+)$")
TOKENS = 4
PLUS_TOKENS = 16
PLUS_WIDTH = 64
BIGG = {"hidden_size": 64, "projection_dim": 1280, "num_attention_heads": 4}
VIT_H = {"hidden_size": 80, "projection_dim": 1024, "num_attention_heads": 5}


def linear_shapes(embedding: int, config: UNetConfig = SDXL) -> Shapes:
    """Return the tensors of a linear adapter that reads ``embedding`` numbers."""
    context = config.context
    projection = {
        "proj.weight": (TOKENS * context, embedding),
        "proj.bias": (TOKENS * context,),
        "norm.weight": (context,),
        "norm.bias": (context,),
    }
    return _prefixed("image_proj.", projection) | matrix_shapes(config)


def plus_shapes(hidden: int, config: UNetConfig = SDXL) -> Shapes:
    """Return the tensors of a Plus adapter with a Resampler of two layers."""
    width, context = PLUS_WIDTH, config.context
    shapes: Shapes = {"latents": (1, PLUS_TOKENS, width), "norm_out.weight": (context,), "norm_out.bias": (context,)}
    shapes |= {"proj_in.weight": (width, hidden), "proj_in.bias": (width,)}
    shapes |= {"proj_out.weight": (context, width), "proj_out.bias": (context,)}
    for layer in ("layers.0", "layers.1"):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"{layer}.{norm}.weight": (width,), f"{layer}.{norm}.bias": (width,)}
        shapes |= {f"{layer}.0.to_q.weight": (width, width), f"{layer}.0.to_kv.weight": (2 * width, width)}
        shapes |= {f"{layer}.0.to_out.weight": (width, width)}
        shapes |= {f"{layer}.1.1.weight": (4 * width, width), f"{layer}.1.3.weight": (width, 4 * width)}
    return _prefixed("image_proj.", shapes) | matrix_shapes(config)


def matrix_shapes(config: UNetConfig = SDXL) -> Shapes:
    """Return the K and V matrices, numbered 1, 3, … in the order down, up, mid."""
    levels = [
        (config.channels * multiplier, depth)
        for multiplier, depth in zip(config.multipliers, config.depths, strict=True)
    ]
    down = [width for width, depth in levels for _ in range(2 * depth)]
    up = [width for width, depth in reversed(levels) for _ in range(3 * depth)]
    mid = [levels[-1][0]] * config.middle_depth
    return {
        f"ip_adapter.{2 * index + 1}.to_{part}_ip.weight": (width, config.context)
        for index, width in enumerate([*down, *up, *mid])
        for part in "kv"
    }


def write_adapter(folder: Path, name: str, shapes: Shapes, seed: int) -> tuple[Path, Path]:
    """Write one adapter as ``.safetensors`` with flat keys and as ``.bin`` with nested dicts."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = random_tensors(shapes, seed)
    flat, nested = folder / f"{name}.safetensors", folder / f"{name}.bin"
    save_file(tensors, str(flat))
    save_as_older_torch(nest(tensors), nested)
    return flat, nested


def save_as_older_torch(value: object, path: Path) -> None:
    """Save as torch 2.1 did: the WebUI's restricted loader refuses the archive members that came later."""
    newer = io.BytesIO()
    torch.save(value, newer)
    with zipfile.ZipFile(newer) as source, zipfile.ZipFile(path, "w") as target:
        for member in source.infolist():
            if _OLD_MEMBER.search(member.filename):
                target.writestr(zipfile.ZipInfo(member.filename), source.read(member))


def nest(tensors: dict[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    """Return flat keys as the original ``.bin`` files nest them."""
    nested: dict[str, dict[str, torch.Tensor]] = {}
    for key, tensor in tensors.items():
        group, _, name = key.partition(".")
        nested.setdefault(group, {})[name] = tensor
    return nested


def write_encoder(folder: Path, sizes: dict[str, int], seed: int) -> Path:
    """Write a vision tower as transformers does: ``config.json`` and ``model.safetensors``."""
    config = CLIPVisionConfig(
        intermediate_size=128, num_hidden_layers=3, image_size=224, patch_size=32, hidden_act="gelu", **sizes
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = CLIPVisionModelWithProjection(config)
        for parameter in model.parameters():  # transformers' own start is so small that pictures look alike
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
    model.save_pretrained(folder, safe_serialization=True)
    return folder


def _prefixed(prefix: str, shapes: Shapes) -> Shapes:
    return {f"{prefix}{key}": shape for key, shape in shapes.items()}
