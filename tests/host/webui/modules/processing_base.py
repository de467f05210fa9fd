"""What txt2img and img2img jobs share: parameters, prompts, seeds, conditionings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch

from modules import forge_models, shared
from modules.processing_prompts import PromptsMixin, get_fixed_seed

__all__ = ["StableDiffusionProcessing", "get_fixed_seed", "opt_C", "opt_f"]

opt_C = 4  # noqa: N816  the host's names
opt_f = 8


@dataclass(repr=False)
class StableDiffusionProcessing(PromptsMixin):
    """Parameters of a job, and its state while it runs."""

    sd_model: Any = None
    outpath_samples: str | None = None
    outpath_grids: str | None = None
    prompt: Any = ""
    prompt_for_display: str | None = None
    negative_prompt: Any = ""
    styles: list[str] | None = None
    seed: Any = -1
    subseed: Any = -1
    subseed_strength: float = 0
    seed_resize_from_h: int = -1
    seed_resize_from_w: int = -1
    seed_enable_extras: bool = True
    sampler_name: str | None = None
    scheduler: str | None = None
    batch_size: int = 1
    n_iter: int = 1
    steps: int = 50
    cfg_scale: float = 7.0
    width: int = 512
    height: int = 512
    restore_faces: bool | None = None
    tiling: bool | None = None
    do_not_save_samples: bool = False
    do_not_save_grid: bool = False
    extra_generation_params: dict[str, Any] | None = None
    overlay_images: list | None = None
    eta: float | None = None
    do_not_reload_embeddings: bool = False
    denoising_strength: float | None = None
    ddim_discretize: str | None = None
    s_min_uncond: float | None = None
    s_churn: float | None = None
    s_tmax: float | None = None
    s_tmin: float | None = None
    s_noise: float | None = None
    override_settings: dict[str, Any] | None = None
    override_settings_restore_afterwards: bool = True
    sampler_index: int | None = None
    refiner_checkpoint: str | None = None
    refiner_switch_at: float | None = None
    token_merging_ratio: float = 0
    token_merging_ratio_hr: float = 0
    disable_extra_networks: bool = False
    firstpass_image: Any = None

    scripts_value: Any = field(default=None, init=False)
    script_args_value: Any = field(default=None, init=False)
    scripts_setup_complete: bool = field(default=False, init=False)

    is_api: bool = field(default=False, init=False)
    is_hr_pass: bool = field(default=False, init=False)
    hr_scheduler: str | None = None

    cached_c: ClassVar[list] = [None, None]
    cached_uc: ClassVar[list] = [None, None]

    def __post_init__(self) -> None:
        self.comments: dict[str, int] = {}
        self.styles = self.styles or []
        self.extra_generation_params = self.extra_generation_params or {}
        self.override_settings = self.override_settings or {}
        if self.s_min_uncond is None:
            self.s_min_uncond = shared.opts.s_min_uncond
        self.all_prompts = self.all_negative_prompts = self.all_seeds = self.all_subseeds = None
        self.prompts = self.negative_prompts = self.seeds = self.subseeds = None
        self.main_prompt = self.main_negative_prompt = None
        self.sampler = self.rng = self.c = self.uc = None
        self.mask = self.nmask = self.image_mask = self.mask_for_overlay = self.paste_to = None
        self.color_corrections = self.overlay_images = None
        self.iteration = 0
        self.user = None
        self.extra_network_data = None
        self.refiner_checkpoint_info = None
        self.sd_model_name = self.sd_model_hash = None
        self.sampler_noise_scheduler_override = None
        self.cached_c = StableDiffusionProcessing.cached_c
        self.cached_uc = StableDiffusionProcessing.cached_uc

    # --- model and scripts --------------------------------------------------------------------------------

    @property
    def scripts(self) -> Any:
        return self.scripts_value

    @scripts.setter
    def scripts(self, value: Any) -> None:
        self.scripts_value = value
        self._setup_when_complete()

    @property
    def script_args(self) -> Any:
        return self.script_args_value

    @script_args.setter
    def script_args(self, value: Any) -> None:
        self.script_args_value = value
        self._setup_when_complete()

    def _setup_when_complete(self) -> None:
        if self.scripts_value and self.script_args_value and not self.scripts_setup_complete:
            self.scripts_setup_complete = True
            self.scripts_value.setup_scrips(self, is_ui=not self.is_api)

    def comment(self, text: str) -> None:
        """Show ``text`` below the pictures."""
        self.comments[text] = 1

    def close(self) -> None:
        self.sampler = self.c = self.uc = None
        if not shared.opts.persistent_cond_cache:
            StableDiffusionProcessing.cached_c[:] = StableDiffusionProcessing.cached_uc[:] = [None, None]

    # --- sampling -----------------------------------------------------------------------------------------

    def txt2img_image_conditioning(self, x: torch.Tensor, width: Any = None, height: Any = None) -> torch.Tensor:
        """Return the placeholder that models without picture input get."""
        return x.new_zeros(x.shape[0], 5, 1, 1)

    def img2img_image_conditioning(self, _image: Any, latent: torch.Tensor, image_mask: Any = None) -> torch.Tensor:
        return latent.new_zeros(latent.shape[0], 5, 1, 1)

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        """Prepare what all batches need."""

    def sample(self, conditioning, unconditional_conditioning, seeds, subseeds, subseed_strength, prompts) -> Any:
        raise NotImplementedError

    def before_sampling(self, x: Any, noise: Any, c: Any, uc: Any) -> None:
        forge_models.before_pass(shared.sd_model)
        if self.scripts is not None:
            self.scripts.process_before_every_sampling(p=self, x=x, noise=noise, c=c, uc=uc)


# The model is always the one that is loaded now; assignments are ignored, as in the host.
StableDiffusionProcessing.sd_model = property(lambda _self: shared.sd_model, lambda _self, _value: None)
