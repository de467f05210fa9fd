"""Saved styles in a prompt: ``<instantstyle:name:weight>``. No host."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Sequence

_LIMIT = 3.0  # of the weight of one style


class Tag(NamedTuple):
    """``<instantstyle:name:weight>`` in a prompt."""

    name: str
    weight: float


def read_tags(written: Sequence[tuple[str, ...]]) -> list[Tag]:
    """Read the tags of a prompt; a style that is named twice has the sum of its weights.

    Raises:
        ParameterError: If a tag has another form, or its weight is no number from −3 to 3.
    """
    tags: dict[str, Tag] = {}
    for parts in written:
        name, weight = _read_tag(parts)
        known = tags.get(name.lower(), Tag(name, 0.0))  # file names ignore case on some systems: here everywhere
        tags[name.lower()] = _within_limit(Tag(known.name, known.weight + weight))
    return [tag for tag in tags.values() if tag.weight]


def _read_tag(parts: tuple[str, ...]) -> Tag:
    text = f"<instantstyle:{':'.join(parts)}>"
    try:
        name, weight = (parts[0].strip(), 1.0) if len(parts) == 1 else (parts[0].strip(), float(parts[1]))
    except ValueError:
        name = ""
    if not name or len(parts) > 2:
        raise ParameterError(f"The prompt has {text}, which is not understood. Write <instantstyle:name:0.8>.")
    return Tag(name, weight)


def _within_limit(tag: Tag) -> Tag:
    if not -_LIMIT <= tag.weight <= _LIMIT:
        raise ParameterError(
            f"The weight of <instantstyle:{tag.name}> is {tag.weight:g} in all; it must be between −{_LIMIT:g} and "
            f"{_LIMIT:g}."
        )
    return tag
