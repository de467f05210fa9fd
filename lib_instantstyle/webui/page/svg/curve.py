"""Strength curves. Horizontal places are percentages, heights are pixels: letters keep their shape in any width."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from lib_instantstyle.webui.page.svg.numbers import signed

_PLOT_TOP, _PLOT = 8, 84  # pixels: the area of the curve; the names of its two ends stand below


def curve(
    strengths: Sequence[float],
    *,
    label: str,
    second: Sequence[float] | None = None,
    second_label: str = "",
    handles: Sequence[tuple[float, float]] = (),
    target: str = "",
) -> str:
    """Draw strengths at equal distances over the noise schedule; the ``second`` line is dashed.

    Args:
        strengths: At least one.
        label: Stands in the legend, and in the description for screen readers.
        second: A second line; at least one strength.
        second_label: Its label.
        handles: Points of the first line, as place and strength, that the page's script lets one drag.
        target: The element id of the textbox that it writes all of them to.
    """
    lines = [("instantstyle-line", label, strengths)]
    if second is not None:
        lines.append(("instantstyle-line instantstyle-second", second_label, second))
    values = [0.0, 1.0, *(value for _, _, line in lines for value in line)]
    low, high = min(values), max(values)
    legend = "".join(f'<span><i class="{name}"></i>{escape(text)}</span>' for name, text, _ in lines)
    drawn = "".join(f'<polyline class="{name}" points="{_points(line, low, high)}"/>' for name, _, line in lines)
    spoken = " ".join(_spoken(text, line) for _, text, line in lines)
    grid, ticks = _scale(low, high)
    return (
        f'<div class="instantstyle-curve"><div class="instantstyle-legend">{legend}</div>'
        f'<div class="instantstyle-graph"><svg xmlns="http://www.w3.org/2000/svg" width="100%" '
        f'height="{_PLOT_TOP + _PLOT + 20}" role="img" aria-label="{escape(spoken)}">{ticks}'
        f'<svg class="instantstyle-plot" x="8.5%" y="{_PLOT_TOP}" width="90%" height="{_PLOT}" '
        f'viewBox="0 0 100 {_PLOT}" preserveAspectRatio="none"><g class="instantstyle-grid">{grid}</g>{drawn}</svg>'
        f'<text class="instantstyle-end" x="8.5%" y="{_PLOT_TOP + _PLOT + 15}">pure noise</text>'
        f'<text class="instantstyle-end instantstyle-last" x="98.5%" y="{_PLOT_TOP + _PLOT + 15}">finished picture'
        f"</text></svg>{_handles(handles, low, high, target)}</div></div>"
    )


def _scale(low: float, high: float) -> tuple[str, str]:
    """Draw the lines behind the plot, and the numbers beside it."""
    near = 0.15 * (high - low)  # levels nearer to the ends would overlap their numbers
    levels = [low, *(level for level in (0.0, 1.0) if low + near < level < high - near), high]
    grid = "".join(f'<line x1="0" x2="100" y1="{y:.2f}" y2="{y:.2f}"/>' for y in (_y(v, low, high) for v in levels))
    grid += "".join(f'<line x1="{x}" x2="{x}" y1="0" y2="{_PLOT}"/>' for x in range(0, 101, 25))
    ticks = "".join(
        f'<text class="instantstyle-tick" x="7%" y="{_PLOT_TOP + 4 + _y(v, low, high):.2f}">{signed(v, "g")}</text>'
        for v in levels
    )
    return grid, ticks


def _handles(points: Sequence[tuple[float, float]], low: float, high: float, target: str) -> str:
    """Draw the points that can be dragged, in a box that covers the plot; the text field is there for the keyboard."""
    drawn = "".join(
        f'<i class="instantstyle-handle" data-place="{place:g}" data-strength="{strength:g}" '
        f'style="left:{100 * place:.2f}%;top:{100 * _y(strength, low, high) / _PLOT:.2f}%"></i>'
        for place, strength in points
    )
    return (
        f'<div class="instantstyle-handles" style="top:{_PLOT_TOP}px;height:{_PLOT}px" aria-hidden="true" '
        f'data-low="{low:g}" data-high="{high:g}" data-target="{escape(target)}">{drawn}</div>'
    )


def _y(value: float, low: float, high: float) -> float:
    return _PLOT * (high - value) / (high - low)


def _points(line: Sequence[float], low: float, high: float) -> str:
    last = max(len(line) - 1, 1)
    return " ".join(f"{100 * place / last:.2f},{_y(value, low, high):.2f}" for place, value in enumerate(line))


def _spoken(label: str, line: Sequence[float]) -> str:
    """Describe a line for screen readers."""
    peak = max(line)
    place = line.index(peak) / max(len(line) - 1, 1)
    return (
        f"{label}: starts at {signed(line[0])} in pure noise, ends at {signed(line[-1])} in the finished picture, "
        f"peaks at {signed(peak)} after {place:.0%} of the way."
    )
