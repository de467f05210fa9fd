"""How self-attentions read a reference, without an adapter; `method.self_attention` has the formulas."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from lib_instantstyle.params.blocks import BLOCKS, Block


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


class Reach(str, Enum):
    """Named selections of self-attentions. The value is the label that users see."""

    EVERYTHING = "Everything"
    TEXTURE = "Texture, colours from the prompt"


def reach_weights(reach: Reach) -> dict[Block, float]:
    """Return the weight of each block; ``up_blocks.1``, which carries colours, stays the picture's for `TEXTURE`."""
    colours = "up_blocks.1." if reach is Reach.TEXTURE else None
    return {block: 1.0 for block in BLOCKS if not (colours and block.name.startswith(colours))}
