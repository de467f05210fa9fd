"""What both families of samplers share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image

from modules import devices, sd_models, shared
from modules.flavour import flavour
from modules.sd_samplers_cfg_denoiser import CFGDenoiser, InterruptedException

__all__ = ["InterruptedException"]


@dataclass
class SamplerData:
    name: str
    constructor: Callable[[Any], Sampler]
    aliases: list[str]
    options: dict[str, Any] = field(default_factory=dict)

    def total_steps(self, steps: int) -> int:
        return steps * 2 if self.options.get("second_order") else steps


def setup_img2img_steps(p: Any, steps: int | None = None) -> tuple[int, int]:
    """Return the schedule's steps and how many of them are done."""
    if not shared.opts.img2img_fix_steps and steps is None:
        return p.steps, int(min(p.denoising_strength, 0.999) * p.steps)
    requested = steps or p.steps
    return int(requested / min(p.denoising_strength, 0.999)) if p.denoising_strength > 0 else 0, requested - 1


def images_tensor_to_samples(image: torch.Tensor, approximation: Any = None, model: Any = None) -> torch.Tensor:
    """Encode pictures ``[n, 3, h, w]`` of 0..1."""
    model = model or shared.sd_model
    pixels = image.to(devices.device, dtype=torch.float32) * 2 - 1
    return model.get_first_stage_encoding(model.encode_first_stage(pixels))


def decode_first_stage(model: Any, x: torch.Tensor) -> torch.Tensor:
    """Decode latents to pictures of −1..1."""
    return model.decode_first_stage(x.to(torch.float32))


def sample_to_image(samples: torch.Tensor, index: int = 0, approximation: Any = None) -> Image.Image:
    pixels = decode_first_stage(shared.sd_model, samples[index : index + 1])[0].clamp(-1, 1) * 0.5 + 0.5
    return Image.fromarray((pixels.permute(1, 2, 0).cpu().numpy() * 255).astype(np.uint8))


def apply_refiner(cfg_denoiser: CFGDenoiser, sigma: torch.Tensor) -> bool:
    """Switch to the refiner if its share of the noise schedule has come."""
    p = cfg_denoiser.p
    info, switch_at = p.refiner_checkpoint_info, p.refiner_switch_at
    if info is None or switch_at is None or shared.sd_model.sd_checkpoint_info == info:
        return False
    if flavour.loads_with_job:
        if cfg_denoiser.step / cfg_denoiser.total_steps < switch_at:
            return False
    elif (999 - cfg_denoiser.timestep_of(sigma)) / 1000 <= switch_at:
        return False
    if getattr(p, "enable_hr", False):
        wanted = shared.opts.hires_fix_refiner_pass
        if wanted != "both passes" and (wanted == "second pass") != p.is_hr_pass:
            return False
    p.extra_generation_params["Refiner"] = info.short_title
    p.extra_generation_params["Refiner switch at"] = switch_at
    sd_models.take(info)
    devices.torch_gc()
    p.setup_conds()
    cfg_denoiser.update_inner_model()
    return True


class Sampler:
    """One sampler of one job: schedule, denoising loop, interruption."""

    denoiser_class: type[CFGDenoiser]

    def __init__(self, funcname: str) -> None:
        self.funcname = funcname
        self.p: Any = None
        self.config: SamplerData | None = None
        self.last_latent: torch.Tensor | None = None
        self.sampler_extra_args: dict[str, Any] = {}
        self.s_min_uncond = 0.0
        self.stop_at: int | None = None
        self.model_wrap_cfg = self.denoiser_class(self)
        self.model_wrap = self.model_wrap_cfg.inner_model

    def callback_state(self, d: dict[str, Any]) -> None:
        step = d["i"]
        if self.stop_at is not None and step > self.stop_at:
            raise InterruptedException
        shared.state.sampling_step = step

    def launch_sampling(self, steps: int, func: Callable[[], torch.Tensor]) -> torch.Tensor | None:
        """Run the loop; an interruption returns what there is."""
        self.model_wrap_cfg.steps = steps
        self.model_wrap_cfg.total_steps = self.config.total_steps(steps)
        shared.state.sampling_steps = steps
        shared.state.sampling_step = 0
        try:
            return func()
        except InterruptedException:
            return self.last_latent

    def initialize(self, p: Any) -> None:
        self.p = p
        denoiser = self.model_wrap_cfg
        denoiser.p = p
        denoiser.mask = getattr(p, "mask", None)
        denoiser.nmask = getattr(p, "nmask", None)
        denoiser.model_wrap = None  # another checkpoint may be loaded since
        denoiser.step = 0
        denoiser.image_cfg_scale = getattr(p, "image_cfg_scale", None)
        self.s_min_uncond = getattr(p, "s_min_uncond", 0.0)

    def _prepare(self, p: Any, conditioning: Any, unconditional: Any, image_conditioning: Any) -> None:
        self.initialize(p)
        self.sampler_extra_args = {
            "cond": conditioning,
            "image_cond": image_conditioning,
            "uncond": unconditional,
            "cond_scale": p.cfg_scale,
            "s_min_uncond": self.s_min_uncond,
        }

    def sample(
        self,
        p: Any,
        x: Any,
        conditioning: Any,
        unconditional_conditioning: Any,
        steps: Any = None,
        image_conditioning: Any = None,
    ) -> torch.Tensor:
        raise NotImplementedError

    def sample_img2img(
        self, p: Any, x: Any, noise: Any, conditioning: Any, unconditional_conditioning: Any, steps: Any = None,
        image_conditioning: Any = None,
    ) -> torch.Tensor:  # fmt: skip
        raise NotImplementedError
