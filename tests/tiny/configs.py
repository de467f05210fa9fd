"""What a WebUI reads from the ``.yaml`` beside a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.tiny.towers import AUTOENCODER_CHANNELS, BIGG_LAYERS, BIGG_VOCABULARY, BIGG_WIDTH, CLIP_L_LAYERS, POSITIONS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.tiny.unet import UNetConfig

ARCHITECTURE = "tiny-bigG"
_SGM = "sgm.modules"
_BIGG_HEAD_WIDTH = 64


def _tiny_autoencoder() -> dict[str, Any]:
    return {
        "double_z": True,
        "z_channels": 4,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": AUTOENCODER_CHANNELS,
        "ch_mult": [1, 2, 4, 4],
        "num_res_blocks": 2,
        "attn_resolutions": [],
        "dropout": 0.0,
    }


@dataclass(frozen=True)
class Sdxl:
    """What distinguishes one small model of SDXL's topology from another.

    Attributes:
        unet: Sizes of the UNet.
        architecture: Name under which open_clip knows the second text tower.
        clip_l_layers: Layers of the first text tower.
        autoencoder: ``ddconfig`` of the autoencoder.
        number_width: Sinusoids for each number of the size conditioning.
        head_width: Channels of an attention head.
        scale: Factor that gives latents a deviation of one.
        prediction: What the UNet predicts: "Eps" or "V".
    """

    unet: UNetConfig
    architecture: str = ARCHITECTURE
    clip_l_layers: int = CLIP_L_LAYERS
    autoencoder: dict[str, Any] = field(default_factory=_tiny_autoencoder)
    number_width: int = 256
    head_width: int = 8
    scale: float = 0.13025
    prediction: str = "Eps"


def open_clip_architecture(width: int = BIGG_WIDTH, layers: int = BIGG_LAYERS) -> dict[str, Any]:
    """Return the description under which open_clip builds a text tower, once it is told of it."""
    return {
        "embed_dim": width,
        "vision_cfg": {"image_size": 224, "layers": 1, "width": 64, "head_width": 32, "patch_size": 112},
        "text_cfg": {
            "context_length": POSITIONS,
            "vocab_size": BIGG_VOCABULARY,
            "width": width,
            "heads": width // _BIGG_HEAD_WIDTH,
            "layers": layers,
        },
    }


def sdxl(model: Sdxl, tokenizer: Path) -> dict[str, Any]:
    """Return the configuration of an SDXL base model."""
    clip_l = {"layer": "hidden", "layer_idx": model.clip_l_layers - 1, "version": str(tokenizer.resolve())}
    embedders = [_embedder("FrozenCLIPEmbedder", "txt", clip_l), _bigg(model)]
    names = ("original_size_as_tuple", "crop_coords_top_left", "target_size_as_tuple")
    return _engine(model, [*embedders, *_numbers(model, *names)])


def refiner(unet: UNetConfig) -> dict[str, Any]:
    """Return the configuration of an SDXL refiner."""
    model = Sdxl(unet)
    numbers = _numbers(model, "original_size_as_tuple", "crop_coords_top_left", "aesthetic_score")
    return _engine(model, [_bigg(model), *numbers])


def sd15(unet: UNetConfig, tokenizer: Path) -> dict[str, Any]:
    """Return the configuration of a Stable Diffusion 1.5 model."""
    params = {
        "linear_start": 0.00085,
        "linear_end": 0.012,
        "timesteps": 1000,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "image_size": 64,
        "channels": 4,
        "conditioning_key": "crossattn",
        "scale_factor": 0.18215,
        "use_ema": False,
        "unet_config": {
            "target": "ldm.modules.diffusionmodules.openaimodel.UNetModel",
            "params": {
                **_unet(unet),
                "image_size": 32,
                "num_heads": 8,
                "attention_resolutions": [4, 2, 1],
                "transformer_depth": 1,
            },
        },
        "first_stage_config": {
            "target": "ldm.models.autoencoder.AutoencoderKL",
            "params": {"embed_dim": 4, "ddconfig": _tiny_autoencoder(), "lossconfig": {"target": "torch.nn.Identity"}},
        },
        "cond_stage_config": {
            "target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder",
            "params": {"version": str(tokenizer.resolve())},
        },
    }
    return {"model": {"target": "ldm.models.diffusion.ddpm.LatentDiffusion", "params": params}}


def _engine(model: Sdxl, embedders: list[dict[str, Any]]) -> dict[str, Any]:
    diffusion = f"{_SGM}.diffusionmodules"
    denoiser = {
        "num_idx": 1000,
        "weighting_config": {"target": f"{diffusion}.denoiser_weighting.{model.prediction}Weighting"},
        "scaling_config": {"target": f"{diffusion}.denoiser_scaling.{model.prediction}Scaling"},
        "discretization_config": {"target": f"{diffusion}.discretizer.LegacyDDPMDiscretization"},
    }
    unet = model.unet
    network = {
        **_unet(unet),
        "adm_in_channels": unet.vector,
        "num_classes": "sequential",
        "num_head_channels": model.head_width,
        "attention_resolutions": [4, 2],
        "use_linear_in_transformer": True,
        "transformer_depth": [max(depth, 1) for depth in unet.depths],
        "transformer_depth_middle": unet.middle_depth,
        "spatial_transformer_attn_type": "softmax-xformers",
    }
    autoencoder = {
        "embed_dim": 4,
        "monitor": "val/rec_loss",
        "ddconfig": {"attn_type": "vanilla-xformers", **model.autoencoder},
        "lossconfig": {"target": "torch.nn.Identity"},
    }
    params = {
        "scale_factor": model.scale,
        "disable_first_stage_autocast": True,
        "denoiser_config": {"target": f"{diffusion}.denoiser.DiscreteDenoiser", "params": denoiser},
        "network_config": {"target": f"{diffusion}.openaimodel.UNetModel", "params": network},
        "conditioner_config": {"target": f"{_SGM}.GeneralConditioner", "params": {"emb_models": embedders}},
        "first_stage_config": {"target": "sgm.models.autoencoder.AutoencoderKLInferenceWrapper", "params": autoencoder},
    }
    return {"model": {"target": "sgm.models.diffusion.DiffusionEngine", "params": params}}


def _unet(unet: UNetConfig) -> dict[str, Any]:
    return {
        "in_channels": 4,
        "out_channels": 4,
        "model_channels": unet.channels,
        "num_res_blocks": unet.residual_blocks,
        "channel_mult": list(unet.multipliers),
        "use_spatial_transformer": True,
        "context_dim": unet.context,
        "use_checkpoint": False,
        "legacy": False,
    }


def _bigg(model: Sdxl) -> dict[str, Any]:
    params = {"arch": model.architecture, "version": "", "freeze": True, "layer": "penultimate"}
    return _embedder("FrozenOpenCLIPEmbedder2", "txt", {**params, "always_return_pooled": True, "legacy": False})


def _numbers(model: Sdxl, *keys: str) -> list[dict[str, Any]]:
    return [_embedder("ConcatTimestepEmbedderND", key, {"outdim": model.number_width}) for key in keys]


def _embedder(kind: str, key: str, params: dict[str, Any]) -> dict[str, Any]:
    target = f"{_SGM}.encoders.modules.{kind}"
    return {"is_trainable": False, "input_key": key, "target": target, "params": params}
