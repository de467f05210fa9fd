"""The result of a job, and its generation parameters as text."""

from __future__ import annotations

import json
from typing import Any

from modules import shared
from modules.flavour import flavour
from modules.infotext_utils import quote

VERSION = flavour.version


class Processed:
    """Pictures and everything that describes them."""

    def __init__(
        self,
        p: Any,
        images_list: list,
        seed: int = -1,
        info: str = "",
        subseed: int | None = None,
        all_prompts: list | None = None,
        all_negative_prompts: list | None = None,
        all_seeds: list | None = None,
        all_subseeds: list | None = None,
        index_of_first_image: int = 0,
        infotexts: list | None = None,
        comments: str = "",
    ) -> None:
        self.images = images_list
        self.prompt, self.negative_prompt = _first(p.prompt), _first(p.negative_prompt)
        self.seed, self.subseed, self.info = seed, subseed, info
        self.comments = "".join(f"{comment}\n" for comment in p.comments) + comments
        self.width, self.height = p.width, p.height
        self.sampler_name, self.cfg_scale, self.steps = p.sampler_name, p.cfg_scale, p.steps
        self.batch_size, self.styles = p.batch_size, p.styles
        self.denoising_strength = p.denoising_strength
        self.extra_generation_params = p.extra_generation_params
        self.index_of_first_image = index_of_first_image
        self.sd_model_name, self.sd_model_hash = p.sd_model_name, p.sd_model_hash
        self.job_timestamp = shared.state.job_timestamp
        self.clip_skip = shared.opts.CLIP_stop_at_last_layers
        self.all_prompts = all_prompts or p.all_prompts or [self.prompt]
        self.all_negative_prompts = all_negative_prompts or p.all_negative_prompts or [self.negative_prompt]
        self.all_seeds = all_seeds or p.all_seeds or [self.seed]
        self.all_subseeds = all_subseeds or p.all_subseeds or [self.subseed]
        self.infotexts = infotexts or [info] * len(images_list)
        self.version = VERSION

    def js(self) -> str:
        """Return what the API's ``info`` field has."""
        names = (
            "prompt", "all_prompts", "negative_prompt", "all_negative_prompts", "seed", "all_seeds", "subseed",
            "all_subseeds", "width", "height", "sampler_name", "cfg_scale", "steps", "batch_size", "sd_model_name",
            "sd_model_hash", "denoising_strength", "extra_generation_params", "index_of_first_image", "infotexts",
            "styles", "job_timestamp", "clip_skip", "version",
        )  # fmt: skip
        shown = {name: getattr(self, name) for name in names}
        return json.dumps(shown) if flavour.strict_json else json.dumps(shown, default=lambda _: None)

    def infotext(self, p: Any, index: int) -> str:
        return create_infotext(
            p, self.all_prompts, self.all_seeds, self.all_subseeds, position_in_batch=index % self.batch_size,
            iteration=index // self.batch_size,
        )  # fmt: skip


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def create_infotext(
    p: Any,
    all_prompts: list,
    all_seeds: list,
    all_subseeds: list,
    comments: Any = None,
    iteration: int = 0,
    position_in_batch: int = 0,
    use_main_prompt: bool = False,
    index: int | None = None,
    all_negative_prompts: list | None = None,
) -> str:
    """Return prompt, negative prompt and the line of parameters of one picture."""
    arguments = dict(locals())
    if use_main_prompt:
        index = 0
    elif index is None:
        index = position_in_batch + iteration * p.batch_size
    all_negative_prompts = all_negative_prompts or p.all_negative_prompts
    entries: dict[str, Any] = {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "Schedule type": p.scheduler,
        "CFG scale": p.cfg_scale,
        "Seed": p.all_seeds[0] if use_main_prompt else all_seeds[index],
        "Size": f"{p.width}x{p.height}",
        "Model hash": p.sd_model_hash,
        "Model": p.sd_model_name,
        "Denoising strength": p.denoising_strength,
        "Clip skip": None if shared.opts.CLIP_stop_at_last_layers <= 1 else shared.opts.CLIP_stop_at_last_layers,
        **p.extra_generation_params,
        "Version": VERSION,
    }
    prompt = p.main_prompt if use_main_prompt else all_prompts[index]
    negative = p.main_negative_prompt if use_main_prompt else all_negative_prompts[index]
    arguments |= {"index": index, "prompt_text": prompt, "negative_prompt": negative}
    resolved = {key: _resolve(key, value, index, arguments) for key, value in entries.items()}
    line = ", ".join(k if k == v else f"{k}: {quote(v)}" for k, v in resolved.items() if v is not None)
    return f"{prompt}{f'{chr(10)}Negative prompt: {negative}' if negative else ''}\n{line}".strip()


def _resolve(key: str, value: Any, index: int, arguments: dict[str, Any]) -> Any:
    """Lists have an entry for each picture; functions are called."""
    from modules import errors

    try:
        if isinstance(value, list):
            return value[index]
        return value(**arguments) if callable(value) else value
    except Exception:  # noqa: BLE001  a bad parameter must not lose the picture
        errors.report(f'Error creating infotext for key "{key}"', exc_info=True)
        return None
