"""The values of an axis of the X/Y/Z plot."""

from __future__ import annotations

import csv
import re
from io import StringIO
from typing import Any

_RANGE = re.compile(r"^\s*([+-]?\d+(?:\.\d*)?)\s*-\s*([+-]?\d+(?:\.\d*)?)(?:\s*\(([+-]?\d+(?:\.\d*)?)\s*\))?\s*$")
_COUNTED = re.compile(r"^\s*([+-]?\d+(?:\.\d*)?)\s*-\s*([+-]?\d+(?:\.\d*)?)\s*\[(\d+)\s*\]\s*$")


def read_values(option: Any, text: Any) -> list[Any]:
    """Parse an axis: comma-separated values; for numbers also ``1-5``, ``1-5(+2)`` and ``0-1[5]``."""
    if option.label == "Nothing":
        return [0]
    values = text if isinstance(text, list) else [v.strip() for v in next(csv.reader(StringIO(text)), [])]
    if option.type in (int, float):
        values = [number for value in values for number in _expand(str(value), option.type)]
    return [option.type(value) for value in values]


def _expand(value: str, kind: type) -> list[Any]:
    if match := _COUNTED.match(value):
        start, end, count = float(match[1]), float(match[2]), int(match[3])
        return [kind(start + (end - start) * i / max(count - 1, 1)) for i in range(count)]
    if match := _RANGE.match(value):
        start, end = float(match[1]), float(match[2])
        step = float(match[3]) if match[3] else (1.0 if kind is int else 0.1)
        return [kind(round(start + i * step, 8)) for i in range(int((end - start) / step + 1e-9) + 1)]
    return [kind(value)]
