"""The list of samplers."""

from __future__ import annotations

from typing import Any

from modules import sd_schedulers
from modules.sd_samplers_common import Sampler, SamplerData
from modules.sd_samplers_kdiffusion import samplers_data_k_diffusion
from modules.sd_samplers_timesteps import samplers_data_timesteps

all_samplers: list[SamplerData] = [*samplers_data_k_diffusion, *samplers_data_timesteps]
all_samplers_map = {sampler.name: sampler for sampler in all_samplers}
samplers = samplers_for_img2img = all_samplers
samplers_map = {name.lower(): s.name for s in all_samplers for name in (s.name, *s.aliases)}
samplers_hidden: set[str] = set()


def find_sampler_config(name: str | None) -> SamplerData | None:
    return all_samplers_map.get(name) if name else all_samplers[0]


def create_sampler(name: str | None, model: Any) -> Sampler:
    """Make a sampler; an unknown name gives the first one, as in the host."""
    config = find_sampler_config(name) or all_samplers[0]
    sampler = config.constructor(model)
    sampler.config = config
    return sampler


def visible_sampler_names() -> list[str]:
    return [sampler.name for sampler in samplers if sampler.name not in samplers_hidden]


def visible_samplers() -> list[SamplerData]:
    return list(samplers)


def get_sampler_and_scheduler(sampler_name: str | None, scheduler_name: str | None) -> tuple[str, str]:
    """Split names such as "DPM++ 2M Karras"; unknown ones fall back to the first sampler."""
    name = samplers_map.get((sampler_name or "").lower(), sampler_name or all_samplers[0].name)
    found = sd_schedulers.schedulers_map.get(scheduler_name, sd_schedulers.schedulers[0])
    for scheduler in sd_schedulers.schedulers[1:]:
        for label in (scheduler.label, scheduler.name):
            if name.lower().endswith(f" {label.lower()}"):
                name, found = name[: -len(label) - 1], scheduler
    sampler = all_samplers_map.get(name, all_samplers[0])
    return sampler.name, found.label


def fix_p_invalid_sampler_and_scheduler(p: Any) -> None:
    name, scheduler = p.sampler_name, p.scheduler
    p.sampler_name, p.scheduler = get_sampler_and_scheduler(name, scheduler)
    if (p.sampler_name, p.scheduler) != (name, scheduler):
        print(f'Sampler Scheduler autocorrection: "{name}" -> "{p.sampler_name}", "{scheduler}" -> "{p.scheduler}"')


def set_samplers() -> None:
    """Nothing is hidden."""
