"""Prompts, seeds and conditionings of a job."""

from __future__ import annotations

import random
from typing import Any

from modules import devices, extra_networks, prompt_parser, sd_hijack, sd_samplers, shared
from modules.flavour import flavour


def get_fixed_seed(seed: Any) -> int:
    """Return ``seed``, or a random one for −1, None and the empty string."""
    if seed in (None, "", -1):
        return random.randrange(4294967294)
    return int(seed)


class PromptsMixin:
    """Part of `StableDiffusionProcessing`."""

    def setup_prompts(self) -> None:
        count = self.batch_size * self.n_iter
        self.all_prompts = _repeated(self.prompt, count)
        self.all_negative_prompts = _repeated(self.negative_prompt, len(self.all_prompts))
        if len(self.all_prompts) != len(self.all_negative_prompts):
            raise RuntimeError("Received a different number of prompts and negative prompts")
        self.main_prompt, self.main_negative_prompt = self.all_prompts[0], self.all_negative_prompts[0]

    def setup_seeds(self) -> None:
        seed, subseed = get_fixed_seed(_only(self.seed)), get_fixed_seed(_only(self.subseed))
        count = len(self.all_prompts)
        self.all_seeds = self.seed if isinstance(self.seed, list) else [seed + i for i in range(count)]
        self.all_subseeds = self.subseed if isinstance(self.subseed, list) else [subseed + i for i in range(count)]

    def parse_extra_network_prompts(self) -> None:
        """Take the tags out of this batch's prompts."""
        self.prompts, self.extra_network_data = extra_networks.parse_prompts(self.prompts)

    def cached_params(self, prompts: Any, steps: int, extra_network_data: Any, hires_steps: int | None = None) -> tuple:
        """Return everything that the conditioning of ``prompts`` depends on."""
        opts = shared.opts
        negative = getattr(prompts, "is_negative_prompt", False)
        return (
            tuple(prompts), negative, steps, hires_steps, opts.CLIP_stop_at_last_layers, opts.emphasis,
            shared.sd_model.sd_checkpoint_info.filename, extra_network_data, self.width, self.height,
        )  # fmt: skip

    def get_conds_with_caching(
        self, function: Any, prompts: Any, steps: int, caches: list[list], extra_network_data: Any,
        hires_steps: int | None = None,
    ) -> Any:  # fmt: skip
        """Return ``function``'s conditioning, or the same one that a cache has. The first cache keeps a new one."""
        key = self.cached_params(prompts, steps, extra_network_data, hires_steps)
        for cache in caches:
            if cache[0] == key:
                return cache[1]
        with devices.autocast():
            caches[0][1] = function(shared.sd_model, prompts, steps, hires_steps, False)
        sd_hijack.note_encoded()
        caches[0][0] = key
        return caches[0][1]

    def setup_conds(self) -> None:
        """Encode the prompts of this batch. Order counts: the negative ones first."""
        prompts, negatives = self._conditionings(self.prompts, self.negative_prompts, self.width, self.height)
        config = sd_samplers.find_sampler_config(self.sampler_name)
        steps = self.firstpass_steps = config.total_steps(self.steps) if config else self.steps
        learned, multicond = prompt_parser.get_learned_conditioning, prompt_parser.get_multicond_learned_conditioning
        self.uc = None
        if not (flavour.drops_negative and self.cfg_scale == 1):
            self.uc = self.get_conds_with_caching(learned, negatives, steps, [self.cached_uc], self.extra_network_data)
        self.c = self.get_conds_with_caching(multicond, prompts, steps, [self.cached_c], self.extra_network_data)
        self.extra_generation_params.update(sd_hijack.notes().extra_generation_params)

    @staticmethod
    def _conditionings(prompts: list[str], negatives: list[str], width: int, height: int) -> tuple[Any, Any]:
        conditioning = prompt_parser.SdConditioning
        return conditioning(prompts, False, width, height), conditioning(negatives, True, width, height)

    def get_conds(self) -> tuple[Any, Any]:
        return self.c, self.uc


def _repeated(value: Any, count: int) -> list:
    return list(value) if isinstance(value, list) else [value] * count


def _only(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value
