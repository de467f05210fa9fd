"""Small adapters and encoders on disk, matching `SmallUNet`."""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from lib_instantstyle.unet.sites import enumerate_sites
from tests.support.unets import CONTEXT, SmallUNet
from tests.tiny.adapters import nest

TOKENS = 4


def linear_adapter(embedding: int = 1280, context: int = CONTEXT, seed: int = 1) -> dict[str, torch.Tensor]:
    """State dict of a linear adapter in the flat key layout."""
    generator = torch.Generator().manual_seed(seed)

    def random(*shape: int, scale: float = 1.0) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * scale

    tensors = {
        "image_proj.proj.weight": random(TOKENS * context, embedding, scale=embedding**-0.5),
        "image_proj.proj.bias": random(TOKENS * context),
        "image_proj.norm.weight": 1 + 0.1 * random(context),
        "image_proj.norm.bias": 0.1 * random(context),
    }
    return tensors | matrices(context, generator)


def matrices(context: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
    tensors = {}
    for site in enumerate_sites(SmallUNet(context)):
        for part in ("k", "v"):
            shape = (site.width, context)
            tensors[f"ip_adapter.{site.adapter_id}.to_{part}_ip.weight"] = (
                torch.randn(*shape, generator=generator) * context**-0.5
            )
    return tensors


def plus_adapter(hidden: int = 48, inner: int = 64, context: int = CONTEXT) -> dict[str, torch.Tensor]:
    """State dict of a Plus adapter with two Resampler layers."""
    generator = torch.Generator().manual_seed(3)
    shapes = {"latents": (1, 16, inner), "proj_in.weight": (inner, hidden), "proj_in.bias": (inner,)}
    shapes |= {"proj_out.weight": (context, inner), "proj_out.bias": (context,)}
    shapes |= {"norm_out.weight": (context,), "norm_out.bias": (context,)}
    for layer in ("layers.0", "layers.1"):
        for norm in ("0.norm1", "0.norm2", "1.0"):
            shapes |= {f"{layer}.{norm}.weight": (inner,), f"{layer}.{norm}.bias": (inner,)}
        shapes |= {f"{layer}.0.to_q.weight": (inner, inner), f"{layer}.0.to_kv.weight": (2 * inner, inner)}
        shapes |= {f"{layer}.0.to_out.weight": (inner, inner)}
        shapes |= {f"{layer}.1.1.weight": (4 * inner, inner), f"{layer}.1.3.weight": (inner, 4 * inner)}
    tensors = {f"image_proj.{key}": 0.2 * torch.randn(*shape, generator=generator) for key, shape in shapes.items()}
    return tensors | matrices(context, generator)


def save_safetensors(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, str(path))
    return path


def save_bin(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    """Save in the nested layout of the original ``.bin`` files."""
    torch.save(nest(tensors), path)
    return path


def vision_tower(
    hidden: int = 48, projection: int = 1280, image_size: int = 224, heads: int = 4
) -> CLIPVisionModelWithProjection:
    torch.manual_seed(5)
    config = CLIPVisionConfig(
        hidden_size=hidden,
        intermediate_size=64,
        projection_dim=projection,
        num_hidden_layers=3,
        num_attention_heads=heads,
        image_size=image_size,
        patch_size=56,
        hidden_act="gelu",
    )
    return CLIPVisionModelWithProjection(config).eval()
