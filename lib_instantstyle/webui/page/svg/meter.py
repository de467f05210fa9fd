"""The content meter: how much of each content the references hold, before and after removal."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from lib_instantstyle.webui.page.svg.numbers import signed

METER_RANGE = 0.5  # the similarity that fills half a gauge


class MeterRow(NamedTuple):
    """How much of a content the reference's embedding holds before and after removal, as a similarity."""

    content: str
    before: float
    after: float


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
