"""What every measurement needs, and what several of them measure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.bench.contenders import Ours, Plain
from tests.bench.timing import Budget, race
from tests.support.counting import hooks, operations

if TYPE_CHECKING:
    from tests.bench.cases import Case, Scale
    from tests.bench.machine import Machine
    from tests.bench.models import Inputs, Models


@dataclass(frozen=True)
class Laboratory:
    """One machine with one set of weights on it.

    Attributes:
        machine: That is measured.
        scale: Of UNet and inputs.
        models: Of that scale, on that machine.
        budget: Of one comparison.
    """

    machine: Machine
    scale: Scale
    models: Models
    budget: Budget

    def compare(self, plain: Plain, ours: Ours, inputs: Inputs) -> dict[str, Any]:
        """Race the extension against the plain UNet; return the columns that every such line of the table has."""
        times = race({"plain": lambda: plain(inputs), "ours": lambda: ours(inputs)}, self.machine, self.budget)
        return {
            **times.compared("ours", "plain"),
            "sites": ours.sites,
            "hooks": hooks(ours.unet),
            "operations": operations(lambda: ours(inputs)) - operations(lambda: plain(inputs)),
        }

    def held(self, case: Case, inputs: Inputs) -> int:
        """Return the bytes that ``case`` keeps between two steps of sampling."""
        before = self.machine.bytes_held()
        with Ours(self.models, case) as ours:
            ours(inputs)
            return self.machine.bytes_held() - before
