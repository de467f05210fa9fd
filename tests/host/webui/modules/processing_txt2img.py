"""txt2img, with its hires pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from modules import (
    devices,
    extra_networks,
    processing_loop,
    prompt_parser,
    rng,
    sd_models,
    sd_samplers,
    shared,
)
from modules.processing_base import StableDiffusionProcessing
from modules.upscaling import image_upscalers, latent_upscale_modes, upscale

_SAME = (None, "", "Use same sampler", "Use same scheduler", "Use same checkpoint")
_DIVISOR = 8


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
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
    force_task_id: str | None = None
    txt2img_upscale: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hr_upscale_to_x = self.hr_resize_x
        self.hr_upscale_to_y = self.hr_resize_y
        self.hr_checkpoint_info = None
        self.hr_c = self.hr_uc = self.hr_prompts = self.hr_negative_prompts = None
        self.latent_scale_mode = None
        self.cached_hr_c: list = [None, None]
        self.cached_hr_uc: list = [None, None]
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
        self._choose_upscaler()
        self._target_size()
        self._note_hires()
        if shared.state.job_count == -1:
            shared.state.job_count = self.n_iter * 2

    def _choose_upscaler(self) -> None:
        self.hr_upscaler = self.hr_upscaler or "Latent"
        self.latent_scale_mode = latent_upscale_modes.get(self.hr_upscaler)
        if self.latent_scale_mode is None and self.hr_upscaler not in image_upscalers:
            raise RuntimeError(f"could not find upscaler named {self.hr_upscaler}")

    def _target_size(self) -> None:
        if self.hr_resize_x or self.hr_resize_y:
            self.hr_upscale_to_x = self.hr_resize_x or self.width * self.hr_resize_y // self.height
            self.hr_upscale_to_y = self.hr_resize_y or self.height * self.hr_resize_x // self.width
        else:
            self.hr_upscale_to_x = int(self.width * self.hr_scale)
            self.hr_upscale_to_y = int(self.height * self.hr_scale)
        self.hr_upscale_to_x -= self.hr_upscale_to_x % _DIVISOR
        self.hr_upscale_to_y -= self.hr_upscale_to_y % _DIVISOR

    def _note_hires(self) -> None:
        params = self.extra_generation_params
        if self.hr_resize_x or self.hr_resize_y:
            params["Hires resize"] = f"{self.hr_resize_x}x{self.hr_resize_y}"
        else:
            params["Hires upscale"] = self.hr_scale
        if self.hr_second_pass_steps:
            params["Hires steps"] = self.hr_second_pass_steps
        params["Hires upscaler"] = self.hr_upscaler
        for key, value, main in (
            ("Hires prompt", self.hr_prompt, self.prompt),
            ("Hires negative prompt", self.hr_negative_prompt, self.negative_prompt),
        ):
            if value and value != main:
                params[key] = value

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
        if shared.state.interrupted:
            return samples
        self.is_hr_pass = True
        if self.hr_checkpoint_info is not None:
            sd_models.reload_model_weights(info=self.hr_checkpoint_info)
        samples = self.sample_hr_pass(samples, decoded, seeds, subseeds, subseed_strength, prompts)
        self.is_hr_pass = False
        return samples

    def sample_hr_pass(self, samples, decoded_samples, seeds, subseeds, subseed_strength, prompts) -> Any:
        samples = upscale(samples, decoded_samples, self.hr_upscaler, (self.hr_upscale_to_x, self.hr_upscale_to_y))
        shared.state.nextjob()
        name = self.sampler_name if self.hr_sampler_name in _SAME else self.hr_sampler_name
        self.hr_scheduler = self.scheduler if self.hr_scheduler in _SAME else self.hr_scheduler
        self.sampler = sd_samplers.create_sampler(name, shared.sd_model)
        self.rng = rng.ImageRNG(samples.shape[1:], self.seeds)
        noise = self.rng.next()
        self._prepare_hr_prompts()
        if not self.disable_extra_networks:
            extra_networks.activate(self, self.extra_network_data)
        with devices.autocast():
            self.calculate_hr_conds()
        if self.scripts is not None:
            self.scripts.before_hr(self)
        self.before_sampling(samples, noise, self.hr_c, self.hr_uc)
        samples = self.sampler.sample_img2img(
            self, samples, noise, self.hr_c, self.hr_uc, steps=self.hr_second_pass_steps or self.steps,
            image_conditioning=self.txt2img_image_conditioning(samples),
        )  # fmt: skip
        self.sampler = None
        devices.torch_gc()
        return samples

    def _prepare_hr_prompts(self) -> None:
        self.hr_prompts = self._hr_texts(self.hr_prompt, self.prompts)
        self.hr_negative_prompts = self._hr_texts(self.hr_negative_prompt, self.negative_prompts)
        self.hr_prompts, _ = extra_networks.parse_prompts(self.hr_prompts)

    @staticmethod
    def _hr_texts(own: Any, main: list[str]) -> list[str]:
        if isinstance(own, list):
            return own
        return [own] * len(main) if own else main

    def calculate_hr_conds(self) -> None:
        prompts, negatives = self._conditionings(
            self.hr_prompts, self.hr_negative_prompts, self.hr_upscale_to_x, self.hr_upscale_to_y
        )
        config = sd_samplers.find_sampler_config(self.sampler_name)
        hires, steps = config.total_steps(self.hr_second_pass_steps or self.steps), config.total_steps(self.steps)
        learned, multicond = prompt_parser.get_learned_conditioning, prompt_parser.get_multicond_learned_conditioning
        self.hr_uc = self.get_conds_with_caching(learned, negatives, steps, [self.cached_hr_uc, self.cached_uc], hires)
        self.hr_c = self.get_conds_with_caching(multicond, prompts, steps, [self.cached_hr_c, self.cached_c], hires)

    def setup_conds(self) -> None:
        if self.is_hr_pass:
            self.calculate_hr_conds()
        else:
            super().setup_conds()

    def get_conds(self) -> tuple[Any, Any]:
        return (self.hr_c, self.hr_uc) if self.is_hr_pass else super().get_conds()

    def close(self) -> None:
        super().close()
        self.hr_c = self.hr_uc = None
