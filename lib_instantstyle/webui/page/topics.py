"""Events between the sections of the accordion."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

Event = Callable[..., Any]  # gradio's: takes a function with its inputs and outputs


class Topic(Enum):
    """The changes that sections publish; for those of a single component gradio has events of its own."""

    REFERENCES = "the further references changed"  # gradio's galleries have no event for it
    ADDED = "further references were chosen"
    REGIONS = "the masks changed"
    STYLE_CHOSEN = "a saved style was filled into the controls"


class Topics:
    """Events by topic."""

    def __init__(self) -> None:
        self._events: dict[Topic, list[Event]] = {}

    def publish(self, topic: Topic, event: Event) -> None:
        """Offer ``event`` to listeners of ``topic``."""
        self._events.setdefault(topic, []).append(event)

    def listen(self, topic: Topic, **arguments: Any) -> None:
        """Attach a handler, given as the arguments of a gradio event, to all events of ``topic``.

        Raises:
            KeyError: If nothing publishes it.
        """
        for event in self._events[topic]:
            event(**arguments)
