"""The time of one step: plain, ours, diffusers' IP-Adapter and a straightforward port."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from tests.bench.cases import CASES
from tests.bench.contenders import Diffusers, Ours, Plain, Port
from tests.bench.timing import race
from tests.support.counting import Operations, hooks, waits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.bench.cases import Case
    from tests.bench.contenders import Step
    from tests.bench.laboratory import Laboratory
    from tests.bench.models import Inputs
    from tests.bench.timing import Times

# How far answers may be apart, as a share of what styling changes: a contender that leaves a site or a row out is
# further off. Half precision makes about a hundredth by itself.
_APART = {torch.float32: 1e-3, torch.float16: 0.1}


def measure_steps(
    lab: Laboratory, pictures: int = 1, cases: Sequence[Case] = CASES, *, with_port: bool = True
) -> list[dict[str, Any]]:
    """Race all contenders, a case a line.

    Args:
        lab: Where to measure.
        pictures: Of the batch; each has CFG's two rows.
        cases: What they do.
        with_port: Whether the port takes part.

    Raises:
        RuntimeError: If contenders do not do the same work.
    """
    inputs = lab.models.inputs(pictures, lab.scale.size)
    with contextlib.ExitStack() as stack:
        ours = {case.name: stack.enter_context(Ours(lab.models, case)) for case in cases}
        steps = _contenders(lab, cases, ours, with_port=with_port)
        times = race({name: _run(step, inputs) for name, step in steps.items()}, lab.machine, lab.budget)
        answers = {name: _answer(step, inputs) for name, step in steps.items()}
        return [
            {
                "name": case.name,
                "pictures": pictures,
                "sites": ours[case.name].sites,
                "hooks": hooks(ours[case.name].unet),
                **_compared(case, times, answers, lab.models.dtype),
                **_memory(lab, case, steps["plain"], ours[case.name], inputs),
            }
            for case in cases
        ]


def _contenders(
    lab: Laboratory, cases: Sequence[Case], ours: Mapping[str, Ours], *, with_port: bool
) -> dict[str, Step]:
    """Return all contenders by name; each styled one has its case's name after its own."""
    steps: dict[str, Step] = {"plain": Plain(lab.models), "diffusers": Diffusers(lab.models)}
    for case in cases:
        steps[f"ours {case.name}"] = ours[case.name]
        steps[f"diffusers {case.name}"] = Diffusers(lab.models, case)
        if with_port:
            steps[f"port {case.name}"] = Port(lab.models, case)
    return steps


class _Answer(NamedTuple):
    """What a contender answered, and with how many tensor operations."""

    latent: torch.Tensor
    operations: int


def _answer(step: Step, inputs: Inputs) -> _Answer:
    with Operations() as counter:
        latent = step(inputs).float()
    return _Answer(latent, counter.count)


def _compared(case: Case, times: Times, answers: Mapping[str, _Answer], dtype: torch.dtype) -> dict[str, Any]:
    """Return the columns of times and operations."""
    ours, theirs, port = (f"{who} {case.name}" for who in ("ours", "diffusers", "port"))
    columns = {
        **times.compared(ours, "plain"),
        "operations": answers[ours].operations - answers["plain"].operations,
        "diffusers_ratio": times.ratio(theirs, "diffusers").median,
        "diffusers_operations": answers[theirs].operations - answers["diffusers"].operations,
        "apart": _apart(case, answers, dtype),
    }
    if port in answers:
        columns["port_ratio"] = times.ratio(port, "plain").median
        columns["port_operations"] = answers[port].operations - answers["plain"].operations
    return columns


def _apart(case: Case, answers: Mapping[str, _Answer], dtype: torch.dtype) -> float:
    """Return how far the answers are apart, as a share of what styling changes."""
    theirs = answers[f"diffusers {case.name}"].latent
    styled = [answer.latent for name, answer in answers.items() if name.endswith(f" {case.name}")]
    change = float((theirs - answers["diffusers"].latent).norm())
    apart = max(float((latent - theirs).norm()) for latent in styled) / change
    if not apart <= _APART[dtype]:
        raise RuntimeError(f"{case.name}: the contenders' answers differ by {apart:.1%} of what styling changes.")
    return apart


def _memory(lab: Laboratory, case: Case, plain: Step, ours: Ours, inputs: Inputs) -> dict[str, int]:
    """Return the bytes held and, on a GPU, how many more a step needs at its peak, and how often it waits."""
    columns = {"held_bytes": lab.held(case, inputs)}
    if lab.machine.is_gpu:
        with_style, without = (lab.machine.peak_bytes(_run(step, inputs)) for step in (ours, plain))
        columns["peak_bytes"] = with_style - without
        columns["waits"] = waits(_run(ours, inputs)) - waits(_run(plain, inputs))
    return columns


def _run(step: Step, inputs: Inputs) -> Callable[[], torch.Tensor]:
    return lambda: step(inputs)
