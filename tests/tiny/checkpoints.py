"""Tiny checkpoints in their original key layouts, each with the ``.yaml`` that tells a WebUI how to build it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, save_file

from tests.tiny import configs
from tests.tiny.tensors import random_tensors
from tests.tiny.tokenizer import VOCABULARY_SIZE
from tests.tiny.towers import autoencoder_shapes, bigg_shapes, clip_l_shapes
from tests.tiny.unet import REFINER, SD15, SDXL, SDXL_WIDE, UNetConfig, unet_shapes

if TYPE_CHECKING:
    from tests.tiny.unet import Shapes


def write_sdxl(folder: Path, name: str = "tiny-sdxl", seed: int = 0, unet: UNetConfig = SDXL) -> Path:
    """Write an SDXL base model; ``seed`` changes its UNet only."""
    towers = _prefixed("conditioner.embedders.0.", clip_l_shapes(VOCABULARY_SIZE))
    towers |= _prefixed("conditioner.embedders.1.", bigg_shapes())
    return _write(folder, name, towers, unet, seed, configs.sdxl(configs.Sdxl(unet), folder.parent / "tokenizer"))


def write_sdxl_v(folder: Path, name: str = "tiny-sdxl-v") -> Path:
    """Write the weights of `write_sdxl` as a model that predicts v: marked in the file, and told by its ``.yaml``."""
    source = write_sdxl(folder, name)
    save_file({**load_file(source), "v_pred": torch.ones(1)}, str(source))
    config = configs.sdxl(configs.Sdxl(SDXL, prediction="V"), folder.parent / "tokenizer")
    source.with_suffix(".yaml").write_text(json.dumps(config, indent=2), encoding="utf-8")
    return source


def write_sdxl_wide(folder: Path, name: str = "tiny-sdxl-wide") -> Path:
    """Write an SDXL base model whose levels are as wide, relative to each other, as T2I-Adapters take for granted."""
    return write_sdxl(folder, name, unet=SDXL_WIDE)


def write_refiner(folder: Path, name: str = "tiny-refiner", seed: int = 1) -> Path:
    """Write a model of the SDXL refiner's topology, which the extension must leave alone."""
    towers = _prefixed("conditioner.embedders.0.", bigg_shapes())
    return _write(folder, name, towers, REFINER, seed, configs.refiner(REFINER))


def write_sd15(folder: Path, name: str = "tiny-sd15", seed: int = 2) -> Path:
    """Write a model of Stable Diffusion 1.5's topology, which the extension must refuse."""
    towers = _prefixed("cond_stage_model.", clip_l_shapes(VOCABULARY_SIZE))
    return _write(folder, name, towers, SD15, seed, configs.sd15(SD15, folder.parent / "tokenizer"))


def _write(folder: Path, name: str, towers: Shapes, unet: UNetConfig, seed: int, config: dict[str, object]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    shared = towers | _prefixed("first_stage_model.", autoencoder_shapes())
    tensors = random_tensors(shared, seed=0)
    tensors |= random_tensors(_prefixed("model.diffusion_model.", unet_shapes(unet)), seed)
    for key in [key for key in tensors if key.endswith("position_ids")]:
        tensors[key] = torch.arange(tensors[key].shape[1])[None]
    path = folder / f"{name}.safetensors"
    save_file(tensors, str(path))
    path.with_suffix(".yaml").write_text(json.dumps(config, indent=2), encoding="utf-8")  # JSON is YAML
    return path


def _prefixed(prefix: str, shapes: Shapes) -> Shapes:
    return {f"{prefix}{key}": shape for key, shape in shapes.items()}
