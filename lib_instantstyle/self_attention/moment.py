"""What the sites need during one call of the UNet."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lib_instantstyle.self_attention.records import Records
    from lib_instantstyle.self_attention.reference import Reference
    from lib_instantstyle.self_attention.sources import ReferenceSource
    from lib_instantstyle.unet.sites import Site


class Moment(NamedTuple):
    """The timestep of a call, and what was recorded for it."""

    timestep: float
    records: Records
    references: tuple[Reference, ...]
    replaced: frozenset[str] = frozenset()  # as `UNetCall.replaced`

    def strength(self, source: ReferenceSource) -> float:
        """Return that of ``source`` by its schedule."""
        return source.schedule.at(self.timestep)

    def is_replaced(self, site: Site) -> bool:
        """Whether another extension puts a function of its own into the place of this attention."""
        block = site.block.ldm_name
        return bool(self.replaced) and not self.replaced.isdisjoint({block, f"{block}.transformer_blocks.{site.depth}"})
