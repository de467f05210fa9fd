"""The hook by which one block takes over a reference's statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_instantstyle.method.statistics import PIXELS, Statistics, adain, mean_statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from lib_instantstyle.params.blocks import Block
    from lib_instantstyle.self_attention.moment import Moment
    from lib_instantstyle.self_attention.sources import BlockSource, Portion
    from lib_instantstyle.unet.injection import Injection


class BlockSite:
    """One block.

    Args:
        block: Which.
        output: The module that puts out its features ``[rows, channels, h, w]``.
        sources: What acts there, with its weight.
        injection: Whose calls it takes part in.
    """

    def __init__(
        self, block: Block, output: nn.Module, sources: Sequence[tuple[BlockSource, float]], injection: Injection
    ) -> None:
        self._block = block
        self._output = output
        self._sources = sources
        self._injection = injection

    def attach(self, handles: list[RemovableHandle]) -> None:
        """Add the hook."""
        handles.append(self._output.register_forward_hook(self._align))

    def _align(self, _module: nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor | None:
        call = self._injection.call
        moment: Moment | None = call.records
        if self._injection.is_aside or moment is None:
            return None
        aligned = None
        for source, weight in self._sources:
            strength = weight * moment.strength(source)
            for portion in source.portions(call.rows) if strength else ():
                aligned = output.clone() if aligned is None else aligned
                target = self._target(moment, source, portion).to(output)
                aligned[portion.rows] = adain(aligned[portion.rows], target, PIXELS, strength * portion.weight)
        return aligned

    def _target(self, moment: Moment, source: BlockSource, portion: Portion) -> Statistics:
        references = source.cycle[portion.entry]
        variants = [moment.references[i].variant(i, conditional=portion.conditional) for i in references]
        found = [moment.records.blocks[self._block, variant] for variant in variants]
        return mean_statistics(found, [1.0] * len(found))
