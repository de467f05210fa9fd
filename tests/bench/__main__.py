"""What styling costs on this machine: `python -m tests.bench`."""

from __future__ import annotations

import argparse
import functools
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from tests.bench.cases import ALL, FULL, MID, STYLE
from tests.bench.growth import QUANTITIES, measure_growth
from tests.bench.laboratory import Laboratory
from tests.bench.library import measure_library
from tests.bench.looking import measure_looking
from tests.bench.machine import Machine
from tests.bench.models import Models
from tests.bench.preparation import measure_preparation
from tests.bench.report import markdown
from tests.bench.soak import measure_soak
from tests.bench.steps import measure_steps
from tests.bench.timing import Budget

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.cases import Scale

RESULTS = Path(__file__).with_name("results")
GENERATIONS = 200
QUICK_SECONDS = 150.0  # of five minutes; the rest is for building, warming up and counting
CASES_SECONDS, GROWTH_SECONDS, PREPARATION_SECONDS = 900.0, 60.0, 20.0  # of one comparison


def main() -> None:
    arguments = _arguments()
    if arguments.threads:
        torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Machine(torch.device(arguments.device)), Path(folder), arguments)
        results = run.quick() if arguments.quick else run.full()
    print(markdown(results))
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only style and all, within five minutes; no table")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results there too")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the tables (tests/bench/results)")
    parser.add_argument("--only", nargs="+", choices=Run.PARTS, default=Run.PARTS, help="parts; the others stay")
    parser.add_argument("--soak", type=int, default=GENERATIONS, metavar="N", help=f"generations ({GENERATIONS})")
    parser.add_argument("--rounds", type=int, default=40, help="of a comparison, at most (40)")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=0, help="of the CPU (as many as torch chooses)")
    return parser.parse_args()


class Run:
    """One run of the command.

    Args:
        machine: That is measured.
        folder: For files that nobody needs afterwards.
        arguments: Of the command line.
    """

    PARTS = ("cases", *QUANTITIES, "preparation", "looking", "library", "soak")

    def __init__(self, machine: Machine, folder: Path, arguments: argparse.Namespace) -> None:
        self._machine = machine
        self._folder = folder
        self._arguments = arguments
        self._scale: Scale = FULL if machine.is_gpu else MID

    def quick(self) -> dict[str, Any]:
        """Return the two cases with a target, without the port and without writing a table."""
        cases = measure_steps(self._lab(QUICK_SECONDS), cases=(STYLE, ALL), with_port=False)
        return {"machine": self._described(), "cases": cases}

    def full(self) -> dict[str, Any]:
        """Measure the parts asked for; write the table after each, with what earlier runs on this machine measured."""
        path = self._arguments.out / f"{self._machine.slug}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        results: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        results["machine"] = self._described()
        for part in self._arguments.only:
            results[part] = self._growth(part) if part in QUANTITIES else getattr(self, f"_{part}")()
            path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
            path.with_suffix(".md").write_text(markdown(results), encoding="utf-8")
        return results

    def _cases(self) -> list[dict[str, Any]]:
        return list(self._batches(self._lab(CASES_SECONDS)))

    def _batches(self, lab: Laboratory) -> Iterator[dict[str, Any]]:
        """Yield the cases of one picture, and on a GPU of every batch: each fills it differently."""
        for pictures in self._scale.batches if self._machine.is_gpu else self._scale.batches[:1]:
            yield from measure_steps(lab, pictures)

    def _growth(self, quantity: str) -> list[dict[str, Any]]:
        return measure_growth(self._lab(GROWTH_SECONDS), quantity)

    def _preparation(self) -> list[dict[str, Any]]:
        return measure_preparation(self._lab(PREPARATION_SECONDS))

    def _looking(self) -> list[dict[str, Any]]:
        return measure_looking(self._machine)

    def _soak(self) -> dict[str, Any]:
        return measure_soak(self._arguments.soak, self._arguments.out / f"{self._machine.slug}.png")

    def _library(self) -> list[dict[str, Any]]:
        return measure_library(self._machine)

    def _lab(self, seconds: float) -> Laboratory:
        return Laboratory(self._machine, self._scale, self._models, Budget(self._arguments.rounds, seconds))

    @functools.cached_property
    def _models(self) -> Models:
        return Models(self._scale.architecture, self._scale.dtype, self._folder, self._machine.device)

    def _described(self) -> dict[str, Any]:
        config, dtype = self._scale.architecture.config, str(self._scale.dtype).removeprefix("torch.")
        unet = f"{config.channels} channels, context {config.context}, {dtype}, {self._scale.size}²"
        return {**self._machine.described(), "unet": unet}


if __name__ == "__main__":
    main()
