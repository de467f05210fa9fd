"""The events of a page that is built in this process, as gradio 3 and gradio 4 keep them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Event(NamedTuple):
    """One event; components are named by their numbers in ``demo.blocks``."""

    targets: list[int | None]
    triggers: set[str]
    inputs: list[int]
    outputs: list[int]
    js: str | None
    fn: Callable[..., Any] | None


def events_of(demo: Any) -> Iterator[Event]:
    if hasattr(demo, "dependencies"):
        for entry, function in zip(demo.dependencies, demo.fns, strict=True):
            ids = [entry[name] for name in ("inputs", "outputs")]
            yield Event(entry["targets"], {entry["trigger"]}, *ids, entry["js"], function.fn)
        return
    for function in demo.fns.values():
        ids = [[block._id for block in blocks] for blocks in (function.inputs, function.outputs)]
        targets = [number for number, _ in function.targets]
        yield Event(targets, {name for _, name in function.targets}, *ids, function.js, function.fn)
