"""One set of random weights, in as many LDM and diffusers UNets as are wanted: they share the memory."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
from diffusers.models.embeddings import get_timestep_embedding
from safetensors.torch import save_file

from lib_instantstyle.checkpoint import BIGG_WIDTH, open_adapter
from lib_instantstyle.rows import Row
from tests.host.launcher import HOST_ROOT
from tests.tiny import adapters
from tests.tiny.tensors import random_tensors
from tests.tiny.unet import UNetConfig, unet_shapes

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

_NUMBERS = (1024.0, 1024.0, 0.0, 0.0, 1024.0, 1024.0)  # SDXL's size conditioning
_TEXT_TOKENS = 77


@dataclass(frozen=True)
class Architecture:
    """A UNet of SDXL's topology.

    Attributes:
        config: Its sizes.
        head_width: Channels of an attention head.
        number_width: Sinusoids for each number of the size conditioning.
        dtype: Of its weights.
    """

    config: UNetConfig
    head_width: int
    number_width: int
    dtype: torch.dtype

    @property
    def pooled(self) -> int:
        """Width of the pooled text embedding."""
        return int(self.config.vector or 0) - len(_NUMBERS) * self.number_width

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each level."""
        return tuple(self.config.channels * multiplier for multiplier in self.config.multipliers)


class Inputs(NamedTuple):
    """The arguments of one UNet call, for both kinds of UNet; the conditional rows come first."""

    latent: torch.Tensor  # [rows, 4, height, width]
    timesteps: torch.Tensor  # [rows]
    context: torch.Tensor  # [rows, 77, context]
    pooled: torch.Tensor  # [rows, pooled]
    numbers: torch.Tensor  # [rows, 6]
    vector: torch.Tensor  # [rows, vector], the pooled embedding and the numbers' sinusoids
    rows: tuple[Row, ...]


class Models:
    """Makes UNets of one set of weights, and an adapter file that fits.

    Args:
        architecture: Of the UNets.
        folder: Gets the adapter's file, in half precision as the published ones are.
        device: Where the UNets are.
    """

    def __init__(self, architecture: Architecture, folder: Path, device: torch.device) -> None:
        self.architecture = architecture
        self.device = device
        tensors = random_tensors(unet_shapes(architecture.config), seed=3, dtype=architecture.dtype)
        self._tensors = {key: tensor.to(device) for key, tensor in tensors.items()}
        self.adapter_tensors = random_tensors(adapters.linear_shapes(BIGG_WIDTH, architecture.config), seed=4)
        path = folder / "adapter.safetensors"
        save_file(self.adapter_tensors, str(path))
        self.adapter = open_adapter(path)

    def ldm(self) -> nn.Module:
        """Return the stand-in's UNet."""
        with torch.device("meta"):
            unet = _ldm_class()(**_ldm_arguments(self.architecture))
        unet.load_state_dict(self._tensors, assign=True)
        return unet.eval().requires_grad_(False)

    def diffusers(self, *, with_adapter: bool = False) -> UNet2DConditionModel:
        """Return diffusers' UNet, with its IP-Adapter loaded if wished."""
        with torch.device("meta"):
            unet = UNet2DConditionModel(**_diffusers_arguments(self.architecture))
        prefixed = {f"model.diffusion_model.{key}": tensor for key, tensor in self._tensors.items()}
        unet.load_state_dict(convert_ldm_unet_checkpoint(prefixed, unet.config), assign=True)
        if with_adapter:
            unet._load_ip_adapter_weights([adapters.nest(self.adapter_tensors)])
        return unet.eval().requires_grad_(False)

    def inputs(self, pictures: int, size: int) -> Inputs:
        """Return random inputs for ``pictures`` pictures of ``size`` × ``size`` pixels, each with CFG's two rows."""
        rows = tuple(Row(conditional, picture) for conditional in (True, False) for picture in range(pictures))
        count, generator = len(rows), torch.Generator().manual_seed(5)

        def random(*shape: int) -> torch.Tensor:
            return torch.randn(count, *shape, generator=generator).to(self.device, self.architecture.dtype)

        pooled = random(self.architecture.pooled)
        numbers = torch.tensor(_NUMBERS, device=self.device).expand(count, -1)
        sinusoids = get_timestep_embedding(
            numbers.flatten(), self.architecture.number_width, flip_sin_to_cos=True, downscale_freq_shift=0
        )
        vector = torch.cat((pooled, sinusoids.reshape(count, -1).to(pooled.dtype)), dim=-1)
        latent, context = random(4, size // 8, size // 8), random(_TEXT_TOKENS, self.architecture.config.context)
        timesteps = torch.full((count,), 437.0, device=self.device)
        return Inputs(latent, timesteps, context, pooled, numbers, vector, rows)


def _ldm_class() -> type[nn.Module]:
    """Import the stand-in's UNet without leaving the stand-in on the path."""
    sys.path.insert(0, str(HOST_ROOT))
    try:
        from sgm.modules.diffusionmodules.openaimodel import UNetModel
    finally:
        sys.path.remove(str(HOST_ROOT))
    return UNetModel


def _ldm_arguments(architecture: Architecture) -> dict[str, Any]:
    config = architecture.config
    return {
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": config.channels,
        "attention_resolutions": [2**level for level, depth in enumerate(config.depths) if depth],
        "num_res_blocks": config.residual_blocks,
        "channel_mult": config.multipliers,
        "num_head_channels": architecture.head_width,
        "use_linear_in_transformer": config.linear_projections,
        "transformer_depth": config.depths,
        "transformer_depth_middle": config.middle_depth,
        "context_dim": config.context,
        "adm_in_channels": config.vector,
        "num_classes": "sequential",
    }


def _diffusers_arguments(architecture: Architecture) -> dict[str, Any]:
    config, widths = architecture.config, architecture.widths
    down = tuple("CrossAttnDownBlock2D" if depth else "DownBlock2D" for depth in config.depths)
    up = tuple("CrossAttnUpBlock2D" if depth else "UpBlock2D" for depth in reversed(config.depths))
    return {
        "block_out_channels": widths,
        "layers_per_block": config.residual_blocks,
        "down_block_types": down,
        "up_block_types": up,
        "transformer_layers_per_block": tuple(max(depth, 1) for depth in config.depths),
        "attention_head_dim": tuple(width // architecture.head_width for width in widths),  # diffusers means heads
        "cross_attention_dim": config.context,
        "use_linear_projection": config.linear_projections,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": architecture.number_width,
        "projection_class_embeddings_input_dim": config.vector,
    }
