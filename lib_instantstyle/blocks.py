"""The eleven attention blocks of the SDXL UNet as data, and the cross-attentions found in a live one.

Knows names and positions only, no weights and no host. Blocks carry the paper's (diffusers') and the LDM
name; how many cross-attentions a block holds is read from the model, never assumed. InstantStyle, section
3.3: ``up_blocks.0.attentions.1`` carries style, ``down_blocks.2.attentions.1`` spatial layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lib_instantstyle.errors import ParameterError, UnsupportedModelError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import nn


class Role(str, Enum):
    """What a block is known to carry."""

    STYLE = "style"
    LAYOUT = "layout"
    OTHER = ""


@dataclass(frozen=True)
class Block:
    """One transformer of the UNet: its two names and its role."""

    name: str
    ldm_name: str
    role: Role = Role.OTHER


# In the order of the forward pass, the order in which the field writes its lists of eleven weights.
BLOCKS: tuple[Block, ...] = (
    Block("down_blocks.1.attentions.0", "input_blocks.4.1"),
    Block("down_blocks.1.attentions.1", "input_blocks.5.1"),
    Block("down_blocks.2.attentions.0", "input_blocks.7.1"),
    Block("down_blocks.2.attentions.1", "input_blocks.8.1", Role.LAYOUT),
    Block("mid_block.attentions.0", "middle_block.1"),
    Block("up_blocks.0.attentions.0", "output_blocks.0.1"),
    Block("up_blocks.0.attentions.1", "output_blocks.1.1", Role.STYLE),
    Block("up_blocks.0.attentions.2", "output_blocks.2.1"),
    Block("up_blocks.1.attentions.0", "output_blocks.3.1"),
    Block("up_blocks.1.attentions.1", "output_blocks.4.1"),
    Block("up_blocks.1.attentions.2", "output_blocks.5.1"),
)
STYLE = next(block for block in BLOCKS if block.role is Role.STYLE)
LAYOUT = next(block for block in BLOCKS if block.role is Role.LAYOUT)

# IP-Adapter numbers the attention processors of diffusers' UNet in registration order: the down and up
# lists are created before the middle block. Sorting by stage keeps the forward order inside each stage.
_ADAPTER_STAGES = ("down_blocks", "up_blocks", "mid_block")
ADAPTER_ORDER: tuple[Block, ...] = tuple(
    sorted(BLOCKS, key=lambda block: _ADAPTER_STAGES.index(block.name.split(".")[0]))
)


class Preset(str, Enum):
    """Named selections of blocks. The value is the label that users see."""

    STYLE = "Style"
    LAYOUT = "Layout"
    STYLE_LAYOUT = "Style + layout"
    STRONG_STYLE = "Strong style"
    ALL = "All blocks"
    CUSTOM = "Custom"


def preset_weights(preset: Preset) -> dict[Block, float]:
    """Return the relative weight of each block that ``preset`` selects; blocks left out have none.

    Raises:
        ParameterError: For the custom preset, whose weights come from `parse_block_weights`.
    """
    if preset is Preset.CUSTOM:
        raise ParameterError("The preset Custom has no weights of its own: name the blocks and their weights.")
    selected: Mapping[Preset, tuple[Block, ...]] = {
        Preset.STYLE: (STYLE,),
        Preset.LAYOUT: (LAYOUT,),
        Preset.STYLE_LAYOUT: (LAYOUT, STYLE),
        Preset.STRONG_STYLE: tuple(block for block in BLOCKS if block is not LAYOUT),
        Preset.ALL: BLOCKS,
    }
    return dict.fromkeys(selected[preset], 1.0)


def find_block(name: str) -> Block:
    """Return the block called ``name`` by role, diffusers name or LDM name.

    Raises:
        ParameterError: If no block has that name.
    """
    wanted = name.strip().lower()
    for block in BLOCKS:
        if wanted and wanted in (block.name, block.ldm_name, block.role.value):
            return block
    names = ", ".join(block.name for block in BLOCKS)
    raise ParameterError(f"No UNet block is called {name!r}. Use style, layout, or one of: {names}.")


def parse_block_weights(text: str) -> dict[Block, float]:
    """Read the custom preset's text: eleven weights, or ``name:weight`` pairs.

    Args:
        text: ``"0, 0, 0, 0.4, 0, 0, 1, 0, 0, 0, 0"`` in the order of `BLOCKS`, or
            ``"style:1, layout:0.4, up_blocks.1.attentions.0:0.3"``.

    Raises:
        ParameterError: For an empty text, a count other than eleven, an unknown or repeated block, or a
            weight that is no number.
    """
    parts = [part.strip() for part in text.replace("\n", ",").strip(" ,[]").split(",")]
    if parts == [""]:
        raise ParameterError("Custom block weights (blocks) are empty. Write for example 'style:1, layout:0.4'.")
    if not any(":" in part for part in parts):
        return _parse_weight_list(parts)
    weights: dict[Block, float] = {}
    for part in parts:
        name, separator, weight = part.rpartition(":")
        if not separator:
            raise ParameterError(f"Custom block weights (blocks): {part!r} has no weight. Write it as '{part}:1'.")
        block = find_block(name)
        if block in weights:
            raise ParameterError(f"Custom block weights (blocks) name {block.name} twice. Keep one of them.")
        weights[block] = _parse_weight(weight)
    return weights


def _parse_weight_list(parts: list[str]) -> dict[Block, float]:
    if len(parts) != len(BLOCKS):
        raise ParameterError(
            f"Custom block weights (blocks): {len(parts)} numbers given, {len(BLOCKS)} needed "
            "(4 down, 1 mid, 6 up). Or name the blocks: 'style:1, layout:0.4'."
        )
    return {block: _parse_weight(part) for block, part in zip(BLOCKS, parts, strict=True)}


def _parse_weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        raise ParameterError(f"Custom block weights (blocks): {text.strip()!r} is not a number.") from None
    if not -10.0 <= weight <= 10.0:
        raise ParameterError(f"Custom block weights (blocks): {text.strip()} is outside −10 to 10.")
    return weight


@dataclass(frozen=True)
class Site:
    """One cross-attention of a live UNet.

    Attributes:
        block: The block it belongs to.
        depth: Its index among the block's transformer layers.
        adapter_id: ``N`` of the adapter's keys ``ip_adapter.N.to_k_ip.weight``.
        attention: The module, with ``to_q``, ``to_k``, ``to_out[0]`` and ``heads``.
    """

    block: Block
    depth: int
    adapter_id: int
    attention: nn.Module

    @property
    def name(self) -> str:
        """The module's name in the paper's (diffusers') words."""
        return f"{self.block.name}.transformer_blocks.{self.depth}.attn2"

    @property
    def width(self) -> int:
        """Channels of the query: heads times head size."""
        return int(self.attention.to_q.out_features)  # type: ignore[union-attr, arg-type]

    @property
    def context_width(self) -> int:
        """Channels of the text context this cross-attention reads (2048 on SDXL)."""
        return int(self.attention.to_k.in_features)  # type: ignore[union-attr, arg-type]

    @property
    def heads(self) -> int:
        """Number of attention heads."""
        return int(self.attention.heads)  # type: ignore[arg-type]


def enumerate_sites(unet: nn.Module) -> tuple[Site, ...]:
    """Find every cross-attention of ``unet`` in the adapter's order: down, up, mid.

    On SDXL these are 70 sites with the ids 1, 3, …, 139. The id counts self-attentions too, hence odd.
    `named_modules` would visit the middle block before the up blocks and silently shift every id from
    ``up_blocks`` on: this is why the order comes from the table.

    Raises:
        UnsupportedModelError: If the attention blocks are not at SDXL's eleven positions.
    """
    modules = dict(unet.named_modules())
    found = {name.split(".transformer_blocks.")[0] for name in modules if name.endswith(".attn2")}
    expected = {block.ldm_name for block in BLOCKS}
    if found != expected:
        raise UnsupportedModelError(_topology_message(modules, missing=expected - found, extra=found - expected))
    located = ((block, depth, attention) for block in ADAPTER_ORDER for depth, attention in _walk(modules, block))
    return tuple(
        Site(block, depth, 2 * count + 1, attention) for count, (block, depth, attention) in enumerate(located)
    )


def _walk(modules: Mapping[str, nn.Module], block: Block) -> Iterator[tuple[int, nn.Module]]:
    depth = 0
    while (attention := modules.get(f"{block.ldm_name}.transformer_blocks.{depth}.attn2")) is not None:
        yield depth, attention
        depth += 1


_KNOWN_CONTEXT_WIDTHS = {
    768: "a Stable Diffusion 1.x model",
    1024: "a Stable Diffusion 2.x model",
    1280: "the SDXL refiner",
}


def _topology_message(modules: Mapping[str, nn.Module], missing: set[str], extra: set[str]) -> str:
    contexts = {
        module.to_k.in_features  # type: ignore[union-attr]
        for name, module in modules.items()
        if name.endswith(".attn2")
    }
    guess = next((label for width, label in _KNOWN_CONTEXT_WIDTHS.items() if contexts == {width}), "another model")
    details = [f"missing {', '.join(sorted(missing))}"] if missing else []
    details += [f"unexpected {', '.join(sorted(extra))}"] if extra else []
    return (
        f"InstantStyle needs an SDXL base model; the loaded checkpoint looks like {guess} "
        f"(attention blocks: {'; '.join(details)}). Choose an SDXL checkpoint or switch InstantStyle off."
    )
