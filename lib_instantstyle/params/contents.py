"""The text field with the contents to remove, and the methods of removal; `method.removal` has the formulas."""

from __future__ import annotations

import re
from typing import NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import MAX_WEIGHT, Choice, quoted

MAX_CONTENTS = 16  # each costs a pass through the text encoder
_FULL_WIDTH, _MARKS = "，、；：．", ",,;:."  # the former are what keyboards of East Asia write
_DECIMAL_COMMA = re.compile(r":\s*(\d+\s*,\s*\d+)\s*(?=[,;\n]|$)")
# The last colon's number is a weight; "star wars: a new hope" and "12:30 o'clock" have none.
_WEIGHED = re.compile(r"(.*):(?!\s+[^\s\d.+-])(?!(?<=\d:)\d+\s)(.*)")


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
    """Parse ``"a cat:0.8, balloons"``; semicolons, line ends and full-width marks separate too.

    A colon before further words, as in a title, belongs to the words.

    Raises:
        ParameterError: If what stands after a colon is no weight from 0 to 3, or there are too many contents.
    """
    text = text.translate(str.maketrans(_FULL_WIDTH, _MARKS))
    if comma := _DECIMAL_COMMA.search(text):
        raise ParameterError(
            f"Content to remove (content): {quoted(comma[1])} is read as two contents. Write a weight with a point, as "
            "in 'a cat:0.8'."
        )
    contents = [_parse_content(part.strip()) for part in re.split(r"[,;\n]", text) if part.strip()]
    if len(contents) > MAX_CONTENTS:
        raise ParameterError(
            f"Content to remove (content) names {len(contents)} contents; at most {MAX_CONTENTS} are "
            "read. Name what matters."
        )
    return tuple(contents)


def _parse_content(text: str) -> Content:
    weighed = _WEIGHED.fullmatch(text)
    if not weighed:
        return Content(text, 1.0)
    words, number = (part.strip(" :") for part in weighed.groups())
    try:
        weight = float(number)
    except ValueError:
        raise ParameterError(
            f"Content to remove (content): {quoted(number)} after {quoted(words)} is no weight. Write 'a cat:0.8', or "
            "leave the colon out."
        ) from None
    if not words:
        raise ParameterError(
            f"Content to remove (content): the weight {number} has no words before it. Write 'a cat:0.8'."
        )
    if not 0.0 <= weight <= MAX_WEIGHT:
        raise ParameterError(
            f"Content to remove (content): the weight of {words!r} is {number}; it must be between 0 "
            f"and {MAX_WEIGHT:g}."
        )
    return Content(words, weight)
