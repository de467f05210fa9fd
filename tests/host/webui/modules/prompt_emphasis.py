"""``(words)``, ``(words:1.3)`` and ``[words]``: attention weights in a prompt."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\\[()\[\]\\]|\(|\[|:\s*([+-]?[.\d]+)\s*\)|\)|\]|\bBREAK\b|[^\\()\[\]:B]+|.", re.DOTALL)
_UP, _DOWN = 1.1, 1 / 1.1


class _Weights:
    """The parts read so far, and where each open bracket began."""

    def __init__(self) -> None:
        self.parts: list[list] = []
        self._open: dict[str, list[int]] = {"(": [], "[": []}

    def read(self, token: str, weight: str | None) -> None:
        if token in self._open:
            self._open[token].append(len(self.parts))
        elif weight is not None and self._open["("]:
            self._close("(", float(weight))
        elif token == ")" and self._open["("]:
            self._close("(", _UP)
        elif token == "]" and self._open["["]:
            self._close("[", _DOWN)
        elif token == "BREAK":
            self.parts.append(["BREAK", -1])
        else:
            self.parts.append([token[1:] if len(token) == 2 and token[0] == "\\" else token, 1.0])

    def close_all(self) -> None:
        for bracket, factor in (("(", _UP), ("[", _DOWN)):
            while self._open[bracket]:
                self._close(bracket, factor)

    def _close(self, bracket: str, factor: float) -> None:
        for part in self.parts[self._open[bracket].pop() :]:
            part[1] *= factor


def parse_prompt_attention(text: str) -> list[list]:
    """Return ``[[text, weight], …]``; ``["BREAK", -1]`` marks a break."""
    weights = _Weights()
    for match in _TOKEN.finditer(text):
        weights.read(match.group(0), match.group(1))
    weights.close_all()
    return _merge(weights.parts) or [["", 1.0]]


def _merge(parts: list[list]) -> list[list]:
    merged: list[list] = []
    for text, weight in parts:
        if merged and merged[-1][1] == weight and weight != -1:
            merged[-1][0] += text
        else:
            merged.append([text, weight])
    return merged
