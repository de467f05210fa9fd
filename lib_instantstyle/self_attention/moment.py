"""What the sites need during one call of the UNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lib_instantstyle.self_attention.records import Records
    from lib_instantstyle.self_attention.reference import Reference
    from lib_instantstyle.self_attention.sources import ReferenceSource


class Moment(NamedTuple):
    """The timestep of a call, and what was recorded for it."""

    timestep: float
    records: Records
    references: tuple[Reference, ...]

    def strength(self, source: ReferenceSource) -> float:
        """Return that of ``source`` by its schedule."""
        return source.schedule.at(self.timestep)
