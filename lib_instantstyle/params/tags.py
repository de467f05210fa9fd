"""Tags in the prompt that apply saved styles: ``<instantstyle:name:weight>``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import MAX_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class StyleTag(NamedTuple):
    """One style and its weight."""

    name: str
    weight: float


def read_tags(written: Sequence[tuple[str, ...]], called: Callable[[str], str] = str) -> list[StyleTag]:
    """Parse the tags of a prompt; weights of the same style add up.

    Args:
        written: Each tag as its parts between the colons.
        called: The style's own name for a name as written, or that name if there is no such style.

    Raises:
        ParameterError: If a tag has another form, or a weight is not a number from −3 to 3.
    """
    tags: dict[str, StyleTag] = {}
    for parts in written:
        name, weight = _read_tag(parts)
        name = called(name)
        known = tags.get(name, StyleTag(name, 0.0))
        tags[name] = _within_limit(StyleTag(name, known.weight + weight))
    return [tag for tag in tags.values() if tag.weight]


def _read_tag(parts: tuple[str, ...]) -> StyleTag:
    text = f"<instantstyle:{':'.join(parts)}>"
    try:
        name, weight = parts[0].strip(), float(parts[1]) if len(parts) > 1 else 1.0
    except ValueError:
        name = ""
    if not name or len(parts) > 2:
        raise ParameterError(f"The prompt has {text}, which is not understood. Write <instantstyle:name:0.8>.")
    return StyleTag(name, weight)


def _within_limit(tag: StyleTag) -> StyleTag:
    if not -MAX_WEIGHT <= tag.weight <= MAX_WEIGHT:
        raise ParameterError(
            f"The weight of <instantstyle:{tag.name}> is {tag.weight:g} in all; it must be between −{MAX_WEIGHT:g} "
            f"and {MAX_WEIGHT:g}."
        )
    return tag
