"""Drawings for the accordion as SVG and HTML text: block weights, strength curves and the content meter.

Pure text, no host. Colours and fonts are in ``style.css``, which follows the WebUI's theme; dragging is in
``javascript/instantstyle.js``. Horizontal places are percentages and heights are pixels, so that a narrow column
squeezes the drawing but never its letters.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.blocks import BLOCKS, Block

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

MAX_WEIGHT = 2.0  # a full bar
METER_RANGE = 0.5  # a full half of the content meter

_COLUMN = 100 / len(BLOCKS)  # per cent
_NUMBER, _BAR, _LABEL = 15, 72, 18  # pixels: the number over the bar, the bar, the name under it
_CELL = _NUMBER + _BAR + _LABEL
_UPPER, _LOWER, _MID = 8, 136, 154  # where the cells of the two resolutions and of the middle block begin
_BAND = 120  # pixels, the height of one resolution's stripe
_MAP_HEIGHT = _MID + _CELL + 6
_PLOT_TOP, _PLOT = 8, 84  # pixels: the curve's area, under which stand the names of the two ends

# Skip connections: two places in `BLOCKS` and the height. The first block going up hears the last one going down.
_SKIPS = ((0, 9, _UPPER + 30), (1, 8, _UPPER + 42), (2, 6, _LOWER + 58), (3, 5, _LOWER + 70))


class MeterRow(NamedTuple):
    """How much of a content the reference's embedding holds before and after removal, as a similarity."""

    content: str
    before: float
    after: float


def block_map(weights: Mapping[Block, float], *, elem_id: str, target: str = "") -> str:
    """Draw the UNet as a U whose eleven bars show the blocks' weights; blocks left out have 0.

    Args:
        weights: The weight of each block; bars end at 2, numbers do not.
        elem_id: The id of the drawing, by which the script finds it again after a redraw.
        target: The element id of the textbox that the script writes edits to, as ``name=weight#count``.
    """
    cells = "".join(_cell(place, block, weights.get(block, 0.0)) for place, block in enumerate(BLOCKS))
    return (
        f'<div class="instantstyle-blockmap" id="{escape(elem_id)}" data-target="{escape(target)}">'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{_MAP_HEIGHT}" role="group" '
        f'aria-label="Weights of the UNet blocks">{_bands()}{_wires(escape(elem_id))}{cells}</svg></div>'
    )


def _cell(place: int, block: Block, weight: float) -> str:
    """Draw one block. The script redraws bar, number and classes by the same rules while dragging."""
    weight = round(weight, 2) + 0.0  # no "-0.00"
    filled = _BAR * min(abs(weight) / MAX_WEIGHT, 1.0)
    spoken = f"{block.role.value.capitalize()} block, {block.name}" if block.role.value else block.name
    states = {"block": True, "role": block.role.value, "negative": weight < 0, "off": weight == 0}
    classes = " ".join(f"instantstyle-{state}" for state, holds in states.items() if holds)
    return (
        f'<svg class="instantstyle-cell" x="{place * _COLUMN:.3f}%" y="{_top(block)}" width="{_COLUMN:.3f}%" '
        f'height="{_CELL}"><g class="{classes}" data-block="{block.name}" tabindex="0" role="slider" '
        f'aria-label="{spoken}" aria-orientation="vertical" aria-valuemin="{min(0.0, weight):.2f}" '
        f'aria-valuemax="{max(MAX_WEIGHT, weight):.2f}" aria-valuenow="{weight:.2f}">'
        f"<title>{block.name} ({block.ldm_name})</title>"
        f'<rect class="instantstyle-ring" x="4%" y="0" width="92%" height="{_CELL}" rx="5"/>'
        f'<rect class="instantstyle-track" x="20%" y="{_NUMBER}" width="60%" height="{_BAR}" rx="4"/>'
        f'<rect class="instantstyle-bar" x="20%" y="{_NUMBER + _BAR - filled:.2f}" width="60%" '
        f'height="{filled:.2f}" rx="4"/>'
        f'<line class="instantstyle-one" x1="20%" x2="80%" y1="{_NUMBER + _BAR / 2}" y2="{_NUMBER + _BAR / 2}"/>'
        f'<text class="instantstyle-number" x="50%" y="{_NUMBER - 4}">{_signed(weight)}</text>'
        f'<text class="instantstyle-name" x="50%" y="{_CELL - 6}">{_label(block)}</text></g></svg>'
    )


def _top(block: Block) -> int:
    if block.name.startswith("mid"):
        return _MID
    return _UPPER if ".1." in block.name else _LOWER  # both ways, stage 1 is the finer one


def _label(block: Block) -> str:
    """Return the short name. In a narrow column the style sheet hides the direction, which the U shows too."""
    if block.role.value:
        return str(block.role.value).capitalize()
    way, _, numbers = block.name.replace("attentions.", "").partition("_blocks.")
    return f'<tspan class="instantstyle-way">{way} </tspan>{numbers}' if numbers else "mid"


def _bands() -> str:
    """Draw a stripe for each resolution at which the UNet attends, named by its size for a 1024 pixel picture."""
    return (
        f'<rect class="instantstyle-band" y="1" width="100%" height="{_BAND}" rx="8"/>'
        f'<rect class="instantstyle-band" y="{_LOWER - 6}" width="100%" height="{_MAP_HEIGHT - _LOWER + 5}" rx="8"/>'
        f'<text class="instantstyle-size" x="{5 * _COLUMN:.3f}%" y="{_UPPER + _CELL - 6}">64 × 64</text>'
        f'<text class="instantstyle-size" x="{9.5 * _COLUMN:.3f}%" y="{_MAP_HEIGHT - 10}">32 × 32</text>'
    )


def _wires(elem_id: str) -> str:
    """Draw skip connections and the way down and up between the resolutions; bars lie over them."""
    skips = "".join(_line("instantstyle-skip", (a, y), (b, y)) for a, b, y in _SKIPS)
    middle, below, flow = _LOWER + _NUMBER + _BAR // 2, _UPPER + _CELL + 3, "instantstyle-flow"
    down = _line(flow, (1, below), (1, middle)) + _line(flow, (1, middle), (1.62, middle), elem_id)
    up = _line(flow, (7, middle), (8, middle)) + _line(flow, (8, middle), (8, below + 2), elem_id)
    return (
        f'<defs><marker id="{elem_id}_arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" '
        f'orient="auto"><path class="instantstyle-arrow" d="M0 0L6 3L0 6z"/></marker></defs>{skips}{down}{up}'
    )


def _line(name: str, start: tuple[float, float], end: tuple[float, float], arrow: str = "") -> str:
    """Draw a line between columns; with an ``arrow`` owner its end gets a head."""
    head = f' marker-end="url(#{arrow}_arrow)"' if arrow else ""
    x1, x2 = ((column + 0.5) * _COLUMN for column in (start[0], end[0]))
    return f'<line class="{name}" x1="{x1:.3f}%" y1="{start[1]}" x2="{x2:.3f}%" y2="{end[1]}"{head}/>'


def curve(
    strengths: Sequence[float], *, label: str, second: Sequence[float] | None = None, second_label: str = ""
) -> str:
    """Draw strengths at equal distances over the noise schedule; the ``second`` line is dashed.

    Each line needs at least one strength. The labels stand in the legend and tell the lines in words.
    """
    lines = [("instantstyle-line", label, strengths)]
    if second is not None:
        lines.append(("instantstyle-line instantstyle-second", second_label, second))
    values = [0.0, 1.0, *(value for _, _, line in lines for value in line)]
    low, high = min(values), max(values)
    legend = "".join(f'<span><i class="{name}"></i>{escape(text)}</span>' for name, text, _ in lines)
    drawn = "".join(f'<polyline class="{name}" points="{_points(line, low, high)}"/>' for name, _, line in lines)
    told = " ".join(_told(text, line) for _, text, line in lines)
    near = 0.15 * (high - low)  # numbers nearer to the ends would touch theirs
    levels = [low, *(level for level in (0.0, 1.0) if low + near < level < high - near), high]
    grid = "".join(f'<line x1="0" x2="100" y1="{y:.2f}" y2="{y:.2f}"/>' for y in (_y(v, low, high) for v in levels))
    grid += "".join(f'<line x1="{x}" x2="{x}" y1="0" y2="{_PLOT}"/>' for x in range(0, 101, 25))
    ticks = "".join(
        f'<text class="instantstyle-tick" x="7%" y="{_PLOT_TOP + 4 + _y(v, low, high):.2f}">{_signed(v, "g")}</text>'
        for v in levels
    )
    return (
        f'<div class="instantstyle-curve"><div class="instantstyle-legend">{legend}</div>'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="{_PLOT_TOP + _PLOT + 20}" role="img" '
        f'aria-label="{escape(told)}">{ticks}<svg class="instantstyle-plot" x="8.5%" y="{_PLOT_TOP}" width="90%" '
        f'height="{_PLOT}" viewBox="0 0 100 {_PLOT}" preserveAspectRatio="none"><g class="instantstyle-grid">{grid}</g>'
        f'{drawn}</svg><text class="instantstyle-end" x="8.5%" y="{_PLOT_TOP + _PLOT + 15}">pure noise</text>'
        f'<text class="instantstyle-end instantstyle-last" x="98.5%" y="{_PLOT_TOP + _PLOT + 15}">finished picture'
        "</text></svg></div>"
    )


def _y(value: float, low: float, high: float) -> float:
    return _PLOT * (high - value) / (high - low)


def _points(line: Sequence[float], low: float, high: float) -> str:
    last = max(len(line) - 1, 1)
    return " ".join(f"{100 * place / last:.2f},{_y(value, low, high):.2f}" for place, value in enumerate(line))


def _told(label: str, line: Sequence[float]) -> str:
    """Say a line in words."""
    peak = max(line)
    place = line.index(peak) / max(len(line) - 1, 1)
    return (
        f"{label}: starts at {_signed(line[0])} in pure noise, ends at {_signed(line[-1])} in the finished picture, "
        f"peaks at {_signed(peak)} after {place:.0%} of the way."
    )


def meter(rows: Sequence[MeterRow], warnings: Sequence[str]) -> str:
    """Draw how much of each content the reference holds before and after removal, then the warnings."""
    drawn = "".join(
        f'<div class="instantstyle-row"><span class="instantstyle-content">{escape(row.content)}</span>'
        f"{_gauge('before', row.before)}{_gauge('after', row.after)}</div>"
        for row in rows
    )
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    told = f'<ul class="instantstyle-warning">{items}</ul>' if items else ""
    return f'<div class="instantstyle-meter">{drawn}{told}</div>'


def _gauge(name: str, value: float) -> str:
    """Draw a bar from the zero line in the middle, to the left when negative."""
    width = 50 * min(abs(value) / METER_RANGE, 1.0)
    left = 50 - width if value < 0 else 50
    return (
        f'<span class="instantstyle-gauge instantstyle-{name}"><span>{name}</span><span class="instantstyle-scale">'
        f'<i style="left:{left:.2f}%;width:{width:.2f}%"></i></span><b>{_signed(value)}</b></span>'
    )


def _signed(value: float, form: str = ".2f") -> str:
    return format(round(value, 2) + 0.0, form).replace("-", "−")
