"""One input tried: how it ended, and what it took."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis.strategies import SearchStrategy

from lib_instantstyle.errors import InstantStyleError

SECONDS = 5.0  # of this process for one input, on a slow and busy machine
GROWTH = 1 << 30  # bytes by which all inputs of a target together may enlarge the process


@dataclass(frozen=True)
class Target:
    """A way for something from outside to come in.

    Attributes:
        name: For people.
        inputs: What comes in.
        use: What is done with it; an `AssertionError` says that it went wrong though nothing was raised.
    """

    name: str
    inputs: SearchStrategy[Any]
    use: Callable[[Any], Any]

    def tried(self, value: Any) -> str:
        """Use ``value``; return how it ended.

        Raises:
            Exception: Any but our own.
            AssertionError: If it took too long.
        """
        started = time.process_time()
        try:
            self.use(value)
            outcome = "success"
        except InstantStyleError:
            outcome = "refused"
        elapsed = time.process_time() - started
        assert elapsed < SECONDS, f"It took {elapsed:.1f} seconds."
        return outcome


class Tally:
    """Counts how the inputs of a target end, and keeps an example of each way that is wrong."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.counts: Counter[str] = Counter()
        self.wrong: dict[str, str] = {}
        self._memory = peak_memory()

    def add(self, value: Any) -> None:
        """Try ``value``."""
        try:
            self.counts[self.target.tried(value)] += 1
        except Exception as error:  # noqa: BLE001  whatever it is: it is counted and shown
            self.counts["others"] += 1
            self.wrong.setdefault(_where(error), repr(value)[:300])

    @property
    def growth(self) -> int:
        """Bytes by which the process has grown."""
        return peak_memory() - self._memory

    def report(self) -> dict[str, Any]:
        """Return all of it, ready for JSON."""
        return {
            "target": self.target.name,
            **{outcome: self.counts[outcome] for outcome in ("success", "refused", "others")},
            "megabytes": self.growth >> 20,
            "wrong": self.wrong,
        }


def peak_memory() -> int:
    """Return the largest size that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _where(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__} at {place}: {error}"[:300]
