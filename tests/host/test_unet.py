"""The stand-in's models compute what diffusers and transformers compute with the same weights."""

from __future__ import annotations

import sys

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModelWithProjection

from tests.host.launcher import HOST_ROOT
from tests.support.architecture import Architecture, fill_diffusers
from tests.tiny.tensors import random_tensors
from tests.tiny.towers import autoencoder_shapes
from tests.tiny.unet import SD15, SDXL, unet_shapes

if str(HOST_ROOT) not in sys.path:
    sys.path.insert(0, str(HOST_ROOT))

from sgm.models.autoencoder import AutoencoderKL as HostAutoencoder
from sgm.modules.diffusionmodules.util import timestep_embedding
from sgm.modules.encoders.modules import FrozenOpenCLIPEmbedder2

TOLERANCE = 1e-5
ROWS = 2


def relative_error(actual: torch.Tensor, expected: torch.Tensor) -> float:
    return ((actual - expected).norm() / expected.norm()).item()


def filled_pair(architecture: Architecture) -> tuple[torch.nn.Module, UNet2DConditionModel]:
    tensors = random_tensors(unet_shapes(architecture.config), seed=1, dtype=torch.float32)
    unet = architecture.ldm().eval().requires_grad_(False)
    unet.load_state_dict(tensors)
    return unet, fill_diffusers(architecture.diffusers(), tensors)


def test_sdxl_unet_equals_diffusers():
    unet, reference = filled_pair(Architecture(SDXL, head_width=8, number_width=256))
    torch.manual_seed(0)
    x, context, pooled = torch.randn(ROWS, 4, 16, 24), torch.randn(ROWS, 77, 2048), torch.randn(ROWS, 1280)
    numbers = torch.tensor([[512.0, 768, 0, 0, 512, 768]] * ROWS)
    timesteps = torch.tensor([999.0, 3.25])
    y = torch.cat([pooled, timestep_embedding(numbers.flatten(), 256).reshape(ROWS, -1)], dim=1)
    expected = reference(x, timesteps, context, added_cond_kwargs={"text_embeds": pooled, "time_ids": numbers}).sample
    actual = unet(x, timesteps=timesteps, context=context, y=y)
    assert relative_error(actual, expected) <= TOLERANCE


def test_sd15_unet_equals_diffusers():
    unet, reference = filled_pair(Architecture(SD15, heads=8))
    torch.manual_seed(0)
    x, context = torch.randn(ROWS, 4, 16, 16), torch.randn(ROWS, 77, 768)
    timesteps = torch.tensor([500.0, 1.0])
    expected = reference(x, timesteps, context).sample
    assert relative_error(unet(x, timesteps=timesteps, context=context), expected) <= TOLERANCE


def test_autoencoder_equals_diffusers():
    ddconfig = {"ch": 32, "ch_mult": [1, 2, 4, 4], "num_res_blocks": 2, "z_channels": 4, "in_channels": 3, "out_ch": 3}
    host = HostAutoencoder(ddconfig)
    host.load_state_dict(random_tensors(autoencoder_shapes(), seed=2, dtype=torch.float32))
    reference = AutoencoderKL(
        block_out_channels=(32, 64, 128, 128),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
    )
    state = {f"first_stage_model.{key}": value for key, value in host.state_dict().items()}
    reference.load_state_dict(convert_ldm_vae_checkpoint(state, dict(reference.config)))
    torch.manual_seed(0)
    picture = torch.randn(1, 3, 64, 48)
    with torch.no_grad():
        latent = reference.encode(picture).latent_dist.mean
        assert relative_error(host.encode(picture), latent) <= TOLERANCE
        assert relative_error(host.decode(latent), reference.decode(latent).sample) <= TOLERANCE


def test_second_text_tower_equals_transformers():
    width, layers, vocabulary = 128, 3, 600
    config = CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=width, intermediate_size=4 * width, num_hidden_layers=layers,
        num_attention_heads=width // 64, projection_dim=64, hidden_act="gelu", eos_token_id=vocabulary - 1,
    )  # fmt: skip
    torch.manual_seed(0)
    reference = CLIPTextModelWithProjection(config).eval()
    state = open_clip_layout(reference)
    host = FrozenOpenCLIPEmbedder2({key: value.shape for key, value in state.items()}, tokenizer=None).eval()
    host.load_state_dict(state)
    tokens = torch.tensor([[598, 5, 6, 599, *[0] * 73], [598, *range(75), 599]])
    with torch.no_grad():
        expected = reference(tokens, output_hidden_states=True)
        actual = host.encode_with_transformer(tokens)
    assert relative_error(actual["pooled"], expected.text_embeds) <= TOLERANCE
    assert relative_error(actual["penultimate"], expected.hidden_states[-2]) <= TOLERANCE


def open_clip_layout(reference: CLIPTextModelWithProjection) -> dict[str, torch.Tensor]:
    text = reference.text_model
    state = {
        "model.token_embedding.weight": text.embeddings.token_embedding.weight,
        "model.positional_embedding": text.embeddings.position_embedding.weight,
        "model.ln_final.weight": text.final_layer_norm.weight,
        "model.ln_final.bias": text.final_layer_norm.bias,
        "model.text_projection": reference.text_projection.weight.T.contiguous(),
        "model.logit_scale": torch.zeros(()),
    }
    names = {"layer_norm1": "ln_1", "layer_norm2": "ln_2", "self_attn.out_proj": "attn.out_proj"}
    names |= {"mlp.fc1": "mlp.c_fc", "mlp.fc2": "mlp.c_proj"}
    for i, layer in enumerate(text.encoder.layers):
        prefix, parameters = f"model.transformer.resblocks.{i}", dict(layer.named_parameters())
        for kind in ("weight", "bias"):
            state |= {f"{prefix}.{new}.{kind}": parameters[f"{old}.{kind}"] for old, new in names.items()}
            parts = [parameters[f"self_attn.{part}_proj.{kind}"] for part in "qkv"]
            state[f"{prefix}.attn.in_proj_{kind}"] = torch.cat(parts)
    return {key: value.detach() for key, value in state.items()}


@pytest.mark.parametrize("width", [64])
def test_timestep_embedding_puts_cosines_first(width):
    embedding = timestep_embedding(torch.tensor([0.0]), width)[0]
    assert torch.equal(embedding, torch.tensor([1.0] * (width // 2) + [0.0] * (width // 2)))
