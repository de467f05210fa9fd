"""Samplers that work on integer timesteps."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from modules import forge_models, sd_samplers_common, shared, timestep_samplers
from modules.sd_samplers_cfg_denoiser import CFGDenoiser
from modules.sd_samplers_common import Sampler, SamplerData
from modules.sd_samplers_kdiffusion import add_extra_noise


class CompVisTimestepsDenoiser(nn.Module):
    """The model itself: the noise at a timestep."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        object.__setattr__(self, "inner_model", model)

    def forward(self, x: torch.Tensor, timesteps: torch.Tensor, cond: Any) -> torch.Tensor:
        predicted = self.inner_model.apply_model(x, timesteps, cond)
        if self.inner_model.parameterization == "v":
            alpha = self.inner_model.alphas_cumprod[timesteps.long()][:, None, None, None]
            return alpha.sqrt() * predicted + (1 - alpha).sqrt() * x
        return predicted


class CFGDenoiserTimesteps(CFGDenoiser):
    mask_before_denoising = True

    @property
    def inner_model(self) -> CompVisTimestepsDenoiser:
        if self.model_wrap is None:
            self.model_wrap = CompVisTimestepsDenoiser(forge_models.engine_of(shared.sd_model))
        return self.model_wrap

    def timestep_of(self, sigma: torch.Tensor) -> float:
        return float(sigma[0])

    def get_pred_x0(self, x_in: torch.Tensor, x_out: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        alpha = self.inner_model.inner_model.alphas_cumprod[sigma.long()][:, None, None, None]
        return (x_in - (1 - alpha).sqrt() * x_out) / alpha.sqrt()


class CompVisSampler(Sampler):
    denoiser_class = CFGDenoiserTimesteps

    def get_timesteps(self, steps: int) -> torch.Tensor:
        return (torch.arange(0, 1000, 1000 // steps) + 1).clamp(0, 999)

    def _run(self, x: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        return timestep_samplers.sample(
            self.funcname, self.model_wrap_cfg, x, timesteps, self.sampler_extra_args, self.callback_state
        )

    def sample(
        self,
        p: Any,
        x: Any,
        conditioning: Any,
        unconditional_conditioning: Any,
        steps: Any = None,
        image_conditioning: Any = None,
    ) -> torch.Tensor:
        steps = steps or p.steps
        timesteps = self.get_timesteps(steps)
        self._prepare(p, conditioning, unconditional_conditioning, image_conditioning)
        self.last_latent = x
        return self.launch_sampling(steps, lambda: self._run(x, timesteps))

    def sample_img2img(
        self, p: Any, x: Any, noise: Any, conditioning: Any, unconditional_conditioning: Any, steps: Any = None,
        image_conditioning: Any = None,
    ) -> torch.Tensor:  # fmt: skip
        steps, t_enc = sd_samplers_common.setup_img2img_steps(p, steps)
        timesteps = self.get_timesteps(steps)
        alpha = forge_models.engine_of(shared.sd_model).alphas_cumprod[timesteps[t_enc]]
        xi = add_extra_noise(p, x, x * alpha.sqrt() + noise * (1 - alpha).sqrt(), noise)
        self._prepare(p, conditioning, unconditional_conditioning, image_conditioning)
        self.model_wrap_cfg.init_latent = x
        self.last_latent = x
        return self.launch_sampling(t_enc + 1, lambda: self._run(xi, timesteps[:t_enc]))


def _data(label: str, function: str, alias: str) -> SamplerData:
    return SamplerData(label, lambda _model: CompVisSampler(function), [alias])


samplers_data_timesteps = [
    _data("DDIM", "sample_ddim", "ddim"),
    _data("PLMS", "sample_plms", "plms"),
    _data("UniPC", "sample_unipc", "unipc"),
]
