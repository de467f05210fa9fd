"""Fair times: the contenders take turns in random order, and are compared round by round."""

from __future__ import annotations

import contextlib
import gc
import random
import statistics
import time
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tests.bench.machine import Machine

_LEAST = 1  # rounds, however little time there is


class Budget(NamedTuple):
    """How long to measure: until either is used up."""

    rounds: int
    seconds: float


class Spread(NamedTuple):
    """Quartiles and median."""

    low: float
    median: float
    high: float


class Times:
    """Seconds of each contender in each round.

    What disturbs a machine lasts longer than a step, so ratios are taken within rounds and only then their median.
    """

    def __init__(self, rounds: Sequence[Mapping[str, float]]) -> None:
        self._rounds = rounds

    def __len__(self) -> int:
        return len(self._rounds)

    def median(self, name: str) -> float:
        """Return the median seconds of ``name``."""
        return statistics.median(times[name] for times in self._rounds)

    def ratio(self, name: str, plain: str) -> Spread:
        """Return the ratio of ``name`` to ``plain``."""
        return spread([times[name] / times[plain] for times in self._rounds])

    def added(self, name: str, plain: str) -> float:
        """Return the seconds by which ``name`` is longer than ``plain``."""
        return statistics.median(times[name] - times[plain] for times in self._rounds)

    def compared(self, name: str, plain: str) -> dict[str, Any]:
        """Return the columns that every comparison of the table has."""
        low, median, high = self.ratio(name, plain)
        return {
            "plain_s": self.median(plain),
            "ours_s": self.median(name),
            "added_s": self.added(name, plain),
            "ratio": median,
            "quartiles": [low, high],
            "rounds": len(self),
        }


def race(contenders: Mapping[str, Callable[[], object]], machine: Machine, budget: Budget) -> Times:
    """Let every contender run once to warm up, and then once a round."""
    for run in contenders.values():
        run()
    order, shuffle = list(contenders), random.Random(7)

    def one_round() -> dict[str, float]:
        shuffle.shuffle(order)
        return {name: machine.seconds(contenders[name]) for name in order}

    return repeated(one_round, budget)


def repeated(one_round: Callable[[], Mapping[str, float]], budget: Budget) -> Times:
    """Return the times of as many rounds as ``budget`` allows, one at least."""
    rounds: list[Mapping[str, float]] = []
    begun = time.monotonic()
    while len(rounds) < _LEAST or (len(rounds) < budget.rounds and time.monotonic() - begun < budget.seconds):
        with _no_garbage_collection():
            rounds.append(one_round())
    return Times(rounds)


@contextlib.contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Keep Python from looking through thousands of modules while the clock runs."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def spread(values: Sequence[float]) -> Spread:
    """Return median and quartiles of at least one value."""
    if len(values) == 1:
        return Spread(*values * 3)
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))
