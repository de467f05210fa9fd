"""Prompts to schedules of conditionings: AND, editing, and what the denoiser takes from them at each step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from modules.prompt_emphasis import parse_prompt_attention
from modules.prompt_schedule import get_learned_conditioning_prompt_schedules

__all__ = ["get_learned_conditioning_prompt_schedules", "parse_prompt_attention"]

_AND = re.compile(r"\bAND\b")
_WEIGHT = re.compile(r"^((?:\s|.)*?)(?:\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+)))?\s*$")


class ScheduledPromptConditioning(NamedTuple):
    end_at_step: int
    cond: Any


class SdConditioning(list):
    """Prompts with what their encoding also depends on."""

    def __init__(
        self,
        prompts: Sequence[str],
        is_negative_prompt: bool = False,
        width: int | None = None,
        height: int | None = None,
        copy_from: Any = None,
    ) -> None:
        super().__init__()
        self.extend(prompts)
        source = prompts if copy_from is None else copy_from
        self.is_negative_prompt = is_negative_prompt or getattr(source, "is_negative_prompt", False)
        self.width = width or getattr(source, "width", None)
        self.height = height or getattr(source, "height", None)


class ComposableScheduledPromptConditioning:
    def __init__(self, schedules: list[ScheduledPromptConditioning], weight: float = 1.0) -> None:
        self.schedules = schedules
        self.weight = weight


class MulticondLearnedConditioning:
    """``batch[i]`` holds the AND parts of picture i."""

    def __init__(self, shape: tuple, batch: list[list[ComposableScheduledPromptConditioning]]) -> None:
        self.shape = shape
        self.batch = batch


class DictWithShape(dict):
    """A dict of stacked tensors that has the shape of its ``crossattn``."""

    @property
    def shape(self) -> torch.Size:
        return self["crossattn"].shape

    def advanced_indexing(self, item: Any) -> DictWithShape:
        return DictWithShape({key: value[item] for key, value in self.items()})

    def to(self, *args: Any, **kwargs: Any) -> DictWithShape:
        return DictWithShape({key: value.to(*args, **kwargs) for key, value in self.items()})


def get_learned_conditioning(
    model: Any, prompts: SdConditioning, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> list[list[ScheduledPromptConditioning]]:
    """Encode every text that a prompt's schedule goes through."""
    schedules = get_learned_conditioning_prompt_schedules(prompts, steps, hires_steps, use_old_scheduling)
    known: dict[str, list[ScheduledPromptConditioning]] = {}
    for prompt, schedule in zip(prompts, schedules, strict=True):
        if prompt in known:
            continue
        conds = model.get_learned_conditioning(SdConditioning([text for _, text in schedule], copy_from=prompts))
        known[prompt] = [ScheduledPromptConditioning(end, _row(conds, i)) for i, (end, _) in enumerate(schedule)]
    return [known[prompt] for prompt in prompts]


def _row(conds: Any, index: int) -> Any:
    if isinstance(conds, dict):
        return {key: value[index] for key, value in conds.items()}
    return conds[index]


def get_multicond_prompt_list(prompts: SdConditioning) -> tuple[list, SdConditioning, dict[str, int]]:
    """Split prompts at AND. Returns per prompt (index, weight) pairs, the distinct texts, and their indices."""
    indices: dict[str, int] = {}
    texts = SdConditioning(prompts)
    texts.clear()
    parts_of = []
    for prompt in prompts:
        parts = []
        for subprompt in _AND.split(prompt):
            text, weight = _WEIGHT.match(subprompt).groups()
            if text not in indices:
                indices[text] = len(texts)
                texts.append(text)
            parts.append((indices[text], 1.0 if weight is None else float(weight)))
        parts_of.append(parts)
    return parts_of, texts, indices


def get_multicond_learned_conditioning(
    model: Any, prompts: SdConditioning, steps: int, hires_steps: int | None = None, use_old_scheduling: bool = False
) -> MulticondLearnedConditioning:
    parts_of, texts, _ = get_multicond_prompt_list(prompts)
    learned = get_learned_conditioning(model, texts, steps, hires_steps, use_old_scheduling)
    batch = [[ComposableScheduledPromptConditioning(learned[i], weight) for i, weight in parts] for parts in parts_of]
    return MulticondLearnedConditioning((len(prompts),), batch)


def _at_step(schedules: Sequence[ScheduledPromptConditioning], step: int) -> Any:
    return next((s.cond for s in schedules if step <= s.end_at_step), schedules[-1].cond)


def stack_conds(conds: list[Any]) -> Any:
    """Stack, repeating the last vector of shorter ones."""
    if isinstance(conds[0], dict):
        return DictWithShape({key: stack_conds([cond[key] for cond in conds]) for key in conds[0]})
    longest = max(cond.shape[0] for cond in conds)
    if conds[0].dim() > 1:
        conds = [torch.cat([cond, cond[-1:].repeat(longest - cond.shape[0], 1)]) for cond in conds]
    return torch.stack(conds)


def reconstruct_cond_batch(c: list[list[ScheduledPromptConditioning]], current_step: int) -> Any:
    return stack_conds([_at_step(schedules, current_step) for schedules in c])


def reconstruct_multicond_batch(c: MulticondLearnedConditioning, current_step: int) -> tuple[list, Any]:
    """Return per picture its (row, weight) pairs, and the stacked rows, picture by picture."""
    tensors: list[Any] = []
    conds_list = []
    for parts in c.batch:
        conds_list.append([(len(tensors) + i, part.weight) for i, part in enumerate(parts)])
        tensors += [_at_step(part.schedules, current_step) for part in parts]
    return conds_list, stack_conds(tensors)
