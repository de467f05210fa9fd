"""A job: from its parameters to pictures, with every hook in the host's order."""

from __future__ import annotations

import random
from typing import Any

from modules import sd_models, sd_samplers, shared
from modules.flavour import flavour
from modules.processed import Processed, create_infotext
from modules.processing_base import StableDiffusionProcessing, get_fixed_seed, opt_C, opt_f
from modules.processing_img2img import StableDiffusionProcessingImg2Img
from modules.processing_loop import process_images_inner
from modules.processing_txt2img import StableDiffusionProcessingTxt2Img

__all__ = [
    "Processed",
    "StableDiffusionProcessing",
    "StableDiffusionProcessingImg2Img",
    "StableDiffusionProcessingTxt2Img",
    "create_infotext",
    "get_fixed_seed",
    "opt_C",
    "opt_f",
    "process_images",
    "process_images_inner",
]


def fix_seed(p: Any) -> None:
    p.seed = get_fixed_seed(p.seed)
    p.subseed = get_fixed_seed(p.subseed)


def create_random_seed() -> int:
    return random.randrange(2**32)


def process_images(p: StableDiffusionProcessing) -> Processed:
    """Run the job. Settings that it overrides come back afterwards, if they were set before."""
    if p.scripts is not None:
        p.scripts.before_process(p)
    stored = {key: shared.opts.data[key] for key in p.override_settings if key in shared.opts.data}
    try:
        _apply_overrides(p)
        if flavour.loads_with_job:
            sd_models.forge_model_reload()
        sd_samplers.fix_p_invalid_sampler_and_scheduler(p)
        return process_images_inner(p)
    finally:
        if p.override_settings_restore_afterwards:
            for key, value in stored.items():
                setattr(shared.opts, key, value)
            if flavour.loads_with_job:
                sd_models.refresh_model_loading_parameters()


def _apply_overrides(p: StableDiffusionProcessing) -> None:
    wanted = p.override_settings.get("sd_model_checkpoint")
    if sd_models.get_closet_checkpoint_match(wanted) is None:
        p.override_settings.pop("sd_model_checkpoint", None)
        sd_models.choose()
    for key, value in p.override_settings.items():
        shared.opts.set(key, value, is_api=True, run_callbacks=False)
        if key == "sd_model_checkpoint":
            sd_models.choose()
