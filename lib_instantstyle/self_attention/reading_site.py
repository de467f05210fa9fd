"""The hooks by which one self-attention reads references.

They sit at ``to_q``, ``to_k``, ``to_v`` and ``to_out[0]``, which every attention implementation of every host calls.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.self_attention.run import Acting, Run, projection
from lib_instantstyle.unet.call import SiteRows
from lib_instantstyle.unet.grid import SiteGrid

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from lib_instantstyle.pictures.regions import RegionSampler
    from lib_instantstyle.self_attention.moment import Moment
    from lib_instantstyle.self_attention.sources import AttentionSource
    from lib_instantstyle.unet.call import CallRows
    from lib_instantstyle.unet.injection import Injection
    from lib_instantstyle.unet.rows import Row
    from lib_instantstyle.unet.sites import Site


class ReadingSite:
    """One self-attention.

    Args:
        site: Where.
        sources: What acts there, with its weight.
        sampler: Resamples regions to the site's grid.
        injection: Whose calls it takes part in.
    """

    def __init__(
        self,
        site: Site,
        sources: Sequence[tuple[AttentionSource, float]],
        sampler: RegionSampler,
        injection: Injection,
    ) -> None:
        self._site = site
        self._sources = sources
        self._sampler = sampler
        self._injection = injection
        self._rows = SiteRows(site.name, injection.parts)
        self._grid = SiteGrid(site)
        self._regions: dict[object, dict[AttentionSource, torch.Tensor]] = {}
        self._call: CallRows | None = None  # the one that the attention is being run in
        self._seen: set[str] = set()  # the roles whose projections have been called in this run
        self._run: Run | None = None
        self._is_direct = self._is_fed = False
        self._fed: set[str] = set()  # the roles whose projections were given the reference's input

    def attach(self, handles: list[RemovableHandle]) -> None:
        """Add the hooks."""
        attention: Any = self._site.attention
        handles.append(attention.to_q.register_forward_hook(self._answer_query))
        for role in ("key", "value"):
            module = projection(attention, role)
            handles.append(module.register_forward_pre_hook(functools.partial(self._feed, role)))
            handles.append(module.register_forward_hook(functools.partial(self._answer, role)))
        handles.append(attention.to_out[0].register_forward_pre_hook(self._end))
        if any(source.region is not None for source, _ in self._sources):
            handles.append(self._grid.attach())

    def forget(self) -> None:
        """Drop everything that a call left."""
        self._call = self._run = None
        self._seen.clear()
        self._fed.clear()
        self._regions.clear()
        self._rows.forget()
        self._grid.forget()

    def _run_at(self, role: str, like: torch.Tensor) -> Run | None:
        """Return what is read in this run, which the first projection that is called begins; None if nothing.

        ``like`` is what the projection is given or puts out, ``[rows, positions, …]``.
        """
        if self._injection.is_aside:
            return None
        if not self._seen or role in self._seen or self._call is not self._injection.call:
            self._begin(*like.shape[:2])
        self._seen.add(role)
        return self._run

    def _begin(self, count: int, positions: int) -> None:
        self._call, self._run = self._injection.call, None
        self._seen.clear()
        self._fed.clear()
        moment: Moment | None = self._call.records
        if moment is None:
            return
        rows = self._rows_of(self._call, count)
        acting = [
            Acting(source, weight * moment.strength(source), source.portions(rows)) for source, weight in self._sources
        ]
        acting = [found for found in acting if found.weight and found.portions]
        if acting:
            self._run = Run(self._site, acting, moment.records, moment.references)
            # Another's function may be no attention, or need as many keys as there are queries: it gets the picture's.
            self._is_direct = not moment.is_replaced(self._site) and self._run.is_direct(count, positions)
            self._is_fed = self._is_direct and not self._run.shares and self._run.serves(count)

    def _rows_of(self, call: CallRows, count: int) -> tuple[Row, ...]:
        """Return the rows of this run; each stands for several where another extension cuts it into tiles."""
        tiles, rest = divmod(count, len(call.rows))
        if tiles > 1 and not rest:
            return tuple(row for row in call.rows for _ in range(tiles))
        return self._rows.of(call, count).rows

    def _answer_query(self, _module: nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor | None:
        run = self._run_at("query", output)
        if run is None:
            return None
        if self._is_direct:
            return run.answer("query", output, is_reference=False) if run.aligns else None
        run.own["query"] = output
        return None

    def _feed(self, role: str, module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        """Hand a projection the reference's input in the place of the picture's, which then needs none.

        Another extension's forward on this one module may expect the picture's rows; it gets them.
        """
        run = self._run_at(role, args[0])
        if run is None or not self._is_fed or "forward" in module.__dict__:
            return None
        self._fed.add(role)
        return (run.inputs(role, args[0]), *args[1:])

    def _answer(self, role: str, _module: nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor | None:
        run = self._run
        if run is None or self._injection.is_aside:
            return None
        if self._is_direct:
            return run.answer(role, output, is_reference=role in self._fed)
        run.own[role] = output
        return None

    def _end(self, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...] | None:
        if self._injection.is_aside:
            return None
        run, self._run = self._run, None
        missing = sorted({"query", "key", "value"} - self._seen)
        self._seen.clear()
        if run is not None and missing:
            raise self._rows.mismatch(self._injection.call, f"no {' and '.join(missing)}")
        if run is None or self._is_direct:
            return None
        plain, *rest = args
        if (
            plain is run.own["value"]
        ):  # perturbed-attention guidance: each position sees itself only, so none a reference
            return None
        return (run.mixed(plain, self._sampled(plain)), *rest)

    def _sampled(self, plain: torch.Tensor) -> dict[AttentionSource, torch.Tensor]:
        """Return the regions of the sources on the grid of this site, once for each kind of call."""
        grid = self._grid.of(plain.shape[1])
        known = (grid, plain.dtype, plain.device)
        if known not in self._regions:
            self._regions[known] = {
                source: self._sampler.sample(source.region, *grid).to(plain)
                for source, _ in self._sources
                if source.region is not None and grid is not None
            }
        return self._regions[known]
