"""The UNet as a U of eleven bars, the blocks' weights. Horizontal lengths are percentages, heights are pixels."""

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
        f'<div class="instantstyle-blockmap" id="{escape(elem_id)}" data-target="{escape(target)}">'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{_MAP_HEIGHT}" role="group" '
        f'aria-label="Weights of the UNet blocks">{_bands()}{_wires(escape(elem_id))}{cells}</svg></div>'
    )


def _cell(place: int, block: Block, weight: float, singles: Mapping[int, float]) -> str:
    """Draw one block. The page's script applies the same rules to bar, number and classes during a drag."""
    weight = round(weight, 2) + 0.0  # no "-0.00"
    spoken = f"{block.role.value.capitalize()} block, {block.name}" if block.role.value else block.name
    off = weight == 0 and not any(singles.values())
    states = {"block": True, "role": block.role.value, "negative": weight < 0, "off": off}
    classes = " ".join(f"instantstyle-{state}" for state, holds in states.items() if holds)
    return (
        f'<svg class="instantstyle-cell" x="{place * _COLUMN:.3f}%" y="{_top(block)}" width="{_COLUMN:.3f}%" '
        f'height="{_CELL}"><g class="{classes}" data-block="{block.name}" tabindex="0" role="slider" '
        f'aria-label="{spoken}" aria-orientation="vertical" aria-valuemin="{min(0.0, weight):.2f}" '
        f'aria-valuemax="{max(MAX_WEIGHT, weight):.2f}" aria-valuenow="{weight:.2f}">'
        f"<title>{block.name} ({block.ldm_name}){_spoken(singles)}</title>"
        f'<rect class="instantstyle-ring" x="4%" y="0" width="92%" height="{_CELL}" rx="5"/>'
        f'<rect class="instantstyle-track" x="20%" y="{_NUMBER}" width="60%" height="{_BAR}" rx="4"/>'
        f'<rect class="instantstyle-bar" x="20%" y="{_NUMBER + _BAR - _height(weight):.2f}" width="60%" '
        f'height="{_height(weight):.2f}" rx="4"/>'
        f'<line class="instantstyle-one" x1="20%" x2="80%" y1="{_NUMBER + _BAR / 2}" y2="{_NUMBER + _BAR / 2}"/>'
        f"{''.join(map(_mark, singles.values()))}"
        f'<text class="instantstyle-number" x="50%" y="{_NUMBER - 4}">{_number(weight, singles)}</text>'
        f'<text class="instantstyle-name" x="50%" y="{_CELL - 6}">{_label(block)}</text></g></svg>'
    )


def _height(weight: float) -> float:
    return _BAR * min(abs(weight) / MAX_WEIGHT, 1.0)


def _mark(weight: float) -> str:
    """Draw one cross-attention's own weight across its block's bar."""
    y = f"{_NUMBER + _BAR - _height(weight):.2f}"
    return f'<line class="instantstyle-site" x1="14%" x2="86%" y1="{y}" y2="{y}"/>'


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
    return f'<tspan class="instantstyle-way">{way} </tspan>{numbers}' if numbers else "mid"


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
