"""Sizes of the miniature's parts, and the parts themselves, built from the stand-in's own modules."""

from __future__ import annotations

import sys
from typing import Any

from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from tests.host.launcher import HOST_ROOT
from tests.mini.captions import LENGTH
from tests.support.architecture import SIZE_NUMBERS, Architecture
from tests.tiny.unet import UNetConfig

if str(HOST_ROOT) not in sys.path:
    sys.path.insert(0, str(HOST_ROOT))
from sgm.models.autoencoder import AutoencoderKL
from sgm.modules.encoders.modules import OpenCLIPText

SPACE = 64  # numbers in the space that pictures and texts share
CLIP_L_WIDTH = 32
CLIP_L_LAYERS = 2
BIGG_LAYERS = 3
NUMBER_WIDTH = 16  # sinusoids for each of the six size numbers
CONTEXT = CLIP_L_WIDTH + SPACE
VECTOR = SPACE + SIZE_NUMBERS * NUMBER_WIDTH
HEAD_WIDTH = 16
IMAGE_TOKENS = 4
LATENT_SIDE = 16  # of a picture of 128 pixels
# All levels are 64 wide: the hosts normalise in 32 groups, and a group of one channel would lose its mean,
# which is the colour of a flat ground.
UNET = UNetConfig(64, (1, 1, 1), (0, 1, 2), 2, CONTEXT, VECTOR)
AUTOENCODER: dict[str, Any] = {
    "double_z": True,
    "z_channels": 4,
    "resolution": 128,
    "in_channels": 3,
    "out_ch": 3,
    "ch": 64,
    "ch_mult": [1, 1, 1, 1],
    "num_res_blocks": 0,
    "attn_resolutions": [],
    "dropout": 0.0,
}
VISION = {
    "hidden_size": 96,
    "intermediate_size": 384,
    "projection_dim": SPACE,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "image_size": 64,
    "patch_size": 8,
    "hidden_act": "gelu",
}


def unet() -> nn.Module:
    """Build the UNet with random weights, its output zero at first."""
    model = Architecture(UNET, HEAD_WIDTH, number_width=NUMBER_WIDTH).ldm()
    for name, module in model.named_modules():
        if name.endswith(("out_layers.3", "proj_out")) or name == "out.2":
            nn.init.zeros_(module.weight)
            nn.init.zeros_(module.bias)
    return model


def autoencoder() -> AutoencoderKL:
    """Build the autoencoder with random weights."""
    return AutoencoderKL(AUTOENCODER)


def clip_l(vocabulary: int) -> CLIPTextModel:
    """Build the first text tower."""
    return CLIPTextModel(CLIPTextConfig(**clip_l_config(vocabulary)))


def clip_l_config(vocabulary: int) -> dict[str, Any]:
    """Return the first text tower's configuration."""
    return {
        "hidden_size": CLIP_L_WIDTH,
        "intermediate_size": 4 * CLIP_L_WIDTH,
        "num_hidden_layers": CLIP_L_LAYERS,
        "num_attention_heads": 2,
        "max_position_embeddings": LENGTH,
        "vocab_size": vocabulary,
        "bos_token_id": vocabulary - 2,
        "eos_token_id": vocabulary - 1,
        "hidden_act": "quick_gelu",
    }


def bigg(vocabulary: int) -> OpenCLIPText:
    """Build the second text tower, whose pooled vector lives in the space of pictures."""
    tower = OpenCLIPText(SPACE, BIGG_LAYERS, vocabulary, LENGTH, SPACE)
    for tensor in (tower.token_embedding.weight, tower.positional_embedding):
        nn.init.normal_(tensor, std=0.02)
    nn.init.normal_(tower.text_projection, std=SPACE**-0.5)
    return tower


def vision() -> CLIPVisionModelWithProjection:
    """Build the vision tower."""
    return CLIPVisionModelWithProjection(CLIPVisionConfig(**VISION))
