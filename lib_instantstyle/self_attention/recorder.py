"""The hooks that record a pass on references."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.method.statistics import PIXELS, statistics
from lib_instantstyle.self_attention.records import Inputs, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    import torch
    from torch import nn

    from lib_instantstyle.method.statistics import Statistics
    from lib_instantstyle.params.blocks import Block
    from lib_instantstyle.self_attention.reference import Variant
    from lib_instantstyle.unet.sites import Site


class Wanted(NamedTuple):
    """What a pass is to record."""

    references: tuple[int, ...]  # by their indices
    sites: frozenset[Site]
    blocks: frozenset[Block] = frozenset()
    queries: bool = False  # whether the inputs of the queries are needed as well

    @property
    def names(self) -> Hashable:
        """The same without any part of the model."""
        return self.references, frozenset(site.adapter_id for site in self.sites), self.blocks, self.queries


class Complete(BaseException):
    """Everything is recorded. No `Exception`, which others on the way might take for a failure."""


class Recorder:
    """Records a pass of ``rows``."""

    def __init__(self, wanted: Wanted, rows: tuple[Variant, ...]) -> None:
        self._rows = rows
        self._roles = ("key", "value", "query") if wanted.queries else ("key", "value")
        self._pending: set[object] = {*wanted.blocks, *((site, role) for site in wanted.sites for role in self._roles)}
        self._wanted = wanted
        self._given: dict[Site, dict[str, torch.Tensor]] = {site: {} for site in wanted.sites}
        self._cast: tuple[torch.Tensor, torch.Tensor] | None = None  # the last input, as it came and as it is kept
        self._statistics: dict[Block, Statistics] = {}

    @contextlib.contextmanager
    def attached(self, outputs: Mapping[Block, nn.Module]) -> Iterator[None]:
        """Listen for the duration of a ``with`` block."""
        with contextlib.ExitStack() as handles:
            for site in self._wanted.sites:
                for role in self._roles:
                    module: nn.Module = getattr(site.attention, f"to_{role[0]}")
                    handles.callback(module.register_forward_hook(self._input_hook(site, role)).remove)
            for block in self._wanted.blocks:
                handles.callback(outputs[block].register_forward_hook(self._output_hook(block)).remove)
            yield

    def add_to(self, records: Records) -> None:
        """Put what was recorded into ``records``, by reference."""
        if self._pending:
            raise UnsupportedModelError(
                f"The reference cannot be read: {len(self._pending)} places of the UNet were not run. Another "
                "extension replaces its attentions; switch it off, or use an adapter."
            )
        for place, row in enumerate(self._rows):
            part = slice(place, place + 1)
            for site, given in self._given.items():
                views = {id(tensor): tensor[part] for tensor in given.values()}  # one of a tensor that several share
                records.inputs[site.adapter_id, row] = Inputs(
                    **{role: views[id(tensor)] for role, tensor in given.items()}
                )
            for block, found in self._statistics.items():
                records.blocks[block, row] = found.row(place)

    def _input_hook(self, site: Site, role: str) -> Callable[..., None]:
        def keep(_module: nn.Module, args: tuple[torch.Tensor, ...], output: torch.Tensor) -> None:
            if self._cast is None or self._cast[0] is not args[0]:
                self._cast = (args[0], args[0].to(output.dtype))  # as autocast does: half of float32's bytes
            self._given[site][role] = self._cast[1]
            self._done((site, role))

        return keep

    def _output_hook(self, block: Block) -> Callable[..., None]:
        def keep(_module: nn.Module, _args: object, output: torch.Tensor) -> None:
            self._statistics[block] = statistics(output, PIXELS)
            self._done(block)

        return keep

    def _done(self, what: object) -> None:
        self._pending.discard(what)
        if not self._pending:
            raise Complete
