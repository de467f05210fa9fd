"""The text field with the contents to remove, and the methods of removal; `method.removal` has the formulas."""

from __future__ import annotations

from typing import NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import MAX_WEIGHT, Choice

MAX_CONTENTS = 16  # each costs a pass through the text encoder


class Removal(Choice):
    """How content is removed."""

    SUBTRACT = "Push away", "Subtract"
    PROJECT_OUT = "Take out", "Project out"
    MASK = "Dampen", "Mask"


class Content(NamedTuple):
    """Words to remove, and their weight relative to the other contents."""

    words: str
    weight: float


def parse_contents(text: str) -> tuple[Content, ...]:
    """Parse ``"a cat:0.8, balloons"``. A colon that is not followed by a number belongs to the words.

    Raises:
        ParameterError: If a weight is outside 0 to 3, or there are too many contents.
    """
    contents = [_parse_content(part.strip()) for part in text.split(",") if part.strip()]
    if len(contents) > MAX_CONTENTS:
        raise ParameterError(
            f"Content to remove (content) names {len(contents)} contents; at most {MAX_CONTENTS} are "
            "read. Name what matters."
        )
    return tuple(content for content in contents if content.words and content.weight)


def _parse_content(text: str) -> Content:
    words, colon, number = text.rpartition(":")
    try:
        weight = float(number) if colon else 1.0
    except ValueError:
        return Content(text, 1.0)
    if not 0.0 <= weight <= MAX_WEIGHT:
        raise ParameterError(
            f"Content to remove (content): the weight of {words.strip()!r} is {number.strip()}; it must be between 0 "
            f"and {MAX_WEIGHT:g}."
        )
    return Content(words.strip() if colon else text, weight)
