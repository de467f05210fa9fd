"""`python -m tests.fuzz --seconds 600`: new inputs for as long as it is told to, and how they ended.

Hypothesis draws the inputs, and climbs towards those that take long. With `--coverage` (needs `pip install atheris`)
libFuzzer draws the bytes that they are made of, and keeps those that reach new lines of the library.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from typing import Any

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from tests.fuzz.trial import Tally

_BATCH = 200  # inputs between two looks at the clock


def main() -> int:
    """Try every target, print a table, and return how many targets ended in another way than they may."""
    options = _options()
    share = options.seconds / len(options.targets)
    print(f"{'target':32}{'success':>9}{'refused':>9}{'others':>8}{'grown by':>10}")
    if options.coverage:
        reports = [_guided(name, share, options.models_dir) for name in options.targets]
    else:
        start_host(options.models_dir)
        reports = [_drawn(name, share) for name in options.targets]
    total = {key: sum(report[key] for report in reports) for key in ("success", "refused", "others")}
    print(f"{'all':32}{total['success']:>9}{total['refused']:>9}{total['others']:>8}")
    return sum(bool(report["wrong"]) for report in reports)


def _options() -> argparse.Namespace:
    from tests.fuzz.targets import TARGETS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="in all")
    parser.add_argument("--coverage", action="store_true", help="guided by coverage, with atheris")
    parser.add_argument("--models-dir", help="tiny models that are there already")
    parser.add_argument("targets", nargs="*", default=list(TARGETS), metavar="TARGET", help=", ".join(TARGETS))
    options = parser.parse_args()
    if unknown := set(options.targets) - set(TARGETS):
        parser.error(f"unknown: {', '.join(unknown)}")
    return options


def start_host(models_dir: str | None) -> None:
    """Some texts are read by the host first, which wants a models folder; no model is loaded."""
    from tests.host.inprocess import in_process

    warnings.filterwarnings("ignore")
    in_process(models_dir or tempfile.mkdtemp(prefix="no-models-"))


def _drawn(name: str, seconds: float) -> dict[str, Any]:
    from tests.fuzz.targets import TARGETS

    tally = Tally(TARGETS[name])
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        _try_batch(tally)
    return _shown(tally.report())


def _try_batch(tally: Tally) -> None:
    @hypothesis.seed(random.getrandbits(64))
    @settings(
        max_examples=_BATCH, database=None, deadline=None, suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.target),
    )  # fmt: skip
    @given(tally.target.inputs)
    def try_one(value: Any) -> None:
        started = time.process_time()
        tally.add(value)
        hypothesis.target(time.process_time() - started, label="seconds")

    try_one()


def _guided(name: str, seconds: float, models_dir: str | None) -> dict[str, Any]:
    """Let a process of its own try it: libFuzzer ends the one that it runs in."""
    command = [sys.executable, "-m", "tests.fuzz.guided", name, str(seconds), models_dir or ""]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return _shown(json.loads(answer.stdout.splitlines()[-1]))


def _shown(report: dict[str, Any]) -> dict[str, Any]:
    counts = "".join(f"{report[key]:>{width}}" for key, width in (("success", 9), ("refused", 9), ("others", 8)))
    print(f"{report['target']:32}{counts}{report['megabytes']:>7} MB", flush=True)
    for error, value in report["wrong"].items():
        print(f"    {error}\n        {value}")
    return report


if __name__ == "__main__":
    sys.exit(main())
