"""``<name:arguments>`` in prompts. The stand-in parses and drops them: it has no LoRA."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

_TAG = re.compile(r"<(\w+):([^>]+)>")


class ExtraNetworkParams:
    def __init__(self, items: list[str]) -> None:
        self.items = items
        self.positional = [item for item in items if "=" not in item]
        self.named = dict(item.split("=", 1) for item in items if "=" in item)


def parse_prompt(prompt: str) -> tuple[str, dict[str, list[ExtraNetworkParams]]]:
    """Return the prompt without the tags, and the tags."""
    found: dict[str, list[ExtraNetworkParams]] = defaultdict(list)
    for match in _TAG.finditer(prompt):
        found[match.group(1)].append(ExtraNetworkParams(match.group(2).split(":")))
    return _TAG.sub("", prompt), found


def parse_prompts(prompts: list[str]) -> tuple[list[str], dict[str, list[ExtraNetworkParams]]]:
    parsed = [parse_prompt(prompt) for prompt in prompts]
    return [text for text, _ in parsed], parsed[0][1] if parsed else {}


def activate(p: Any, extra_network_data: dict[str, list[ExtraNetworkParams]]) -> None:
    """Tell the scripts, as if networks had been activated."""
    if p.scripts is not None:
        p.scripts.after_extra_networks_activate(
            p,
            batch_number=p.iteration,
            prompts=p.prompts,
            seeds=p.seeds,
            subseeds=p.subseeds,
            extra_network_data=extra_network_data,
        )


def deactivate(_p: Any, _extra_network_data: dict[str, list[ExtraNetworkParams]]) -> None:
    """Nothing was activated."""
