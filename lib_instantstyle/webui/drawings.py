"""Drawings for the accordion as SVG and HTML text: strength curves and the content meter; the block map is apart.

Pure text, no host. Colours and fonts are in ``style.css``, which follows the WebUI's theme; dragging is in
``javascript/instantstyle.js``. Horizontal places are percentages and heights are pixels, so that a narrow column
squeezes the drawing but never its letters.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

METER_RANGE = 0.5  # a full half of the content meter

_PLOT_TOP, _PLOT = 8, 84  # pixels: the curve's area, under which stand the names of the two ends


class MeterRow(NamedTuple):
    """How much of a content the reference's embedding holds before and after removal, as a similarity."""

    content: str
    before: float
    after: float


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
        f'<text class="instantstyle-tick" x="7%" y="{_PLOT_TOP + 4 + _y(v, low, high):.2f}">{signed(v, "g")}</text>'
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
        f"{label}: starts at {signed(line[0])} in pure noise, ends at {signed(line[-1])} in the finished picture, "
        f"peaks at {signed(peak)} after {place:.0%} of the way."
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
        f'<i style="left:{left:.2f}%;width:{width:.2f}%"></i></span><b>{signed(value)}</b></span>'
    )


def signed(value: float, form: str = ".2f") -> str:
    """Return a number as it is drawn: two digits, a real minus, no negative zero."""
    return format(round(value, 2) + 0.0, form).replace("-", "−")
