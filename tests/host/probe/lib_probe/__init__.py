"""Where the probe keeps what it saw: a package, so that Reload UI does not reset it."""

from typing import Any

events: list[tuple[str, dict[str, Any]]] = []
failing: set[str] = set()
loaded = 0


def note(event: str, **details: Any) -> None:
    """Record an event, and raise if a test wants this one to fail."""
    events.append((event, details))
    if event in failing:
        raise RuntimeError(f"boom in {event}")
