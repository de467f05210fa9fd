"""How the sections of the accordion hear of each other's changes."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

Event = Callable[..., Any]  # of gradio: takes a function with its inputs and outputs


class Topic(Enum):
    """What parts of the accordion publish; gradio itself tells when a single component changes."""

    REFERENCES = "the further references changed"  # a gallery does not tell
    STYLE_CHOSEN = "a saved style was filled into the controls"


class Topics:
    """Events by topic."""

    def __init__(self) -> None:
        self._events: dict[Topic, list[Event]] = {}

    def publish(self, topic: Topic, event: Event) -> None:
        """Let others hear of ``event``."""
        self._events.setdefault(topic, []).append(event)

    def listen(self, topic: Topic, **arguments: Any) -> None:
        """Call a function, with the arguments of gradio's events, whenever something of ``topic`` happens.

        Raises:
            KeyError: If nobody publishes it.
        """
        for event in self._events[topic]:
            event(**arguments)
