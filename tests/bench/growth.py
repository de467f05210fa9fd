"""How the cost grows with the batch, the references, the resolution and the steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.params.blocks import Preset
from tests.bench.cases import ALL, STYLE, Case
from tests.bench.contenders import Ours, Plain
from tests.bench.timing import repeated
from tests.support.counting import operations

if TYPE_CHECKING:
    from tests.bench.laboratory import Laboratory
    from tests.bench.models import Inputs


def measure_growth(lab: Laboratory, quantity: str) -> list[dict[str, Any]]:
    """Return the table of one of `QUANTITIES`."""
    return _MEASURES[quantity](lab)


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
    plain, ours = Plain(lab.models), Ours(lab.models, STYLE)
    inputs = lab.models.inputs(1, lab.scale.size)
    return [_passes(lab, plain, ours, inputs, count) for count in lab.scale.steps]


def _passes(lab: Laboratory, plain: Plain, ours: Ours, inputs: Inputs, count: int) -> dict[str, Any]:
    """Race passes of ``count`` steps, step by step: a whole pass is longer than a machine stays the same."""

    def one_pass() -> dict[str, float]:
        with ours:
            steps = {"plain": lambda: plain(inputs), "ours": lambda: ours(inputs)}
            taken = [{name: lab.machine.seconds(step) for name, step in steps.items()} for _ in range(count)]
        return {name: sum(times[name] for times in taken) / count for name in steps}

    times = repeated(one_pass, lab.budget)
    with ours:
        counted = [operations(lambda: ours(inputs)) for _ in range(count)]
    unstyled = operations(lambda: plain(inputs))
    return {
        "value": count,
        "case": STYLE.name,
        **times.compared("ours", "plain"),
        "first_operations": counted[0] - unstyled,
        "operations": counted[-1] - unstyled,
    }


_MEASURES = {"batch": _batches, "references": _references, "resolution": _resolutions, "steps": _steps}
QUANTITIES = tuple(_MEASURES)
