"""UNets of any size in the stand-in's code and in diffusers', from one description and one set of weights."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from diffusers import UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint

from tests.host.launcher import HOST_ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

    from tests.tiny.unet import UNetConfig

SIZE_NUMBERS = 6  # of SDXL's size conditioning: original height and width, crop, target height and width


@dataclass(frozen=True)
class Architecture:
    """What the shapes of the weights do not tell, and they.

    Attributes:
        config: The sizes.
        head_width: Channels of an attention head, the same at all levels as in SDXL; None where ``heads`` are.
        heads: Attention heads, the same at all levels as in Stable Diffusion 1.5.
        number_width: Sinusoids for each number of the size conditioning; 0 without one.
    """

    config: UNetConfig
    head_width: int | None = None
    heads: int | None = None
    number_width: int = 0

    @property
    def pooled(self) -> int:
        """Width of the pooled text embedding."""
        return (self.config.vector or 0) - SIZE_NUMBERS * self.number_width

    def ldm(self) -> nn.Module:
        """Build the stand-in's UNet."""
        unet: nn.Module = _ldm_class()(**self._ldm_arguments())
        return unet

    def diffusers(self) -> UNet2DConditionModel:
        """Build diffusers' UNet."""
        return UNet2DConditionModel(**self._diffusers_arguments())

    def _ldm_arguments(self) -> dict[str, Any]:
        config = self.config
        return {
            "in_channels": 4,
            "out_channels": 4,
            "model_channels": config.channels,
            "attention_resolutions": [2**level for level, depth in enumerate(config.depths) if depth],
            "num_res_blocks": config.residual_blocks,
            "channel_mult": config.multipliers,
            "num_heads": self.heads,
            "num_head_channels": self.head_width,
            "use_linear_in_transformer": config.linear_projections,
            "transformer_depth": config.depths,
            "transformer_depth_middle": config.middle_depth,
            "context_dim": config.context,
            "adm_in_channels": config.vector,
            "num_classes": "sequential",
        }

    def _diffusers_arguments(self) -> dict[str, Any]:
        config = self.config
        widths = tuple(config.channels * multiplier for multiplier in config.multipliers)
        heads = tuple(self.heads or width // (self.head_width or width) for width in widths)
        sizes = {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": self.number_width,
            "projection_class_embeddings_input_dim": config.vector,
        }
        return {
            "block_out_channels": widths,
            "layers_per_block": config.residual_blocks,
            "down_block_types": tuple("CrossAttnDownBlock2D" if d else "DownBlock2D" for d in config.depths),
            "up_block_types": tuple("CrossAttnUpBlock2D" if d else "UpBlock2D" for d in reversed(config.depths)),
            "transformer_layers_per_block": tuple(max(depth, 1) for depth in config.depths),
            "attention_head_dim": heads,  # which is what diffusers means by it
            "cross_attention_dim": config.context,
            "use_linear_projection": config.linear_projections,
            **(sizes if self.number_width else {}),
        }


def fill_diffusers(unet: UNet2DConditionModel, tensors: Mapping[str, torch.Tensor]) -> UNet2DConditionModel:
    """Give ``unet`` the very tensors of an LDM UNet, named as there; they share their memory."""
    prefixed = {f"model.diffusion_model.{key}": tensor for key, tensor in tensors.items()}
    unet.load_state_dict(convert_ldm_unet_checkpoint(prefixed, dict(unet.config)), assign=True)
    return unet.eval().requires_grad_(False)


def _ldm_class() -> type[nn.Module]:
    """Import the stand-in's UNet without leaving the stand-in on the path."""
    sys.path.insert(0, str(HOST_ROOT))
    try:
        from sgm.modules.diffusionmodules.openaimodel import UNetModel
    finally:
        sys.path.remove(str(HOST_ROOT))
    return UNetModel
