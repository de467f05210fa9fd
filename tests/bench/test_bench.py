"""The bench compares like with like, and what it counts is what is promised."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.bench.cases import Scale
from tests.bench.growth import QUANTITIES, measure_growth
from tests.bench.laboratory import Laboratory
from tests.bench.library import measure_library
from tests.bench.looking import SHELVES, Shelf, measure_looking
from tests.bench.machine import Machine
from tests.bench.models import Models
from tests.bench.preparation import measure_preparation
from tests.bench.report import markdown
from tests.bench.steps import measure_steps
from tests.bench.timing import Budget, Times
from tests.support.architecture import Architecture
from tests.tiny.unet import UNetConfig

ARCHITECTURE = Architecture(UNetConfig(32, (1, 2, 4), (0, 2, 10), 10, 64, 64), head_width=8, number_width=8)
SMALL = Scale(
    ARCHITECTURE, torch.float32, 64, batches=(1, 2), references=(1, 2, 3), resolutions=(64, 128), steps=(2, 4)
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    device = torch.device("cpu")
    models = Models(SMALL.architecture, SMALL.dtype, tmp_path_factory.mktemp("bench"), device)
    return Laboratory(Machine(device), SMALL, models, Budget(rounds=1, seconds=60.0))


@pytest.fixture(scope="module")
def cases(lab: Laboratory) -> dict[str, dict[str, Any]]:
    """Measuring compares the contenders' answers."""
    return {line["name"]: line for line in measure_steps(lab)}


def test_the_cost_is_the_planned_sites_and_nothing_else(cases: dict[str, dict[str, Any]]) -> None:
    assert [cases[name]["sites"] for name in ("style", "style + layout", "all")] == [10, 20, 70]
    for name in ("style", "style + layout", "all"):
        assert cases[name]["hooks"] == 3 * cases[name]["sites"] + 2  # the UNet's own
        assert cases[name]["operations"] == 2 * cases[name]["sites"]  # attention and sum


def test_references_share_one_attention(cases: dict[str, dict[str, Any]]) -> None:
    assert cases["style, two references"]["operations"] == cases["style"]["operations"]


def test_others_compute_more(cases: dict[str, dict[str, Any]]) -> None:
    for line in cases.values():
        assert line["operations"] < line["diffusers_operations"] < line["port_operations"]


@pytest.fixture(scope="module")
def growth(lab: Laboratory) -> dict[str, list[dict[str, Any]]]:
    return {quantity: measure_growth(lab, quantity) for quantity in QUANTITIES}


def test_only_the_first_step_costs_more(growth: dict[str, list[dict[str, Any]]]) -> None:
    few, many = growth["steps"]
    assert few["first_operations"] > few["operations"]
    assert [few[key] for key in ("first_operations", "operations")] == [
        many[key] for key in ("first_operations", "operations")
    ]


def test_neither_batch_nor_resolution_adds_operations(growth: dict[str, list[dict[str, Any]]]) -> None:
    for line in [*growth["batch"], *growth["resolution"]]:
        assert line["operations"] == 2 * line["sites"]


def test_memory_grows_by_the_same_with_each_reference(growth: dict[str, list[dict[str, Any]]]) -> None:
    one, two, three = (line["held_bytes"] for line in growth["references"])
    assert two - one == pytest.approx(three - two, rel=0.01)


@pytest.fixture(scope="module")
def preparation(lab: Laboratory) -> list[dict[str, Any]]:
    return measure_preparation(lab)


def test_a_second_job_reads_nothing(preparation: list[dict[str, Any]]) -> None:
    lines = {line["name"]: line for line in preparation}
    assert all(line["warm_bytes"] == 0 < line["cold_bytes"] for line in lines.values())
    assert lines["style"]["cold_bytes"] < lines["all"]["cold_bytes"] < lines["all"]["file_bytes"]


@pytest.fixture(scope="module")
def looking(lab: Laboratory) -> list[dict[str, Any]]:
    return measure_looking(lab.machine, (SHELVES[0], Shelf("more than a cache would keep", 1500, 2)))


def test_looking_is_cheap(looking: list[dict[str, Any]]) -> None:
    """Twice the targets of the whole benchmark, and fewer files, since the machine of a test is busy."""
    large, many = looking
    assert large["first_s"] < 1.0
    assert many["again_s"] < 0.6


@pytest.fixture(scope="module")
def library(lab: Laboratory) -> list[dict[str, Any]]:
    return measure_library(lab.machine, (250, 1000))


def test_looking_into_the_library_is_cheap_and_not_quadratic(library: list[dict[str, Any]]) -> None:
    """The targets of the whole benchmark are a second and a tenth of one; the machine of a test is busy."""
    few, many = library[:3], library[3:]
    assert [line["name"] for line in many] == ["names", "list", "cards"]
    for small, large in zip(few, many, strict=True):
        assert large["first_s"] < min(2.0, 8 * small["first_s"] + 0.2)
        assert large["again_s"] < min(0.2, 8 * small["again_s"] + 0.05)


def test_ratios_are_taken_within_rounds() -> None:
    """A machine that becomes ten times slower changes times, not ratios."""
    times = Times([{"plain": 1.0, "ours": 1.5}, {"plain": 10.0, "ours": 15.0}, {"plain": 2.0, "ours": 3.0}])
    assert times.ratio("ours", "plain") == (1.5, 1.5, 1.5)


def test_the_table_is_written_of_what_was_measured(
    lab: Laboratory,
    cases: dict[str, dict[str, Any]],
    growth: dict[str, list[dict[str, Any]]],
    preparation: list[dict[str, Any]],
    looking: list[dict[str, Any]],
    library: list[dict[str, Any]],
) -> None:
    machine = {**lab.machine.described(), "unet": "small"}
    parts = {"cases": list(cases.values()), **growth, "preparation": preparation, "looking": looking}
    parts |= {"library": library}
    text = markdown({"machine": machine, **parts})
    assert text.startswith(f"# {lab.machine.name}")
    tables = [[line.count("|") for line in part.splitlines() if line.startswith("|")] for part in text.split("\n\n")]
    lengths = [len(table) - 2 for table in tables if table]  # without the heads
    assert lengths == [1, len(cases), *map(len, growth.values()), len(preparation), len(looking), len(library)]
    assert all(len(set(table)) == 1 for table in tables if table)
