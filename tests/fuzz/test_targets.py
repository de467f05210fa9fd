"""A few hundred examples of each target, the same in every run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.fuzz.targets import TARGETS
from tests.fuzz.trial import GROWTH, Tally, Target

EXAMPLES = 300
SLOW = {"image encoders": 60, "adapters, linear": 150, "adapters, plus": 150, "adapters, pickled": 150}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_it_ends_in_success_or_in_our_own_error(target: Target) -> None:
    tally = Tally(target)

    @settings(
        max_examples=SLOW.get(target.name, EXAMPLES), derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(target.inputs)
    def try_one(value: Any) -> None:
        tally.counts[target.tried(value)] += 1

    try_one()
    assert tally.growth < GROWTH
    assert tally.counts["success"] > 0, "Nothing was understood: the inputs are not what they should be."
    assert tally.counts["refused"] > 0, "Nothing was refused: the inputs are not what they should be."
