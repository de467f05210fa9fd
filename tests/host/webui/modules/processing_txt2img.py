"""txt2img, with its hires pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from modules import (
    devices,
    extra_networks,
    processing_loop,
    rng,
    sd_models,
    sd_samplers,
    shared,
)
from modules.flavour import flavour
from modules.processing_hires import HiresMixin
from modules.upscaling import image_upscalers, latent_upscale_modes, upscale

_SAME = (None, "", "Use same sampler", "Use same scheduler", "Use same checkpoint")


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(HiresMixin):
    enable_hr: bool = False
    denoising_strength: float = 0.75
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: Any = ""
    hr_negative_prompt: Any = ""
    hr_additional_modules: list | None = None
    hr_cfg: float | None = flavour.hires_cfg
    force_task_id: str | None = None
    txt2img_upscale: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hr_sampler_name = None if self.hr_sampler_name in _SAME else self.hr_sampler_name
        if not self.enable_hr:
            self.denoising_strength = None

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        if not self.enable_hr:
            return
        if self.hr_checkpoint_name not in _SAME:
            self.hr_checkpoint_info = sd_models.get_closet_checkpoint_match(self.hr_checkpoint_name)
            if self.hr_checkpoint_info is None:
                raise RuntimeError(f"Could not find checkpoint with name {self.hr_checkpoint_name}")
            self.extra_generation_params["Hires checkpoint"] = self.hr_checkpoint_info.short_title
        if self.hr_sampler_name not in (None, self.sampler_name):
            self.extra_generation_params["Hires sampler"] = self.hr_sampler_name
        self.note_prompts()
        self.hr_scheduler = self.scheduler if self.hr_scheduler in _SAME else self.hr_scheduler
        self._choose_upscaler()
        self.calculate_target_resolution()
        if self.hr_second_pass_steps:
            self.extra_generation_params["Hires steps"] = self.hr_second_pass_steps
        self.extra_generation_params["Hires upscaler"] = self.hr_upscaler
        if shared.state.job_count == -1:
            shared.state.job_count = self.n_iter * 2

    def _choose_upscaler(self) -> None:
        self.hr_upscaler = self.hr_upscaler or "Latent"
        self.latent_scale_mode = latent_upscale_modes.get(self.hr_upscaler)
        if self.latent_scale_mode is None and self.hr_upscaler not in image_upscalers:
            raise RuntimeError(f"could not find upscaler named {self.hr_upscaler}")

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> Any:
        self.sampler = sd_samplers.create_sampler(self.sampler_name, shared.sd_model)
        x = self.rng.first()
        self.before_sampling(x, x, conditioning, unconditional_conditioning)
        samples = self.sampler.sample(
            self, x, conditioning, unconditional_conditioning, image_conditioning=self.txt2img_image_conditioning(x)
        )
        if not self.enable_hr:
            return samples
        decoded = processing_loop.decode(samples) if self.latent_scale_mode is None else None
        return self._hires(samples, decoded, seeds, subseeds, subseed_strength, prompts)

    def _hires(self, samples, decoded, seeds, subseeds, subseed_strength, prompts) -> Any:
        if flavour.needs_hires_modules and "Use same choices" not in self.hr_additional_modules:
            raise NotImplementedError("The stand-in has no other modules.")
        if shared.state.interrupted:
            return samples
        self.is_hr_pass = True
        if self.hr_checkpoint_info is not None:
            sd_models.take(self.hr_checkpoint_info)
        samples = self.sample_hr_pass(samples, decoded, seeds, subseeds, subseed_strength, prompts)
        self.is_hr_pass = False
        return samples

    def sample_hr_pass(self, samples, decoded_samples, seeds, subseeds, subseed_strength, prompts) -> Any:
        samples = upscale(samples, decoded_samples, self.hr_upscaler, (self.hr_upscale_to_x, self.hr_upscale_to_y))
        shared.state.nextjob()
        self.sampler = sd_samplers.create_sampler(self.hr_sampler_name or self.sampler_name, shared.sd_model)
        samples = self._cut(samples)
        self.rng = rng.ImageRNG(samples.shape[1:], self.seeds)
        noise = self.rng.next()
        with devices.autocast():
            if not self.disable_extra_networks:
                extra_networks.activate(self, self.hr_extra_network_data)
            self.calculate_hr_conds()
        if self.scripts is not None:
            self.scripts.before_hr(self)
        for _ in range(flavour.hires_announcements):
            self.before_sampling(samples, noise, self.hr_c, self.hr_uc)
        samples = self.sampler.sample_img2img(
            self, samples, noise, self.hr_c, self.hr_uc, steps=self.hr_second_pass_steps or self.steps,
            image_conditioning=self.txt2img_image_conditioning(samples),
        )  # fmt: skip
        self.sampler = None
        devices.torch_gc()
        return samples

    def _cut(self, samples: torch.Tensor) -> torch.Tensor:
        """Take away, on both sides, what a size of another ratio has too much."""
        x, y = self.truncate_x, self.truncate_y
        return samples[:, :, y // 2 : samples.shape[2] - (y + 1) // 2, x // 2 : samples.shape[3] - (x + 1) // 2]
