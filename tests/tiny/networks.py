"""Tiny networks that are laid over the tiny SDXL model: LoRA, textual inversion, hypernetwork, and two for ControlNet.

All of them touch the style block, where InstantStyle acts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file

from tests.tiny.adapters import save_as_older_torch
from tests.tiny.tensors import random_tensors
from tests.tiny.towers import BIGG_MLP, BIGG_WIDTH, CLIP_L_MLP, CLIP_L_WIDTH
from tests.tiny.unet import SDXL, SDXL_WIDE, Shapes, UNetConfig

if TYPE_CHECKING:
    from pathlib import Path

_RANK = 4
_STYLE_BLOCK = "output_blocks_1_1"
_EMBEDDING_VECTORS = 2
_BOTTLENECK = 1 / 64  # of a hypernetwork, relative to what it reads
_SHUFFLED = 256  # values in a square of 16×16 grey pixels: what a T2I-Adapter for SDXL reads
_HINT, _MLP = 16, 8


def lora_shapes(config: UNetConfig = SDXL) -> Shapes:
    """Return a LoRA with kohya's keys on every projection of the style block's attentions."""
    width, shapes = config.channels * config.multipliers[-1], {}
    for layer in range(config.middle_depth):
        for attention, source in (("attn1", width), ("attn2", config.context)):
            name = f"lora_unet_{_STYLE_BLOCK}_transformer_blocks_{layer}_{attention}"
            for part, inputs in (("to_q", width), ("to_k", source), ("to_v", source), ("to_out_0", width)):
                _low_rank(shapes, f"{name}_{part}", inputs, width)
    return shapes


def text_lora_shapes() -> Shapes:
    """Return a LoRA with kohya's keys on a layer of each text tower."""
    shapes: Shapes = {}
    _low_rank(shapes, "lora_te1_text_model_encoder_layers_0_mlp_fc1", CLIP_L_WIDTH, CLIP_L_MLP)
    _low_rank(shapes, "lora_te2_text_model_encoder_layers_0_mlp_fc1", BIGG_WIDTH, BIGG_MLP)
    return shapes


def _low_rank(shapes: Shapes, name: str, inputs: int, outputs: int) -> None:
    shapes |= {f"{name}.lora_down.weight": (_RANK, inputs), f"{name}.lora_up.weight": (outputs, _RANK)}
    shapes[f"{name}.alpha"] = ()


def embedding_shapes() -> Shapes:
    """Return a textual inversion for both text towers."""
    return {"clip_l": (_EMBEDDING_VECTORS, CLIP_L_WIDTH), "clip_g": (_EMBEDDING_VECTORS, BIGG_WIDTH)}


def t2i_adapter_shapes(config: UNetConfig = SDXL_WIDE) -> Shapes:
    """Return a T2I-Adapter in its original layout: two residual blocks for each of four levels."""
    widths = [config.channels * multiplier for multiplier in (*config.multipliers, config.multipliers[-1])]
    shapes: Shapes = {"conv_in.weight": (widths[0], _SHUFFLED, 3, 3), "conv_in.bias": (widths[0],)}
    current = widths[0]
    for index, width in enumerate(width for width in widths for _ in range(2)):
        if width != current:
            shapes |= {f"body.{index}.in_conv.weight": (width, current, 1, 1), f"body.{index}.in_conv.bias": (width,)}
        for name, kernel in (("block1", 3), ("block2", 1)):
            shapes[f"body.{index}.{name}.weight"] = (width, width, kernel, kernel)
            shapes[f"body.{index}.{name}.bias"] = (width,)
        current = width
    return shapes


def lllite_shapes(config: UNetConfig = SDXL) -> Shapes:
    """Return a ControlNet-LLLite on the queries of the style block."""
    width, shapes = config.channels * config.multipliers[-1], {}
    for layer in range(config.middle_depth):
        for attention in ("attn1", "attn2"):
            name = f"lllite_unet_{_STYLE_BLOCK}_transformer_blocks_{layer}_{attention}_to_q"
            shapes |= {f"{name}.conditioning1.0.weight": (_HINT // 2, 3, 4, 4)}
            shapes |= {f"{name}.conditioning1.2.weight": (_HINT, _HINT // 2, 2, 2)}
            shapes |= {f"{name}.conditioning1.0.bias": (_HINT // 2,), f"{name}.conditioning1.2.bias": (_HINT,)}
            for part, inputs, outputs in (("down", width, _MLP), ("mid", _MLP + _HINT, _MLP), ("up", _MLP, width)):
                shapes |= {f"{name}.{part}.0.weight": (outputs, inputs), f"{name}.{part}.0.bias": (outputs,)}
    return shapes


def write_network(path: Path, shapes: Shapes, seed: int) -> Path:
    """Write one of the above."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(random_tensors(shapes, seed), str(path))
    return path


def write_hypernetwork(path: Path, config: UNetConfig = SDXL) -> Path:
    """Write a hypernetwork on the text and on the style block's own features."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content: dict[object, object] = {"name": path.stem, "step": 1, "layer_structure": [1, _BOTTLENECK, 1]}
    content |= {"activation_func": "linear", "is_layer_norm": False, "activate_output": False, "use_dropout": False}
    for width in (config.context, config.channels * config.multipliers[-1]):
        content[width] = tuple(_bottleneck(width, seed) for seed in (35, 36))
    save_as_older_torch(content, path)
    return path


def _bottleneck(width: int, seed: int) -> dict[str, torch.Tensor]:
    narrow = int(width * _BOTTLENECK)
    shapes: Shapes = {"linear.0.weight": (narrow, width), "linear.0.bias": (narrow,)}
    shapes |= {"linear.1.weight": (width, narrow), "linear.1.bias": (width,)}
    return random_tensors(shapes, seed)
