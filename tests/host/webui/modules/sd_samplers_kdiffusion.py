"""Samplers that work on sigmas."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from modules import forge_models, k_samplers, sd_samplers_common, sd_schedulers, shared
from modules.script_callbacks import ExtraNoiseParams, extra_noise_callback
from modules.sd_samplers_cfg_denoiser import CFGDenoiser
from modules.sd_samplers_common import Sampler, SamplerData

_LCM_ORIGINAL_STEPS = 50
_LCM_TIMESTEP_SCALING, _LCM_SIGMA_DATA = 10.0, 0.5


class CompVisDenoiser(nn.Module):
    """A model that predicts noise or v at timesteps, as a denoiser at sigmas."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        object.__setattr__(self, "inner_model", model)
        self.sigmas = ((1 - model.alphas_cumprod) / model.alphas_cumprod) ** 0.5
        self.log_sigmas = self.sigmas.log()

    def sigma_to_t(self, sigma: torch.Tensor) -> torch.Tensor:
        """Interpolate between timesteps in log-sigma."""
        log_sigma = sigma.log().reshape(-1, 1)
        low = (log_sigma >= self.log_sigmas).sum(dim=1).sub(1).clamp(0, len(self.log_sigmas) - 2)
        below, above = self.log_sigmas[low], self.log_sigmas[low + 1]
        return (low + ((log_sigma[:, 0] - below) / (above - below)).clamp(0, 1)).reshape(sigma.shape)

    def t_to_sigma(self, t: torch.Tensor) -> torch.Tensor:
        low = t.floor().long().clamp(0, len(self.log_sigmas) - 2)
        share = t - low
        return ((1 - share) * self.log_sigmas[low] + share * self.log_sigmas[low + 1]).exp()

    def get_sigmas(self, n: int) -> torch.Tensor:
        steps = torch.linspace(len(self.sigmas) - 1, 0, n, device=self.sigmas.device)
        return torch.cat([self.t_to_sigma(steps), self.sigmas.new_zeros(1)])

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, cond: Any) -> torch.Tensor:
        wide = sigma[:, None, None, None]
        norm = (wide**2 + 1) ** 0.5
        predicted = self.inner_model.apply_model(x / norm, self.sigma_to_t(sigma), cond)
        if self.inner_model.parameterization == "v":
            return x / norm**2 - predicted * wide / norm
        return x - wide * predicted


class LCMCompVisDenoiser(CompVisDenoiser):
    """The boundary condition of latent consistency models, at their 50 timesteps."""

    def sigma_to_t(self, sigma: torch.Tensor) -> torch.Tensor:
        skip = len(self.log_sigmas) // _LCM_ORIGINAL_STEPS
        return ((super().sigma_to_t(sigma) + 1) / skip).round().clamp(min=1) * skip - 1

    def forward(self, x: torch.Tensor, sigma: torch.Tensor, cond: Any) -> torch.Tensor:
        denoised = super().forward(x, sigma, cond)
        scaled = (self.sigma_to_t(sigma) * _LCM_TIMESTEP_SCALING)[:, None, None, None]
        total = scaled**2 + _LCM_SIGMA_DATA**2
        shrunk = x / (sigma[:, None, None, None] ** 2 + 1) ** 0.5
        return denoised * scaled / total**0.5 + shrunk * _LCM_SIGMA_DATA**2 / total


class CFGDenoiserKDiffusion(CFGDenoiser):
    wrapper: type[CompVisDenoiser] = CompVisDenoiser

    @property
    def inner_model(self) -> CompVisDenoiser:
        if self.model_wrap is None:
            self.model_wrap = self.wrapper(forge_models.engine_of(shared.sd_model))
        return self.model_wrap

    def timestep_of(self, sigma: torch.Tensor) -> float:
        return float(self.inner_model.sigma_to_t(sigma)[0])


class CFGDenoiserLCM(CFGDenoiserKDiffusion):
    wrapper = LCMCompVisDenoiser


class KDiffusionSampler(Sampler):
    denoiser_class: type[CFGDenoiser] = CFGDenoiserKDiffusion

    def get_sigmas(self, p: Any, steps: int) -> torch.Tensor:
        scheduler = sd_schedulers.schedulers_map.get(p.hr_scheduler if p.is_hr_pass else p.scheduler)
        if scheduler is None or scheduler.function is None:
            scheduler = sd_schedulers.schedulers_map[self.config.options.get("scheduler", "uniform")]
        wrap = self.model_wrap_cfg.inner_model
        sigmas = scheduler.function(steps, float(wrap.sigmas[0]), float(wrap.sigmas[-1]), wrap)
        return sigmas.to(wrap.sigmas.device)

    def _run(self, x: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        return k_samplers.sample(
            self.funcname,
            self.model_wrap_cfg,
            x,
            sigmas,
            self.sampler_extra_args,
            self.callback_state,
            lambda: self.p.rng.next(),
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
        sigmas = self.get_sigmas(p, steps)
        self._prepare(p, conditioning, unconditional_conditioning, image_conditioning)
        self.last_latent = x
        return self.launch_sampling(steps, lambda: self._run(x * sigmas[0], sigmas))

    def sample_img2img(
        self, p: Any, x: Any, noise: Any, conditioning: Any, unconditional_conditioning: Any, steps: Any = None,
        image_conditioning: Any = None,
    ) -> torch.Tensor:  # fmt: skip
        steps, t_enc = sd_samplers_common.setup_img2img_steps(p, steps)
        sigmas = self.get_sigmas(p, steps)[steps - t_enc - 1 :]
        xi = add_extra_noise(p, x, x + noise * sigmas[0], noise)
        self._prepare(p, conditioning, unconditional_conditioning, image_conditioning)
        self.model_wrap_cfg.init_latent = x
        self.last_latent = x
        return self.launch_sampling(t_enc + 1, lambda: self._run(xi, sigmas))


class LCMSampler(KDiffusionSampler):
    denoiser_class = CFGDenoiserLCM


def add_extra_noise(p: Any, x: torch.Tensor, xi: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Add the noise that the settings want in img2img and hires fix."""
    amount = shared.opts.img2img_extra_noise
    if amount <= 0:
        return xi
    p.extra_generation_params["Extra noise"] = amount
    params = ExtraNoiseParams(noise, x, xi)
    extra_noise_callback(params)
    return xi + params.noise * amount


_SECOND_ORDER = {"second_order": True}
_TABLE: list[tuple[str, str, list[str], dict[str, Any]]] = [
    ("DPM++ 2M", "sample_dpmpp_2m", ["k_dpmpp_2m"], {"scheduler": "karras"}),
    ("DPM++ SDE", "sample_dpmpp_sde", ["k_dpmpp_sde"], {"scheduler": "karras", **_SECOND_ORDER}),
    ("DPM++ 2M SDE", "sample_dpmpp_2m_sde", ["k_dpmpp_2m_sde"], {"scheduler": "exponential"}),
    ("DPM++ 2S a", "sample_dpmpp_2s_ancestral", ["k_dpmpp_2s_a"], {"scheduler": "karras", **_SECOND_ORDER}),
    ("Euler a", "sample_euler_ancestral", ["k_euler_a", "k_euler_ancestral"], {}),
    ("Euler", "sample_euler", ["k_euler"], {}),
    ("LMS", "sample_lms", ["k_lms"], {}),
    ("Heun", "sample_heun", ["k_heun"], _SECOND_ORDER),
    ("DPM2", "sample_dpm_2", ["k_dpm_2"], {"scheduler": "karras", **_SECOND_ORDER}),
    ("DPM2 a", "sample_dpm_2_ancestral", ["k_dpm_2_a"], {"scheduler": "karras", **_SECOND_ORDER}),
]


def _data(label: str, function: str, aliases: list[str], options: dict, kind: type[Sampler]) -> SamplerData:
    return SamplerData(label, lambda _model: kind(function), aliases, options)


samplers_data_k_diffusion = [
    *(_data(*entry, KDiffusionSampler) for entry in _TABLE),
    _data("LCM", "sample_lcm", ["k_lcm"], {}, LCMSampler),
]
