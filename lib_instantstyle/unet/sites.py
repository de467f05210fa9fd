"""The attentions found in a live UNet, in the order in which adapters number them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.models.adapter import OTHER_FAMILIES
from lib_instantstyle.params.blocks import ADAPTER_ORDER, BLOCKS, Block

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import nn

CROSS, SELF = "attn2", "attn1"  # their modules' names in a transformer layer
_TRANSFORMERS = {"chroma": "Chroma", "flux": "Flux", "sd3": "Stable Diffusion 3", "mmdit": "Stable Diffusion 3"}


@dataclass(frozen=True)
class Site:
    """One attention of a live UNet."""

    block: Block
    depth: int  # index among the block's transformer layers
    adapter_id: int  # N of the adapter's keys ip_adapter.N.to_k_ip.weight; even for self-attentions, which have none
    attention: nn.Module  # with to_q, to_k, to_v, to_out[0] and heads
    transformer: nn.Module  # the block's module, which is called with [rows, channels, height, width]
    kind: str = CROSS

    @property
    def name(self) -> str:
        """The module's name in diffusers, which the paper uses."""
        return f"{self.block.name}.transformer_blocks.{self.depth}.{self.kind}"

    @property
    def width(self) -> int:
        """Channels of the query: heads times head size."""
        told = getattr(self.attention.to_q, "out_features", None)  # not by Forge's layers in nf4 and GGUF
        return int(told or self.heads * self.attention.dim_head)  # type: ignore[operator]

    @property
    def context_width(self) -> int | None:
        """Channels of what it reads (the text's 2048 on SDXL); None if its layers do not tell."""
        return _context_width(self.attention)

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return int(self.attention.heads)  # type: ignore[arg-type]


def enumerate_sites(unet: nn.Module, kind: str = CROSS) -> tuple[Site, ...]:
    """Find every cross-attention of ``unet``, or every self-attention, in the adapter's order: down, up, mid.

    On SDXL these are 70 sites with the ids 1, 3, …, 139, odd because self-attentions count too: 0, 2, …, 138. The
    order comes from the table, since `named_modules` visits the middle block before the up blocks, which would
    silently shift every id from ``up_blocks`` on.

    Raises:
        UnsupportedModelError: If the attention blocks are not at SDXL's eleven positions.
    """
    modules = dict(unet.named_modules())
    found = {name.split(".transformer_blocks.")[0] for name in modules if name.endswith(".attn2")}
    expected = {block.ldm_name for block in BLOCKS}
    if found != expected:
        raise UnsupportedModelError(_topology_message(modules, missing=expected - found, extra=found - expected))
    located = ((block, depth, attention) for block in ADAPTER_ORDER for depth, attention in _walk(modules, block, kind))
    return tuple(
        Site(block, depth, 2 * count + (kind == CROSS), attention, modules[block.ldm_name], kind)
        for count, (block, depth, attention) in enumerate(located)
    )


def _walk(modules: Mapping[str, nn.Module], block: Block, kind: str) -> Iterator[tuple[int, nn.Module]]:
    depth = 0
    while (attention := modules.get(f"{block.ldm_name}.transformer_blocks.{depth}.{kind}")) is not None:
        yield depth, attention
        depth += 1


def _topology_message(modules: Mapping[str, nn.Module], missing: set[str], extra: set[str]) -> str:
    attentions: list[Any] = [module for name, module in modules.items() if name.endswith(".attn2")]
    contexts = {_context_width(attention) for attention in attentions}
    looks = (family.checkpoint for width, family in OTHER_FAMILIES.items() if contexts == {width})
    guess = next(looks, "another model" if attentions else _transformer_name(type(modules[""]).__name__))
    details = [f"missing {', '.join(sorted(missing))}"] if missing else []
    details += [f"unexpected {', '.join(sorted(extra))}"] if extra else []
    return (
        f"InstantStyle needs an SDXL base model; the loaded checkpoint looks like {guess} "
        f"(attention blocks: {'; '.join(details)}). Choose an SDXL checkpoint or switch InstantStyle off."
    )


def _context_width(attention: Any) -> int | None:
    return getattr(attention.to_k, "in_features", None)


def _transformer_name(unet: str) -> str:
    """Return the name of the model whose denoiser, no UNet, has this class."""
    known = (model for part, model in _TRANSFORMERS.items() if part in unet.lower())
    return next(known, f"another model, {unet}")
