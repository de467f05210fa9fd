"""``<name:arguments>`` in prompts, and the networks that extensions register for them."""

from __future__ import annotations

import json
import logging
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from modules import errors

_TAG = re.compile(r"<(\w+):([^>]+)>")
extra_network_registry: dict[str, ExtraNetwork] = {}
extra_network_aliases: dict[str, ExtraNetwork] = {}


class ExtraNetworkParams:
    """What stands between the colons of one tag. A part with exactly one ``=`` is a named argument."""

    def __init__(self, items: list[Any] | None = None) -> None:
        self.items = items or []
        self.positional: list[Any] = []
        self.named: dict[str, str] = {}
        for item in self.items:
            if isinstance(item, str) and item.count("=") == 1:
                key, value = item.split("=")
                self.named[key] = value
            else:
                self.positional.append(item)

    def __eq__(self, other: Any) -> bool:
        return self.items == other.items

    __hash__ = None  # compared in the cache of conditionings, never a key


ExtraNetworkData = dict[str, list[ExtraNetworkParams]]


class ExtraNetwork:
    """Base of what answers to a tag's name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def activate(self, p: Any, params_list: list[ExtraNetworkParams]) -> None:
        """Take the arguments of all tags of this name in the prompt; none mean: have no effect."""
        raise NotImplementedError

    def deactivate(self, p: Any) -> None:
        raise NotImplementedError


def initialize() -> None:
    """Forget all networks: at the start and on Reload UI, after the scripts were loaded."""
    extra_network_registry.clear()
    extra_network_aliases.clear()


def register_extra_network(extra_network: ExtraNetwork) -> None:
    extra_network_registry[extra_network.name] = extra_network


def register_extra_network_alias(extra_network: ExtraNetwork, alias: str) -> None:
    extra_network_aliases[alias] = extra_network


def lookup_extra_networks(extra_network_data: ExtraNetworkData) -> dict[ExtraNetwork, list[ExtraNetworkParams]]:
    """Return the arguments by network; a name and its alias add up, unknown names are left out."""
    found: dict[ExtraNetwork, list[ExtraNetworkParams]] = {}
    for name, params in list(extra_network_data.items()):
        network = extra_network_registry.get(name) or extra_network_aliases.get(name)
        if network is None:
            logging.info("Skipping unknown extra network: %s", name)
            continue
        found.setdefault(network, []).extend(params)
    return found


def activate(p: Any, extra_network_data: ExtraNetworkData) -> None:
    """Activate the networks of the prompt in its order, all others with ``[]``, then tell the scripts.

    A network that raised counts as not activated, so it gets another call, with ``[]``.
    """
    activated = []
    for network, params in lookup_extra_networks(extra_network_data).items():
        try:
            network.activate(p, params)
            activated.append(network)
        except Exception as error:  # noqa: BLE001  the contract: reported and swallowed
            errors.display(error, f"activating extra network {network.name} with arguments {params}")
    for name, network in extra_network_registry.items():
        if network in activated:
            continue
        try:
            network.activate(p, [])
        except Exception as error:  # noqa: BLE001  the contract: reported and swallowed
            errors.display(error, f"activating extra network {name}")
    if p.scripts is not None:
        p.scripts.after_extra_networks_activate(
            p,
            batch_number=p.iteration,
            prompts=p.prompts,
            seeds=p.seeds,
            subseeds=p.subseeds,
            extra_network_data=extra_network_data,
        )


def deactivate(p: Any, extra_network_data: ExtraNetworkData) -> None:
    """Deactivate the networks of the prompt in its order, then all others."""
    mentioned = lookup_extra_networks(extra_network_data)
    others = [network for network in extra_network_registry.values() if network not in mentioned]
    for network in [*mentioned, *others]:
        try:
            network.deactivate(p)
        except Exception as error:  # noqa: BLE001  the contract: reported and swallowed
            errors.display(error, f"deactivating extra network {network.name}")


def parse_prompt(prompt: str) -> tuple[str, ExtraNetworkData]:
    """Return the prompt without the tags, and the tags."""
    found: ExtraNetworkData = defaultdict(list)
    for match in _TAG.finditer(prompt):
        found[match.group(1)].append(ExtraNetworkParams(match.group(2).split(":")))
    return _TAG.sub("", prompt), found


def parse_prompts(prompts: list[str]) -> tuple[list[str], ExtraNetworkData | None]:
    """Strip all prompts of their tags; only those of the first prompt count."""
    parsed = [parse_prompt(prompt) for prompt in prompts]
    return [text for text, _ in parsed], parsed[0][1] if parsed else None


def get_user_metadata(filename: str | None, lister: Any = None) -> dict[str, Any]:
    """Return what the ``.json`` beside a network's file says; a broken one is reported and empty."""
    if filename is None:
        return {}
    path = Path(filename).with_suffix(".json")
    try:
        if lister.exists(str(path)) if lister else path.exists():
            return json.loads(path.read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001  a card without its metadata is still a card
        errors.display(error, f"reading extra network user metadata from {path}")
    return {}
