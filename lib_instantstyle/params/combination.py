"""How several references act together, and the text field with their weights."""

from __future__ import annotations

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import Choice, parse_weight

MAX_PICTURES = 8  # references that act together
_FIELD = "Reference weights (weights)"


class Combine(Choice):
    """How references act together."""

    MEAN = "Blend", "Mean"
    NORMALISED_MEAN = "Blend as equals", "Normalised mean"
    CONCATENATE = "Each place picks one", "Concatenate"
    ADD = "Add up", "Add"
    PER_PICTURE = "One per picture"


def parse_reference_weights(text: str) -> tuple[float, ...]:
    """Parse comma-separated weights.

    Raises:
        ParameterError: If there are more than `MAX_PICTURES`, or one is not a number from 0 to 3.
    """
    inner = text.strip(" []").rstrip(" ,")
    parts = [part.strip() for part in inner.split(",")] if inner else []
    _check_count(len(parts), MAX_PICTURES)
    return tuple(parse_weight(part, _FIELD, minimum=0.0, example=" Write '1, 0.5'.") for part in parts)


def complete_weights(written: tuple[float, ...], count: int) -> list[float]:
    """Fill up the weights to ``count`` references; a missing weight is 1.

    Raises:
        ParameterError: If there are more weights than references, or all are 0.
    """
    _check_count(len(written), count)
    weights = [*written, *[1.0] * (count - len(written))]
    if weights and not any(weights):
        raise ParameterError(f"{_FIELD} are all 0. Give one reference a weight, or switch off.")
    return weights


def _check_count(written: int, count: int) -> None:
    if written > count:
        raise ParameterError(f"{_FIELD}: {written} weights for {count} references. Leave the superfluous ones out.")
