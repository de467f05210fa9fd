"""The UNet as a U of eleven bars, the blocks' weights; in a narrow column as eleven rows, which ``style.css`` makes.

The bars are HTML, the lines behind them SVG. Horizontal lengths are percentages, heights are pixels.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from lib_instantstyle.params.block_weights import SiteName, Target
from lib_instantstyle.params.blocks import BLOCKS, Block
from lib_instantstyle.webui.page.svg.numbers import signed

MAX_WEIGHT = 2.0  # a full bar

_COLUMN = 100 / len(BLOCKS)  # per cent
_NUMBER, _BAR, _LABEL = 15, 72, 18  # pixels: the number over the bar, the bar, the name under it
_CELL = _NUMBER + _BAR + _LABEL
_UPPER, _LOWER, _MID = 8, 136, 154  # the tops of the cells: the two resolutions and the middle block
_BAND = 120  # pixels, the height of one resolution's stripe
_MAP_HEIGHT = _MID + _CELL + 6

# Skip connections: two indices into `BLOCKS` and a height. The first block on the way up joins the last one down.
_SKIPS = ((0, 9, _UPPER + 30), (1, 8, _UPPER + 42), (2, 6, _LOWER + 58), (3, 5, _LOWER + 70))


def block_map(weights: Mapping[Target, float], *, elem_id: str, target: str = "") -> str:
    """Draw the UNet as a U whose eleven bars show the blocks' weights; blocks left out have 0.

    Single cross-attentions are lines across their block's bar, and named where they stand alone.

    Args:
        weights: The weight of each block or single site; bars end at 2, numbers do not.
        elem_id: The id by which the page's script finds the drawing again after a redraw.
        target: The element id of the textbox that the script writes edits to, as ``name=weight#count``.
    """
    singles = {
        block: {
            target.depth: w for target, w in weights.items() if isinstance(target, SiteName) and target.block is block
        }
        for block in BLOCKS
    }
    cells = "".join(_cell(place, block, weights.get(block, 0.0), singles[block]) for place, block in enumerate(BLOCKS))
    return (
        f'<div class="instantstyle-blockmap" id="{escape(elem_id)}" data-target="{escape(target)}" role="group" '
        f'aria-label="Weights of the UNet blocks"><svg xmlns="http://www.w3.org/2000/svg" width="100%" '
        f'height="{_MAP_HEIGHT}" aria-hidden="true">{_bands()}{_wires(escape(elem_id))}</svg>{cells}</div>'
    )


def _cell(place: int, block: Block, weight: float, singles: Mapping[int, float]) -> str:
    """Draw one block. The page's script applies the same rules to bar, number and classes during a drag."""
    weight = round(weight, 2) + 0.0  # no "-0.00"
    spoken = f"{block.role.value.capitalize()} block, {block.name}" if block.role.value else block.name
    off = weight == 0 and not any(singles.values())
    states = {"block": True, "role": block.role.value, "negative": weight < 0, "off": off}
    classes = " ".join(f"instantstyle-{state}" for state, holds in states.items() if holds)
    return (
        f'<div class="{classes}" style="left:{place * _COLUMN:.3f}%;top:{_top(block)}px;width:{_COLUMN:.3f}%;'
        f'height:{_CELL}px;--share:{_share(weight):.4f}" data-block="{block.name}" tabindex="0" role="slider" '
        f'aria-label="{spoken}" aria-valuemin="{min(0.0, weight):.2f}" aria-valuemax="{max(MAX_WEIGHT, weight):.2f}" '
        f'aria-valuenow="{weight:.2f}" title="{block.name} ({block.ldm_name}){_spoken(singles)}">'
        f'<span class="instantstyle-number">{_number(weight, singles)}</span>'
        f'<span class="instantstyle-track" style="height:{_BAR}px"><i class="instantstyle-bar"></i>'
        f'<i class="instantstyle-one"></i>{"".join(map(_mark, singles.values()))}</span>'
        f'<span class="instantstyle-name">{_label(block)}</span></div>'
    )


def _share(weight: float) -> float:
    return min(abs(weight) / MAX_WEIGHT, 1.0)


def _mark(weight: float) -> str:
    """Draw one cross-attention's own weight across its block's bar."""
    return f'<i class="instantstyle-site" style="--share:{_share(weight):.4f}"></i>'


def _number(weight: float, singles: Mapping[int, float]) -> str:
    """Return the block's weight, with an asterisk where single cross-attentions differ from it."""
    if weight or not singles:
        return signed(weight) + "*" * bool(singles)
    if len(singles) > 1:
        return f"{len(singles)} sites"
    depth, single = next(iter(singles.items()))
    return f"{depth}: {signed(single)}"


def _spoken(singles: Mapping[int, float]) -> str:
    spoken = ", ".join(f"{depth}: {signed(weight)}" for depth, weight in sorted(singles.items()))
    return f"; single cross-attentions {spoken}" if spoken else ""


def _top(block: Block) -> int:
    if block.name.startswith("mid"):
        return _MID
    return _UPPER if ".1." in block.name else _LOWER  # stage 1 is the finer one, down and up


def _label(block: Block) -> str:
    """Return the short name. The style sheet hides the direction in narrow columns; the U shows it anyway."""
    if block.role.value:
        return str(block.role.value).capitalize()
    way, _, numbers = block.name.replace("attentions.", "").partition("_blocks.")
    return f'<span class="instantstyle-way">{way} </span>{numbers}' if numbers else "mid"


def _bands() -> str:
    """Draw a stripe for each resolution at which the UNet attends, labelled with its size for a 1024 pixel picture."""
    return (
        f'<rect class="instantstyle-band" y="1" width="100%" height="{_BAND}" rx="8"/>'
        f'<rect class="instantstyle-band" y="{_LOWER - 6}" width="100%" height="{_MAP_HEIGHT - _LOWER + 5}" rx="8"/>'
        f'<text class="instantstyle-size" x="{5 * _COLUMN:.3f}%" y="{_UPPER + _CELL - 6}">64 × 64</text>'
        f'<text class="instantstyle-size" x="{9.5 * _COLUMN:.3f}%" y="{_MAP_HEIGHT - 10}">32 × 32</text>'
    )


def _wires(elem_id: str) -> str:
    """Draw skip connections and the paths between the resolutions, behind the bars."""
    skips = "".join(_line("instantstyle-skip", (a, y), (b, y)) for a, b, y in _SKIPS)
    middle, below, flow = _LOWER + _NUMBER + _BAR // 2, _UPPER + _CELL + 3, "instantstyle-flow"
    down = _line(flow, (1, below), (1, middle)) + _line(flow, (1, middle), (1.62, middle), elem_id)
    up = _line(flow, (7, middle), (8, middle)) + _line(flow, (8, middle), (8, below + 2), elem_id)
    return (
        f'<defs><marker id="{elem_id}_arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" '
        f'orient="auto"><path class="instantstyle-arrow" d="M0 0L6 3L0 6z"/></marker></defs>{skips}{down}{up}'
    )


def _line(name: str, start: tuple[float, float], end: tuple[float, float], arrow: str = "") -> str:
    """Draw a line between columns, with the head of the drawing ``arrow`` at its end, if given."""
    head = f' marker-end="url(#{arrow}_arrow)"' if arrow else ""
    x1, x2 = ((column + 0.5) * _COLUMN for column in (start[0], end[0]))
    return f'<line class="{name}" x1="{x1:.3f}%" y1="{start[1]}" x2="{x2:.3f}%" y2="{end[1]}"{head}/>'
