"""img2img and inpainting."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter, ImageOps

from modules import images, masking, sd_hijack, sd_samplers, sd_samplers_common, shared
from modules.processing_base import StableDiffusionProcessing
from modules.scripts_base import MaskBlendArgs

_NOISE, _NOTHING = 2, 3  # what fills the masked part of the latent; 0 fills pixels, 1 keeps them


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    init_images: list | None = None
    resize_mode: int = 0
    denoising_strength: float = 0.75
    image_cfg_scale: float | None = None
    mask: Any = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: int | None = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    latent_mask: Any = None
    force_task_id: str | None = None

    hr_upscaler: str | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        mask = self.mask
        super().__post_init__()
        self.image_mask, self.mask = mask, None
        if self.mask_blur is not None:
            self.mask_blur_x = self.mask_blur_y = self.mask_blur
        if self.initial_noise_multiplier is None:
            self.initial_noise_multiplier = shared.opts.initial_noise_multiplier
        self.init_latent = self.image_conditioning = None

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        self.sampler = sd_samplers.create_sampler(self.sampler_name, shared.sd_model)
        crop_region = self._prepare_mask() if self.image_mask is not None else None
        batch = [self._prepare_image(image, crop_region) for image in self.init_images]
        if len(batch) == 1:
            batch *= self.batch_size
            self.overlay_images = self.overlay_images and self.overlay_images * self.batch_size
        elif len(batch) <= self.batch_size:
            self.batch_size = len(batch)
        pixels = torch.from_numpy(np.stack(batch))
        self.init_latent = sd_samplers_common.images_tensor_to_samples(pixels)
        if self.image_mask is not None:
            self._prepare_latent_mask(all_seeds)
        self.image_conditioning = self.img2img_image_conditioning(None, self.init_latent)

    def _prepare_mask(self) -> masking.Region | None:
        mask = masking.create_binary_mask(self.image_mask, round=self.mask_round)
        if self.inpainting_mask_invert:
            mask = ImageOps.invert(mask)
            self.extra_generation_params["Mask mode"] = "Inpaint not masked"
        if self.mask_blur_x > 0 or self.mask_blur_y > 0:
            mask = mask.filter(ImageFilter.GaussianBlur((self.mask_blur_x + self.mask_blur_y) / 2))
            self.extra_generation_params["Mask blur"] = self.mask_blur_x
        self.mask_for_overlay = mask
        region = masking.get_crop_region_v2(mask, self.inpaint_full_res_padding) if self.inpaint_full_res else None
        self.overlay_images = []
        if region is None and self.inpaint_full_res:
            self._go_on_without_mask()
            return None
        if region is None:
            mask = images.resize_image(self.resize_mode, mask, self.width, self.height)
            opaque = np.clip(np.asarray(mask, dtype=np.float32) * 2, 0, 255).astype(np.uint8)
            self.mask_for_overlay = Image.fromarray(opaque)
        else:
            region = masking.expand_crop_region(region, self.width, self.height, mask.width, mask.height)
            left, top, right, bottom = region
            self.paste_to = (left, top, right - left, bottom - top)
            self.extra_generation_params["Inpaint area"] = "Only masked"
            self.extra_generation_params["Masked area padding"] = self.inpaint_full_res_padding
            mask = images.resize_image(2, mask.crop(region), self.width, self.height)
        self.image_mask = mask
        return region

    def _go_on_without_mask(self) -> None:
        self.image_mask = self.mask_for_overlay = None
        self.inpaint_full_res = False
        sd_hijack.notes().comments.append('"Only masked" needs a mask; this one is blank and was left out.')

    def _prepare_image(self, source: Image.Image, crop_region: masking.Region | None) -> np.ndarray:
        image = images.flatten(source)
        if crop_region is None:
            image = images.resize_image(self.resize_mode, image, self.width, self.height)
        if self.image_mask is not None:
            kept = Image.new("RGBa", image.size)
            kept.paste(image.convert("RGBA").convert("RGBa"), mask=ImageOps.invert(self.mask_for_overlay.convert("L")))
            self.overlay_images.append(kept.convert("RGBA"))
        if crop_region is not None:
            image = images.resize_image(2, image.crop(crop_region), self.width, self.height)
        if self.image_mask is not None and self.inpainting_fill != 1:
            image = masking.fill(image, self.image_mask)
            self.extra_generation_params.setdefault("Masked content", _fill_name(self.inpainting_fill))
        return np.moveaxis(np.asarray(image, dtype=np.float32) / 255, 2, 0)

    def _prepare_latent_mask(self, all_seeds: list[int]) -> None:
        latent = self.init_latent
        source = self.latent_mask or self.image_mask
        area = masking.as_array(source, latent.shape[3], latent.shape[2])
        self.nmask = torch.from_numpy(area).to(latent)[None].repeat(latent.shape[1], 1, 1)
        self.mask = 1 - self.nmask
        if self.inpainting_fill == _NOISE:
            generators = [torch.Generator("cpu").manual_seed(seed) for seed in all_seeds[: latent.shape[0]]]
            noise = torch.stack([torch.randn(latent.shape[1:], generator=g) for g in generators]).to(latent)
            self.init_latent = latent * self.mask + noise * self.nmask
        elif self.inpainting_fill == _NOTHING:
            self.init_latent = latent * self.mask

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> Any:
        x = self.rng.next()
        if self.initial_noise_multiplier != 1.0:
            self.extra_generation_params["Noise multiplier"] = self.initial_noise_multiplier
            x = x * self.initial_noise_multiplier
        self.before_sampling(self.init_latent, x, conditioning, unconditional_conditioning)
        samples = self.sampler.sample_img2img(
            self, self.init_latent, x, conditioning, unconditional_conditioning,
            image_conditioning=self.image_conditioning,
        )  # fmt: skip
        return samples if self.mask is None else self._final_blend(samples)

    def _final_blend(self, samples: torch.Tensor) -> torch.Tensor:
        blended = samples * self.nmask + self.init_latent * self.mask
        if self.scripts is None:
            return blended
        mba = MaskBlendArgs(samples, self.nmask, self.init_latent, self.mask, blended)
        self.scripts.on_mask_blend(self, mba)
        return mba.blended_latent


def _fill_name(fill: int) -> str:
    return ("fill", "original", "latent noise", "latent nothing")[fill]
