"""The values of an axis of the X/Y/Z plot."""

from __future__ import annotations

import csv
import re
from io import StringIO
from itertools import chain
from typing import Any

import numpy as np

_DIGITS = {int: r"\d+", float: r"\d+(?:.\d*)?"}  # the host's dot is any character, so it takes 1e-05 for a range


def csv_string_to_list_strip(data_str: str) -> list[str]:
    return [text.strip() for text in chain.from_iterable(csv.reader(StringIO(data_str), skipinitialspace=True))]


def list_to_csv_string(data_list: Any) -> str:
    with StringIO() as out:
        csv.writer(out).writerow(data_list)
        return out.getvalue().strip()


def process_axis(p: Any, option: Any, text: Any, chosen: Any, csv_mode: bool) -> list[Any]:
    """Parse an axis: what was chosen in the dropdown, or else comma-separated values and ranges of numbers."""
    if option.label == "Nothing":
        return [0]
    if option.choices is not None and not csv_mode:
        values = chosen
    else:
        values = (option.prepare or csv_string_to_list_strip)(text)
    if option.type in (int, float):
        values = [number for value in values if value.strip() for number in _spread(value, option.type)]
    values = [option.type(value) for value in values]
    if option.confirm:
        option.confirm(p, values)
    return values


def _spread(value: str, kind: type) -> list[Any]:
    digits = _DIGITS[kind]
    ends = rf"\s*([+-]?\s*{digits})\s*-\s*([+-]?\s*{digits})"
    if match := re.fullmatch(rf"{ends}(?:\s*\(([+-]{digits})\s*\))?\s*", value):
        start, end, step = kind(match[1]), kind(match[2]), kind(match[3] or 1)
        return list(range(start, end + 1, step)) if kind is int else np.arange(start, end + step, step).tolist()
    if match := re.fullmatch(rf"{ends}\s*\[({digits})\s*\]\s*", value):
        return [kind(x) for x in np.linspace(kind(match[1]), kind(match[2]), num=int(match[3])).tolist()]
    return [value]
