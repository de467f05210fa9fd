"""Checkpoint files: which there are, and building and filling a model from one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest import mock

import torch
import yaml
from safetensors.torch import load_file
from sgm.models.autoencoder import AutoencoderKL
from sgm.models.diffusion import DiffusionEngine, LatentDiffusion
from sgm.modules.diffusionmodules.openaimodel import UNetModel
from sgm.modules.encoders.modules import (
    ConcatTimestepEmbedderND,
    FrozenCLIPEmbedder,
    FrozenOpenCLIPEmbedder2,
    GeneralConditioner,
)
from torch import nn
from transformers import CLIPTokenizer

from modules import hashes
from modules.paths_internal import models_path

_SHORT = 10


class CheckpointInfo:
    """A checkpoint file and the names it goes by."""

    def __init__(self, filename: str) -> None:
        path = Path(filename)
        self.filename = filename
        self.name = path.relative_to(Path(models_path) / "Stable-diffusion").as_posix()
        self.name_for_extra = self.model_name = path.stem
        self.is_safetensors = True
        self.metadata: dict[str, Any] = {}
        self.sha256 = hashes.sha256_from_cache(filename, f"checkpoint/{self.name}")
        self.shorthash = self.sha256[:_SHORT] if self.sha256 else None
        self.hash = self.shorthash

    @property
    def title(self) -> str:
        return f"{self.name} [{self.shorthash}]" if self.shorthash else self.name

    @property
    def short_title(self) -> str:
        return f"{self.name_for_extra} [{self.shorthash}]" if self.shorthash else self.name_for_extra

    @property
    def ids(self) -> list[str]:
        found = [self.name, self.model_name, self.title, self.short_title, self.shorthash, self.sha256]
        return [entry for entry in found if entry]

    def calculate_shorthash(self) -> str | None:
        """Hash the file, unless ``--no-hashing`` forbids it."""
        self.sha256 = hashes.sha256(self.filename, f"checkpoint/{self.name}")
        self.shorthash = self.sha256[:_SHORT] if self.sha256 else None
        return self.shorthash

    def read_config(self) -> dict[str, Any]:
        """Return ``model`` of the ``.yaml`` beside the file.

        Raises:
            FileNotFoundError: If there is none; the stand-in knows no architecture by heart.
        """
        return yaml.safe_load(Path(self.filename).with_suffix(".yaml").read_text(encoding="utf-8"))["model"]

    @property
    def is_sdxl_base(self) -> bool:
        embedders = self.read_config()["params"].get("conditioner_config", {"params": {"emb_models": []}})
        return sum(entry["input_key"] == "txt" for entry in embedders["params"]["emb_models"]) > 1

    def read_state_dict(self) -> dict[str, torch.Tensor]:
        return load_file(self.filename)


# As the host does (sd_disable_initialization): random numbers for weights that are read from a file are time lost.
_INITIALISERS = ("kaiming_uniform_", "xavier_uniform_", "_no_grad_normal_", "_no_grad_uniform_")


def list_checkpoints() -> list[CheckpointInfo]:
    folder = Path(models_path) / "Stable-diffusion"
    return [CheckpointInfo(str(path)) for path in sorted(folder.rglob("*.safetensors"))]


def build(config: dict[str, Any], state: dict[str, torch.Tensor]) -> nn.Module:
    """Build the model that ``config`` describes. Its weights are arbitrary until `fill` gives it all of them."""
    with mock.patch.multiple(nn.init, **dict.fromkeys(_INITIALISERS, _leave)):
        return _build(config["params"], state)


def _leave(tensor: torch.Tensor, *_args: Any, **_kwargs: Any) -> torch.Tensor:
    return tensor


def _build(params: dict[str, Any], state: dict[str, torch.Tensor]) -> nn.Module:
    first_stage = AutoencoderKL(**params["first_stage_config"]["params"])
    if "conditioner_config" in params:
        unet = UNetModel(**params["network_config"]["params"])
        embedders = params["conditioner_config"]["params"]["emb_models"]
        built = [_embedder(entry, state, f"conditioner.embedders.{i}.") for i, entry in enumerate(embedders)]
        engine = DiffusionEngine(unet, first_stage, GeneralConditioner(built), params["scale_factor"])
        scaling = params["denoiser_config"]["params"]["scaling_config"]["target"]
        engine.parameterization = "v" if scaling.endswith(".VScaling") else "eps"
        return engine
    unet = UNetModel(**params["unet_config"]["params"])
    text = FrozenCLIPEmbedder(_tokenizer_folder(params["cond_stage_config"]["params"].get("version")))
    return LatentDiffusion(unet, first_stage, text, params["scale_factor"])


def _embedder(entry: dict[str, Any], state: dict[str, torch.Tensor], prefix: str) -> nn.Module:
    kind, params = entry["target"].rpartition(".")[2], entry.get("params", {})
    if kind == "FrozenCLIPEmbedder":
        embedder: nn.Module = FrozenCLIPEmbedder(_tokenizer_folder(params.get("version")), params.get("layer_idx"))
    elif kind == "FrozenOpenCLIPEmbedder2":
        shapes = {key.removeprefix(prefix): value.shape for key, value in state.items() if key.startswith(prefix)}
        embedder = FrozenOpenCLIPEmbedder2(shapes, CLIPTokenizer.from_pretrained(_tokenizer_folder(None)))
    else:
        embedder = ConcatTimestepEmbedderND(params["outdim"])
    embedder.input_key = entry["input_key"]
    return embedder


def _tokenizer_folder(version: str | None) -> Path:
    """Return the folder named in the ``.yaml`` if it is here, else the one in the models folder."""
    named = Path(version) if version else None
    return named if named is not None and named.is_dir() else Path(models_path) / "tokenizer"


def fill(model: nn.Module, state: dict[str, torch.Tensor]) -> None:
    """Copy the weights into ``model``, whose modules stay the same objects.

    Raises:
        RuntimeError: If the file lacks a weight that the model has.
    """
    with torch.no_grad():
        missing, unexpected = model.load_state_dict(state, strict=False)
    if missing:
        raise RuntimeError(f"The checkpoint lacks {len(missing)} tensors, the first of which is {missing[0]}.")
    if unexpected:
        print(f"{len(unexpected)} tensors of the checkpoint were not used, among them {unexpected[0]}.")
