"""The code blocks of a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its language, what is in it, and where it begins."""

    language: str
    text: str
    place: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of ``page`` that name a language, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[1], match[2], f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}")
        for match in _BLOCK.finditer(text)
    ]
