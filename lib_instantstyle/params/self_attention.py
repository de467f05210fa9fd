"""How self-attentions read a reference, without an adapter; `method.self_attention` has the formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.block_weights import Target, parse_block_weights
from lib_instantstyle.params.blocks import BLOCKS
from lib_instantstyle.params.controls import Choice


class Method(Choice):
    """What carries the style into the picture."""

    ADAPTER = "Adapter", "InstantStyle"
    NO_ADAPTER = "No adapter", "Self-attention"
    BOTH = "Both"

    @property
    def has_adapter(self) -> bool:
        """Whether an adapter's image terms are added in cross-attentions."""
        return self is not Method.NO_ADAPTER

    @property
    def has_reading(self) -> bool:
        """Whether self-attentions read the references."""
        return self is not Method.ADAPTER


# The fields of `StyleParams` that do something with one method only.
ADAPTER_ONLY = (
    "preset",
    "style_weight",
    "layout_weight",
    "blocks",
    "content",
    "content_strength",
    "adapter",
    "crop",
    "subject_weight",
    "removal",
    "anti_layout",
    "prompt_colours",
)
READING_ONLY = (
    "reach",
    "self_blocks",
    "self_weight",
    "reading",
    "copies",
    "push",
    "calibration",
    "calibration_start",
    "calibration_end",
    "block_adain",
    "every",
    "reference_area",
    "reference_caption",
)


class Reading(Choice):
    """What a self-attention does with the keys and values of a reference."""

    SWAP = "Swap"
    SHARE = "Share", "StyleAligned"


@dataclass(frozen=True)
class Rule:
    """What a self-attention does with a reference.

    Attributes:
        shares: Whether the picture's own positions stay beside the reference's (StyleAligned,
            https://arxiv.org/abs/2312.02133), or the reference's take their place (Visual Style Prompting,
            https://arxiv.org/abs/2402.12974).
        aligns: Whether queries and keys get the reference's statistics by AdaIN; where ``shares`` only.
        copies: How often the reference's positions stand beside the own; 2 adds ``log 2`` to their scores.
        push: 0 to 1; 0 styles unconditional rows like conditional ones, 1 leaves them plain, so that CFG amplifies the
            style.
    """

    shares: bool = False
    aligns: bool = True
    copies: int = 1
    push: float = 0.0


SWAP = Rule()
SHARE = Rule(shares=True, push=1.0)


def default_push(reading: Reading) -> float:
    """Return the push that each reading was measured to do best with."""
    return SHARE.push if reading is Reading.SHARE else SWAP.push


class Reach(Choice):
    """Named selections of self-attentions."""

    EVERYTHING = "Everything"
    TEXTURE = "Texture, colours from the prompt", "Texture"
    CUSTOM = "Custom"


_FIELD = "Custom self-attentions (self_blocks)"


def reach_weights(reach: Reach, text: str = "") -> Mapping[Target, float]:
    """Return the weight of each block or single self-attention; those of `Reach.CUSTOM` are parsed from ``text``.

    ``up_blocks.1``, which carries colours, stays the picture's own for `Reach.TEXTURE`.

    Raises:
        ParameterError: As `parse_block_weights` does, or for a weight below 0.
    """
    if reach is Reach.CUSTOM:
        weights = parse_block_weights(text, _FIELD)
        if low := next((target for target, weight in weights.items() if weight < 0.0), None):
            raise ParameterError(f"{_FIELD}: the weight of {low.name} is below 0. Give 0 to 1.")
        return weights
    colours = "up_blocks.1." if reach is Reach.TEXTURE else None
    return {block: 1.0 for block in BLOCKS if not (colours and block.name.startswith(colours))}
