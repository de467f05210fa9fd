"""What comes before the first step: reading the adapter and computing keys and values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.unet.sites import enumerate_sites
from tests.bench.cases import CASES
from tests.bench.contenders import Plain
from tests.bench.timing import race
from tests.support.counting import reading

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lib_instantstyle.unet.sites import Site
    from tests.bench.cases import Case
    from tests.bench.laboratory import Laboratory


def measure_preparation(lab: Laboratory) -> list[dict[str, Any]]:
    """Prepare each case with nothing remembered, and again with everything; the file is in the system's cache."""
    sites = enumerate_sites(Plain(lab.models).unet)
    return [_line(lab, case, sites) for case in CASES]


def _line(lab: Laboratory, case: Case, sites: Sequence[Site]) -> dict[str, Any]:
    memo = TensorMemo()

    def cold() -> None:
        case.terms(sites, lab.models.adapter, TensorMemo())

    def warm() -> None:
        case.terms(sites, lab.models.adapter, memo)

    cold_bytes = _bytes(warm)  # the first time nothing is remembered yet
    times = race({"cold": cold, "warm": warm}, lab.machine, lab.budget)
    return {
        "name": case.name,
        "cold_s": times.median("cold"),
        "warm_s": times.median("warm"),
        "cold_bytes": cold_bytes,
        "warm_bytes": _bytes(warm),
        "file_bytes": lab.models.adapter.path.stat().st_size,
        "rounds": len(times),
    }


def _bytes(action: Callable[[], object]) -> int:
    with reading() as total:
        action()
    return total.octets
