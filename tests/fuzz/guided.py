"""One target under libFuzzer, which sees what of the library an input reaches. Run by `python -m tests.fuzz --coverage`."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from typing import Any

import atheris
from hypothesis import HealthCheck, given, settings

_LONGEST = 16_384  # bytes that an input is drawn from


def main(name: str, seconds: float, models_dir: str) -> None:
    """Try the target ``name`` for so long, print its report as JSON, and end the process."""
    with atheris.instrument_imports(include=["lib_instantstyle"]):
        from tests.fuzz.targets import TARGETS
    from tests.fuzz.__main__ import start_host
    from tests.fuzz.trial import Tally

    start_host(models_dir or None)
    tally, deadline = Tally(TARGETS[name]), time.monotonic() + seconds

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(tally.target.inputs)
    def try_one(value: Any) -> None:
        tally.add(value)

    def try_bytes(octets: bytes) -> None:
        try_one.hypothesis.fuzz_one_input(octets)
        if time.monotonic() > deadline:
            print(f"\n{json.dumps(tally.report())}", flush=True)
            os._exit(0)

    with tempfile.TemporaryDirectory() as folder:
        atheris.Setup([sys.argv[0], f"-max_len={_LONGEST}", f"-artifact_prefix={folder}/"], try_bytes)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), sys.argv[3])
