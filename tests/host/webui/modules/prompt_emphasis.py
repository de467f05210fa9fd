"""``(words)``, ``(words:1.3)`` and ``[words]``: attention weights in a prompt."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[()\[\]\\]|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|\bBREAK\b|[^\\()\[\]:B]+|.", re.DOTALL)
_UP, _DOWN = 1.1, 1 / 1.1


def parse_prompt_attention(text: str) -> list[list]:
    """Return ``[[text, weight], …]``; ``["BREAK", -1]`` marks a break."""
    parts: list[list] = []
    round_starts: list[int] = []
    square_starts: list[int] = []

    def multiply(start: int, factor: float) -> None:
        for part in parts[start:]:
            part[1] *= factor

    for match in _TOKEN.finditer(text):
        token, weight = match.group(0), match.group(1)
        if token == "(":
            round_starts.append(len(parts))
        elif token == "[":
            square_starts.append(len(parts))
        elif weight is not None and round_starts:
            multiply(round_starts.pop(), float(weight))
        elif token == ")" and round_starts:
            multiply(round_starts.pop(), _UP)
        elif token == "]" and square_starts:
            multiply(square_starts.pop(), _DOWN)
        elif token == "BREAK":
            parts.append(["BREAK", -1])
        else:
            parts.append([token[1:] if len(token) == 2 and token[0] == "\\" else token, 1.0])
    for start in round_starts:
        multiply(start, _UP)
    for start in square_starts:
        multiply(start, _DOWN)
    return _merge(parts) or [["", 1.0]]


def _merge(parts: list[list]) -> list[list]:
    merged: list[list] = []
    for text, weight in parts:
        if merged and merged[-1][1] == weight and weight != -1:
            merged[-1][0] += text
        else:
            merged.append([text, weight])
    return merged
