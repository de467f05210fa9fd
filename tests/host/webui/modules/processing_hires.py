"""The second pass of hires fix: its size, prompts and conditionings."""

from __future__ import annotations

from typing import Any, ClassVar

from modules import extra_networks, prompt_parser, sd_samplers, shared
from modules.flavour import flavour
from modules.processing_base import StableDiffusionProcessing, opt_f


class HiresMixin(StableDiffusionProcessing):
    """Part of `StableDiffusionProcessingTxt2Img`; the fields are there."""

    cached_hr_c: ClassVar[list] = [None, None]
    cached_hr_uc: ClassVar[list] = [None, None]

    def __post_init__(self) -> None:
        super().__post_init__()
        self.hr_upscale_to_x = self.hr_upscale_to_y = self.truncate_x = self.truncate_y = 0
        self.hr_checkpoint_info = self.latent_scale_mode = self.hr_c = self.hr_uc = None
        self.all_hr_prompts = self.all_hr_negative_prompts = None
        self.hr_prompts = self.hr_negative_prompts = self.hr_extra_network_data = None
        self.cached_hr_c = HiresMixin.cached_hr_c
        self.cached_hr_uc = HiresMixin.cached_hr_uc

    # --- size ---------------------------------------------------------------------------------------------

    def calculate_target_resolution(self) -> None:
        """Set the size of the second pass. One that has another ratio than the first is cut after upscaling."""
        wanted_x, wanted_y = self.hr_resize_x, self.hr_resize_y
        if not wanted_x and not wanted_y:
            self.extra_generation_params["Hires upscale"] = self.hr_scale
            self.hr_upscale_to_x = int(self.width * self.hr_scale)
            self.hr_upscale_to_y = int(self.height * self.hr_scale)
            return
        self.extra_generation_params["Hires resize"] = f"{wanted_x}x{wanted_y}"
        follow_width = not wanted_y or (wanted_x and self.width / self.height < wanted_x / wanted_y)
        if follow_width:
            self.hr_upscale_to_x, self.hr_upscale_to_y = wanted_x, wanted_x * self.height // self.width
        else:
            self.hr_upscale_to_x, self.hr_upscale_to_y = wanted_y * self.width // self.height, wanted_y
        if wanted_x and wanted_y:
            self.truncate_x = (self.hr_upscale_to_x - wanted_x) // opt_f
            self.truncate_y = (self.hr_upscale_to_y - wanted_y) // opt_f

    # --- prompts ------------------------------------------------------------------------------------------

    def setup_prompts(self) -> None:
        super().setup_prompts()
        if not self.enable_hr:
            return
        self.hr_prompt = self.prompt if self.hr_prompt == "" else self.hr_prompt
        self.hr_negative_prompt = self.negative_prompt if self.hr_negative_prompt == "" else self.hr_negative_prompt
        self.all_hr_prompts = self._for_all(self.hr_prompt)
        self.all_hr_negative_prompts = self._for_all(self.hr_negative_prompt)

    def _for_all(self, prompt: Any) -> list[str]:
        return prompt if isinstance(prompt, list) else [prompt] * (self.batch_size * self.n_iter)

    def note_prompts(self) -> None:
        """Name the prompts of the second pass in the infotext, where they are other ones."""
        params = self.extra_generation_params
        if flavour.strict_json:  # which knows no entries that are called
            params["Hires prompt"] = _other(self.hr_prompt or None, self.prompt)
            params["Hires negative prompt"] = _other(self.hr_negative_prompt or None, self.negative_prompt)
            return
        params["Hires prompt"] = lambda p, index, prompt_text, **_: _other(p.all_hr_prompts[index], prompt_text)
        params["Hires negative prompt"] = lambda p, index, negative_prompt, **_: _other(
            p.all_hr_negative_prompts[index], negative_prompt
        )

    def parse_extra_network_prompts(self) -> None:
        """Take the tags out of both passes' prompts. Each pass activates its own."""
        super().parse_extra_network_prompts()
        if self.enable_hr:
            part = slice(self.iteration * self.batch_size, (self.iteration + 1) * self.batch_size)
            self.hr_prompts, self.hr_extra_network_data = extra_networks.parse_prompts(self.all_hr_prompts[part])
            self.hr_negative_prompts = self.all_hr_negative_prompts[part]

    # --- conditionings ------------------------------------------------------------------------------------

    def calculate_hr_conds(self) -> None:
        if self.hr_c is not None:
            return
        prompts, negatives = self._conditionings(
            self.hr_prompts, self.hr_negative_prompts, self.hr_upscale_to_x, self.hr_upscale_to_y
        )
        config = sd_samplers.find_sampler_config(self.hr_sampler_name or self.sampler_name)
        steps = self.hr_second_pass_steps or self.steps
        rest = (self.hr_extra_network_data, config.total_steps(steps) if config else steps)
        first, learned = self.firstpass_steps, prompt_parser.get_learned_conditioning
        multicond = prompt_parser.get_multicond_learned_conditioning
        self.hr_uc = None
        if not (flavour.drops_negative and self.hr_cfg == 1):
            caches = [self.cached_hr_uc, self.cached_uc]
            self.hr_uc = self.get_conds_with_caching(learned, negatives, first, caches, *rest)
        self.hr_c = self.get_conds_with_caching(multicond, prompts, first, [self.cached_hr_c, self.cached_c], *rest)

    def setup_conds(self) -> None:
        if self.is_hr_pass:  # the refiner took over in the second pass
            self.hr_c = None
            self.calculate_hr_conds()
            return
        super().setup_conds()
        self.hr_c = self.hr_uc = None
        if self.enable_hr and self.hr_checkpoint_info is None and shared.opts.hires_fix_use_firstpass_conds:
            self.calculate_hr_conds()

    def get_conds(self) -> tuple[Any, Any]:
        return (self.hr_c, self.hr_uc) if self.is_hr_pass else super().get_conds()

    def close(self) -> None:
        super().close()
        self.hr_c = self.hr_uc = None
        if not shared.opts.persistent_cond_cache:
            HiresMixin.cached_hr_c[:] = HiresMixin.cached_hr_uc[:] = [None, None]


def _other(text: str, main: str) -> str | None:
    return None if text == main else text
