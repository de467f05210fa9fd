"""The eleven attention blocks of the SDXL UNet as data, and the presets that select among them.

Each block has its diffusers name, which the paper uses, and its LDM name. The number of cross-attentions in a
block is read from the model, never assumed. ``up_blocks.0.attentions.1`` carries style and
``down_blocks.2.attentions.1`` spatial layout (InstantStyle, https://arxiv.org/abs/2404.02733, section 3.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import Choice

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(str, Enum):
    """What a block is known to carry."""

    STYLE = "style"
    LAYOUT = "layout"
    OTHER = ""


@dataclass(frozen=True)
class Block:
    """One spatial transformer of the UNet."""

    name: str
    ldm_name: str
    role: Role = Role.OTHER

    def is_called(self, name: str) -> bool:
        """Whether ``name`` is this block's role, diffusers name or LDM name, in any case."""
        wanted = name.strip().lower()
        return wanted != "" and wanted in (self.name, self.ldm_name, self.role.value)


# In the order of the forward pass, in which the field lists its eleven weights.
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

# IP-Adapter numbers the attention processors of diffusers' UNet in registration order, and that UNet creates its
# middle block last. Sorting by stage is stable: the forward order stays inside each stage.
_ADAPTER_STAGES = ("down_blocks", "up_blocks", "mid_block")
ADAPTER_ORDER = tuple(sorted(BLOCKS, key=lambda block: _ADAPTER_STAGES.index(block.name.split(".")[0])))


class Preset(Choice):
    """Named selections of blocks."""

    STYLE = "Style"
    LAYOUT = "Layout"
    STYLE_LAYOUT = "Style + layout"
    STRONG_STYLE = "Strong style (may bring the subject along)", "Strong style"
    ALL = "Everything (brings the subject along)", "All blocks", "Everything"
    CUSTOM = "Custom"


def preset_weights(preset: Preset) -> dict[Block, float]:
    """Return the relative weight of each block that ``preset`` selects.

    Raises:
        ParameterError: For the custom preset, whose weights the user writes.
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
    """Return the block with the role, diffusers name or LDM name ``name``, or raise a `ParameterError`."""
    for block in BLOCKS:
        if block.is_called(name):
            return block
    names = ", ".join(block.name for block in BLOCKS)
    raise ParameterError(f"No UNet block is called {name!r}. Use style, layout, or one of: {names}.")
