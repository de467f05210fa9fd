"""The models a WebUI loads: SDXL (base or refiner) and Stable Diffusion 1.5."""

from __future__ import annotations

import torch
from torch import nn

from sgm.modules.diffusionmodules.wrappers import OpenAIWrapper

_STEPS = 1000
_BETAS = (0.00085, 0.012)
_AESTHETIC = (2.5, 6.0)  # negative and positive prompt


def signal_shares() -> torch.Tensor:
    """Return ``ᾱ`` of each of the thousand steps: the scaled-linear schedule."""
    betas = torch.linspace(_BETAS[0] ** 0.5, _BETAS[1] ** 0.5, _STEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, dim=0).float()


class _Engine(nn.Module):
    parameterization = "eps"
    latent_channels = 4
    lowvram = False
    is_sdxl = is_ssd = is_sd1 = is_sd2 = is_sd3 = is_sdxl_inpaint = False

    def __init__(self, unet: nn.Module, first_stage: nn.Module, scale_factor: float) -> None:
        super().__init__()
        self.model = OpenAIWrapper(unet)
        self.first_stage_model = first_stage
        self.scale_factor = scale_factor
        self.register_buffer("alphas_cumprod", signal_shares(), persistent=False)

    def encode_first_stage(self, x: torch.Tensor) -> torch.Tensor:
        return self.first_stage_model.encode(x)

    def get_first_stage_encoding(self, z: torch.Tensor) -> torch.Tensor:
        return z * self.scale_factor

    def decode_first_stage(self, z: torch.Tensor) -> torch.Tensor:
        return self.first_stage_model.decode(z / self.scale_factor)


class DiffusionEngine(_Engine):
    """SDXL: two text towers (the refiner has one) and size conditioning."""

    is_sdxl = True
    cond_stage_key = "txt"

    def __init__(self, unet: nn.Module, first_stage: nn.Module, conditioner: nn.Module, scale_factor: float) -> None:
        super().__init__(unet, first_stage, scale_factor)
        self.conditioner = conditioner

    @property
    def cond_stage_model(self) -> nn.Module:
        return self.conditioner

    def get_learned_conditioning(self, texts: list[str]) -> dict[str, torch.Tensor]:
        """Encode prompts; a negative prompt without any text becomes zeros."""
        width, height = (getattr(texts, side, None) or 1024 for side in ("width", "height"))
        negative = getattr(texts, "is_negative_prompt", False)
        numbers = {
            "original_size_as_tuple": (height, width),
            "crop_coords_top_left": (0, 0),
            "target_size_as_tuple": (height, width),
            "aesthetic_score": (_AESTHETIC[0] if negative else _AESTHETIC[1],),
        }
        device = self.alphas_cumprod.device
        batch = {key: torch.tensor([pair] * len(texts), device=device) for key, pair in numbers.items()}
        silent = negative and all(text == "" for text in texts)
        return self.conditioner({"txt": texts, **batch}, force_zero_embeddings=silent)

    def apply_model(self, x: torch.Tensor, t: torch.Tensor, cond: dict) -> torch.Tensor:
        return self.model(x, t, cond)


class LatentDiffusion(_Engine):
    """Stable Diffusion 1.5: one text tower."""

    is_sd1 = True
    cond_stage_key = "txt"

    def __init__(self, unet: nn.Module, first_stage: nn.Module, text: nn.Module, scale_factor: float) -> None:
        super().__init__(unet, first_stage, scale_factor)
        self.cond_stage_model = text

    def get_learned_conditioning(self, texts: list[str]) -> torch.Tensor:
        return self.cond_stage_model(texts)

    def apply_model(self, x: torch.Tensor, t: torch.Tensor, cond: dict) -> torch.Tensor:
        return self.model(x, t, {**cond, "crossattn": torch.cat(cond["c_crossattn"], dim=1)})
