"""Reading references in the self-attentions of a UNet: when they are recorded, and for how long that holds."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.pictures.regions import WHOLE, CropWindow, RegionSampler
from lib_instantstyle.self_attention.block_site import BlockSite
from lib_instantstyle.self_attention.moment import Moment
from lib_instantstyle.self_attention.reading_site import ReadingSite
from lib_instantstyle.self_attention.recorded_pass import RecordedPass, ldm_forward
from lib_instantstyle.self_attention.recorder import Wanted
from lib_instantstyle.self_attention.sources import AttentionSource, BlockSource
from lib_instantstyle.unet.plan import make_plan
from lib_instantstyle.unet.sites import SELF, enumerate_sites

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from contextlib import AbstractContextManager

    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from lib_instantstyle.method.latents import NoiseLevels
    from lib_instantstyle.params.blocks import Block
    from lib_instantstyle.self_attention.recorded_pass import Forward
    from lib_instantstyle.self_attention.records import KeptRecords, Records
    from lib_instantstyle.self_attention.reference import Reference
    from lib_instantstyle.self_attention.sources import ReferenceSource
    from lib_instantstyle.unet.call import UNetCall
    from lib_instantstyle.unet.injection import Injection
    from lib_instantstyle.unet.sites import Site


class Keeping(NamedTuple):
    """Where records are kept for further pictures."""

    store: KeptRecords
    state: Hashable  # everything of the model that changes a pass: checkpoint, networks, hypernetwork, precision


@dataclass(frozen=True)
class Way:
    """How references are run through the UNet.

    Attributes:
        noise: The model's noise levels.
        forward: Calls the class's own forward as the host does.
        every: Refresh the records at every n-th distinct timestep, from the first one that a source acts at.
        keeping: Where to keep records; None keeps those of the present timestep only.
    """

    noise: NoiseLevels
    forward: Forward = ldm_forward
    every: int = 1
    keeping: Keeping | None = None


class ReferenceReading:
    """The companion of an `Injection` whose self-attentions and blocks read references.

    Before a call of the UNet at which a source acts, the references are run through it, once a timestep however many
    calls there are. The timestep is read from the device unless the host knows it; calls have one for all rows.

    Args:
        unet: The model.
        references: The pictures that the sources name by their indices.
        sources: What acts, at least one.
        way: How the pass is run.
        window: The part of the picture that the UNet samples.

    Raises:
        ParameterError: If weights name a self-attention that the UNet does not have.
        UnsupportedModelError: If ``unet`` is not SDXL's.
    """

    def __init__(
        self,
        unet: nn.Module,
        references: Sequence[Reference],
        sources: Sequence[ReferenceSource],
        way: Way,
        window: CropWindow = WHOLE,
    ) -> None:
        self._references = tuple(references)
        self._sources = tuple(sources)
        self._way = way
        self._sampler = RegionSampler(window)
        self._attentions = _by_site(sources, enumerate_sites(unet, SELF))
        self._blocks = _by_block(sources)
        self._outputs = {block: block_output(unet, block) for block in self._blocks}
        self._pass = RecordedPass(unet, self._outputs, self._references, way.noise, way.forward)
        self._aside: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext
        self._sites: list[ReadingSite] = []
        self._wanted: dict[tuple[bool, ...], Wanted | None] = {}
        self.forget()

    def attach(self, injection: Injection, handles: list[RemovableHandle]) -> None:
        """Implement `Companion`."""
        self._aside = injection.aside
        self._sites = [ReadingSite(s, acting, self._sampler, injection) for s, acting in self._attentions.items()]
        for site in self._sites:
            site.attach(handles)
        for block, acting in self._blocks.items():
            BlockSite(block, self._outputs[block], acting, injection).attach(handles)

    def forget(self) -> None:
        """Implement `Companion`."""
        self._records: Records | None = None
        self._recorded: Wanted | None = None
        self.timestep: float | None = None  # of the last call
        self._timestep: float | None = None  # the last one at which a source acted
        self._age = 0  # distinct timesteps since the records were made
        self._pass.forget()
        for site in self._sites:
            site.forget()

    def prepare(self, call: UNetCall, latents: torch.Tensor) -> Moment | None:
        """Implement `Companion`: record what acts at the call's timestep, unless that is at hand."""
        self.timestep = timestep = float(call.timesteps[0]) if call.timestep is None else call.timestep
        wanted = self._wanted_at(timestep)
        if wanted is None:
            self._records = None
            return None
        if timestep != self._timestep:
            self._timestep, self._age = timestep, self._age + 1
        if self._records is None or self._recorded != wanted or self._age >= self._way.every:
            self._records = None  # before the next ones take room
            self._records = self._made(wanted, latents, call.timesteps, timestep)
            self._recorded, self._age = wanted, 0
        return Moment(timestep, self._records, self._references, call.replaced)

    def _wanted_at(self, timestep: float) -> Wanted | None:
        """Return what the sources that act at ``timestep`` need; None if none does."""
        acts = tuple(source.schedule.at(timestep) != 0.0 and bool(source.references) for source in self._sources)
        if acts not in self._wanted:
            self._wanted[acts] = self._needs({s for s, does in zip(self._sources, acts, strict=True) if does})
        return self._wanted[acts]

    def _needs(self, acting: set[ReferenceSource]) -> Wanted | None:
        sites = frozenset(s for s, found in self._attentions.items() if any(source in acting for source, _ in found))
        blocks = frozenset(b for b, found in self._blocks.items() if any(source in acting for source, _ in found))
        if not sites and not blocks:
            return None
        references = sorted(frozenset[int]().union(*(source.references for source in acting)))
        queries = any(isinstance(s, AttentionSource) and s.rule.shares and s.rule.aligns for s in acting)
        return Wanted(tuple(references), sites, blocks, queries)

    def _made(self, wanted: Wanted, latents: torch.Tensor, timesteps: torch.Tensor, timestep: float) -> Records:
        """Return the records of a pass, or those kept of one."""
        keeping = self._way.keeping
        if keeping is None:
            return self._run(wanted, latents, timesteps, timestep)
        series = self._series(keeping, wanted, latents)
        known = keeping.store.get(series, timestep)
        if known is None:
            known = self._run(wanted, latents, timesteps, timestep)
            keeping.store.put(series, timestep, known)
        return known

    def _run(self, wanted: Wanted, latents: torch.Tensor, timesteps: torch.Tensor, timestep: float) -> Records:
        with self._aside():
            return self._pass.record(wanted, latents, timesteps, timestep)

    def _series(self, keeping: Keeping, wanted: Wanted, latents: torch.Tensor) -> Hashable:
        """Return what all timesteps of a sampling pass have in common, besides their numbers."""
        digests = tuple(self._references[index].digest for index in wanted.references)
        return keeping.state, digests, wanted.names, latents.dtype, latents.shape[1]


def block_output(unet: nn.Module, block: Block) -> nn.Module:
    """Return the module whose output is that of ``block``'s stage: the last of the list that its transformer is in.

    The list itself is not called by every host.
    """
    *_, last = unet.get_submodule(block.ldm_name.rpartition(".")[0]).children()
    return last


def _by_site(
    sources: Sequence[ReferenceSource], sites: Sequence[Site]
) -> dict[Site, list[tuple[AttentionSource, float]]]:
    found: dict[Site, list[tuple[AttentionSource, float]]] = {}
    for source in sources:
        if isinstance(source, AttentionSource) and source.references:
            for planned in make_plan(source.weights, sites):
                found.setdefault(planned.site, []).append((source, planned.weight))
    return found


def _by_block(sources: Sequence[ReferenceSource]) -> dict[Block, list[tuple[BlockSource, float]]]:
    found: dict[Block, list[tuple[BlockSource, float]]] = {}
    for source in sources:
        if isinstance(source, BlockSource) and source.references:
            for block, weight in source.weights.items():
                if weight:
                    found.setdefault(block, []).append((source, weight))
    return found
