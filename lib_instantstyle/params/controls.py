"""What a control is, and how its values are validated; `declared` lists the controls themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import ParameterError

if TYPE_CHECKING:
    from dataclasses import Field

MAX_TEXT = 8000  # characters of a text control; the full names of all 70 cross-attentions fit
MAX_WEIGHT = 3.0  # largest absolute value of a weight written in a text field


class Choice(str, Enum):
    """A value of a control: what the page shows, and what infotexts and the API write.

    Further names behind it, such as the papers' and those of older infotexts, are read too: ``Combine("concatenate")``.
    """

    also: tuple[str, ...]

    def __new__(cls, value: str, *also: str) -> Choice:
        """Make a member called ``value``, which is ``also`` called otherwise."""
        member = str.__new__(cls, value)
        member._value_, member.also = value, also
        return member

    @classmethod
    def _missing_(cls, value: object) -> Choice | None:
        """Find a member by any of its names, ignoring case, spaces and punctuation."""
        wanted = letters(value) if isinstance(value, str) else ""
        return next((member for member in cls if wanted in map(letters, (member.value, *member.also))), None)


@dataclass(frozen=True)
class Control:
    """How one field is presented to the user."""

    label: str  # also the name of the X/Y/Z axis
    help: str
    minimum: float = 0.0
    maximum: float = 1.0
    step: float = 0.01
    choices: type[Choice] | None = None
    suggestions: tuple[str, ...] = ()  # common values of a text field
    pictures: int = 0  # the most pictures that the control holds; 0 if it holds no pictures
    axis: bool = True  # whether it is offered as an X/Y/Z axis
    recorded: bool = True  # whether the infotext may contain it


def control(default: Any, label: str, help: str, **options: Any) -> Any:
    """Declare a dataclass field together with its control."""
    return field(default=default, metadata={"control": Control(label, help, **options)})


def pictures(label: str, help: str, count: int = 1) -> Any:
    """Declare a field that holds up to ``count`` pictures."""
    return control(None, label, help, pictures=count, axis=False, recorded=False)


def checked(entry: Field[Any], value: Any) -> Any:
    """Validate the value of a field, and convert it to the field's type.

    Raises:
        ParameterError: If it has the wrong type, is out of range or is not a known choice.
    """
    declared, default = entry.metadata["control"], entry.default
    name = f"{declared.label} ({entry.name})"
    if declared.pictures:
        return value
    if declared.choices:
        return _checked_choice(name, declared.choices, value)
    if isinstance(default, bool):
        return _checked_type(name, default, value, bool, "true or false")
    if isinstance(default, float):
        return _checked_number(name, default, declared, value)
    text: str = _checked_type(name, default, value, str, "a text").strip()
    if len(text) > MAX_TEXT:
        raise ParameterError(f"{name} is {len(text)} characters long; at most {MAX_TEXT} are allowed.")
    return text


def letters(text: str) -> str:
    """Reduce a name to its letters in lower case and its digits, for comparison."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def quoted(value: Any) -> str:
    """Format ``value`` for an error message, truncated to 60 characters."""
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def parse_weight(text: str, field_name: str, *, minimum: float = -MAX_WEIGHT, example: str = "") -> float:
    """Parse a weight from ``minimum`` to `MAX_WEIGHT` in a text field; field name and example are for the messages.

    Raises:
        ParameterError: If it is not a number, or out of range.
    """
    try:
        weight = float(text)
    except ValueError:
        raise ParameterError(f"{field_name}: {quoted(text.strip())} is not a number.{example}") from None
    if not minimum <= weight <= MAX_WEIGHT:  # NaN fails this too
        low = f"{minimum:g}".replace("-", "−")
        raise ParameterError(f"{field_name}: {text.strip()} is outside {low} to {MAX_WEIGHT:g}.")
    return weight


def _checked_choice(name: str, choices: type[Choice], value: Any) -> Choice:
    try:
        return choices(value)
    except ValueError:
        names = ", ".join(str(member.value) for member in choices)
        raise ParameterError(f"{name} must be one of: {names}; got {quoted(value)}.") from None


def _checked_type(name: str, default: Any, value: Any, kind: type, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise ParameterError(f"{name} must be {wanted}; got {quoted(value)}. {_remedy(default)}")
    return value


def _checked_number(name: str, default: Any, declared: Control, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParameterError(f"{name} must be a number; got {quoted(value)}. {_remedy(default)}")
    if not declared.minimum <= value <= declared.maximum:  # NaN fails this too
        raise ParameterError(
            f"{name} must be between {declared.minimum:g} and {declared.maximum:g}; got {quoted(value)}."
        )
    if declared.step == 1.0 and value != int(value):
        raise ParameterError(f"{name} must be a whole number; got {quoted(value)}.")
    return float(value)


def _remedy(default: Any) -> str:
    return f"Leave it out for the default, {default!r}."
