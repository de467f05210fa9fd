"""How the cost grows with the batch, the references, the resolution and the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.blocks import Preset
from tests.bench.cases import ALL, STYLE, Case
from tests.bench.contenders import Ours, Plain
from tests.bench.timing import race
from tests.support.counting import operations

if TYPE_CHECKING:
    from tests.bench.laboratory import Laboratory
    from tests.bench.models import Inputs


def measure_growth(lab: Laboratory) -> dict[str, list[dict[str, Any]]]:
    """Return a table for each quantity that is varied."""
    return {
        "batch": _batches(lab),
        "references": _references(lab),
        "resolution": _resolutions(lab),
        "steps": _steps(lab),
    }


def _batches(lab: Laboratory) -> list[dict[str, Any]]:
    """Pictures at once, each with CFG's two rows."""
    plain, lines = Plain(lab.models), []
    for case in (STYLE, ALL):
        with Ours(lab.models, case) as ours:
            for pictures in lab.scale.batches:
                inputs = lab.models.inputs(pictures, lab.scale.size)
                lines.append({"value": pictures, "case": case.name, **lab.compare(plain, ours, inputs)})
    return lines


def _references(lab: Laboratory) -> list[dict[str, Any]]:
    """References that are concatenated."""
    plain, inputs, lines = Plain(lab.models), lab.models.inputs(1, lab.scale.size), []
    for count in lab.scale.references:
        case = Case(f"{count} references", Preset.ALL, references=count)
        held = lab.held(case, inputs)
        with Ours(lab.models, case) as ours:
            lines.append({"value": count, "case": ALL.name, **lab.compare(plain, ours, inputs), "held_bytes": held})
    return lines


def _resolutions(lab: Laboratory) -> list[dict[str, Any]]:
    """Pixels a side."""
    plain, lines = Plain(lab.models), []
    for case in (STYLE, ALL):
        with Ours(lab.models, case) as ours:
            for size in lab.scale.resolutions:
                inputs = lab.models.inputs(1, size)
                lines.append({"value": size, "case": case.name, **lab.compare(plain, ours, inputs)})
    return lines


def _steps(lab: Laboratory) -> list[dict[str, Any]]:
    """Steps of one sampling pass; the first of them expands the terms for its rows."""
    plain, inputs = Plain(lab.models), lab.models.inputs(1, lab.scale.size)
    return [_loop(lab, plain, inputs, count) for count in lab.scale.steps]


def _loop(lab: Laboratory, plain: Plain, inputs: Inputs, count: int) -> dict[str, Any]:
    ours = Ours(lab.models, STYLE)

    def unstyled() -> None:
        for _ in range(count):
            plain(inputs)

    def styled() -> None:
        with ours:
            for _ in range(count):
                ours(inputs)

    times = race({"plain": unstyled, "ours": styled}, lab.machine, lab.budget)
    columns = times.compared("ours", "plain")
    for key in ("plain_s", "ours_s", "added_s"):
        columns[key] /= count
    with ours:
        counted = [operations(lambda: ours(inputs)) for _ in range(count)]
    unstyled_count = operations(lambda: plain(inputs))
    return {
        "value": count,
        "case": STYLE.name,
        **columns,
        "first_operations": counted[0] - unstyled_count,
        "operations": counted[-1] - unstyled_count,
    }
