"""From the first pass of hires fix to the size of the second: in latent space, or through pixels."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from modules import images, sd_samplers_common

_DIVISOR = 8
latent_upscale_modes = {
    "Latent": ("bilinear", False),
    "Latent (antialiased)": ("bilinear", True),
    "Latent (bicubic)": ("bicubic", False),
    "Latent (bicubic antialiased)": ("bicubic", True),
    "Latent (nearest)": ("nearest", False),
    "Latent (nearest-exact)": ("nearest-exact", False),
}
image_upscalers = {
    "None": images.Image.Resampling.NEAREST,
    "Nearest": images.Image.Resampling.NEAREST,
    "Lanczos": images.LANCZOS,
}


def upscale(samples: torch.Tensor, decoded: torch.Tensor | None, upscaler: str, size: tuple[int, int]) -> torch.Tensor:
    """Return latents for pictures of ``size``, width first. ``decoded`` are the pictures, if pixels are scaled."""
    width, height = size
    if upscaler in latent_upscale_modes:
        mode, antialias = latent_upscale_modes[upscaler]
        options = {"antialias": True} if antialias else {}
        return F.interpolate(samples, size=(height // _DIVISOR, width // _DIVISOR), mode=mode, **options)
    pixels = [images.Image.fromarray((255 * d.permute(1, 2, 0).cpu().numpy()).astype(np.uint8)) for d in decoded]
    big = [image.resize(size, image_upscalers[upscaler]) for image in pixels]
    batch = torch.stack([torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255 for image in big])
    return sd_samplers_common.images_tensor_to_samples(batch)
