"""`StyleParams`: the single list of controls.

Each control is declared once, with its default, range, label and help. The accordion, the API and its
schema, the infotext, the X/Y/Z axes and the table in the README are generated from these lines.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from lib_instantstyle.blocks import LAYOUT, Block, Preset, parse_block_weights, preset_weights
from lib_instantstyle.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AUTOMATIC = "Automatic"
MAX_TEXT = 2000  # characters of any text control; far above what the text tower reads


class Passes(str, Enum):
    """Which sampling passes are styled when hires fix is on. The value is the label that users see."""

    BOTH = "Both"
    FIRST = "First pass"
    HIRES = "Hires pass"


@dataclass(frozen=True)
class Control:
    """What the user sees of one field of `StyleParams`.

    Attributes:
        label: Label of the control and name of the X/Y/Z axis.
        help: One plain sentence.
        minimum, maximum, step: Range of a number.
        choices: Enumeration of the values of a choice.
        axis: Whether an X/Y/Z axis makes sense.
        recorded: Whether the value belongs into the infotext.
    """

    label: str
    help: str
    minimum: float = 0.0
    maximum: float = 1.0
    step: float = 0.01
    choices: type[Enum] | None = None
    axis: bool = True
    recorded: bool = True


def _control(default: Any, label: str, help: str, **options: Any) -> Any:
    return field(default=default, metadata={"control": Control(label, help, **options)})


@dataclass(frozen=True)
class StyleParams:
    """Everything a user can set for one generation. Constructing validates.

    Raises:
        ParameterError: If a value has the wrong type or lies outside its range.
    """

    enabled: bool = _control(
        False, "Enabled", "Styles the picture when the accordion is ticked.", axis=False, recorded=False
    )
    image: Any = _control(None, "Style reference", "The picture whose style you want.", axis=False, recorded=False)
    preset: Preset = _control(
        Preset.STYLE,
        "Preset",
        "Which UNet blocks see the reference. 'Style' keeps its content out best.",
        choices=Preset,
    )
    style_weight: float = _control(
        1.0,
        "Style weight",
        "Strength on every selected block but the layout block.",
        minimum=-1.0,
        maximum=3.0,
        step=0.05,
    )
    layout_weight: float = _control(
        1.0,
        "Layout weight",
        "Strength on the layout block, if the preset selects it.",
        minimum=-1.0,
        maximum=3.0,
        step=0.05,
    )
    blocks: str = _control(
        "style:1",
        "Custom block weights",
        "For the preset Custom: 'style:1, layout:0.4, up_blocks.1.attentions.0:0.3', or eleven numbers "
        "(4 down, 1 mid, 6 up).",
    )
    content: str = _control(
        "",
        "Content to remove",
        "What the reference shows and your picture must not: 'a cat, balloons'.",
    )
    content_strength: float = _control(
        0.5,
        "Removal strength",
        "How much of it is subtracted. Too much shifts the colours.",
        maximum=2.0,
        step=0.05,
    )
    start: float = _control(0.0, "Start", "Styling begins here on the noise schedule: 0 is pure noise.")
    end: float = _control(1.0, "End", "Styling ends here on the noise schedule: 1 is the finished picture.")
    adapter: str = _control(AUTOMATIC, "Adapter", "'Automatic' takes the first that can remove content.")
    passes: Passes = _control(Passes.BOTH, "Hires passes", "Styled passes when hires fix is on.", choices=Passes)
    reference: str = _control(
        "",
        "Reference SHA-256",
        "Filled by pasted parameters: a picture styled before is found by this hash in the embedding cache, "
        "so that it need not be dropped again. A dropped picture wins.",
        axis=False,
        recorded=False,
    )

    def __post_init__(self) -> None:
        """Convert choices given as text and refuse what cannot be used."""
        for name, control in controls().items():
            object.__setattr__(self, name, _checked(name, control, getattr(self, name)))
        if self.start >= self.end:
            raise ParameterError(
                f"{_named('end')} must be greater than {_named('start')}; got start {self.start:g} and end "
                f"{self.end:g}. For styling from the first to the last step use 0 and 1."
            )
        if self.preset is Preset.CUSTOM:
            parse_block_weights(self.blocks)
        if self.reference and not re.fullmatch(r"[0-9a-fA-F]{64}", self.reference):
            raise ParameterError(
                f"{_named('reference')} must be 64 hexadecimal digits; got {_quoted(self.reference)}. "
                "Paste the parameters of a styled picture, or leave it empty and give the picture."
            )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StyleParams:
        """Build from an API dict.

        Raises:
            ParameterError: For an unknown key, with the nearest known one, or an unusable value.
        """
        for key in values:
            if key not in controls():
                raise ParameterError(f"Unknown InstantStyle key {_quoted(key)}. {_suggestion(key)}")
        params = cls(**values)
        if params.preset is not Preset.CUSTOM and params.blocks != default_of("blocks"):
            raise ParameterError(
                f"{_named('blocks')} acts with the preset Custom only; the preset is {params.preset.value}. "
                "Send 'preset': 'custom', or leave 'blocks' out."
            )
        return params

    @classmethod
    def from_args(cls, args: Sequence[Any]) -> StyleParams:
        """Build from the host's argument list: one dict first, or one value per field in order.

        A list that begins with False is not looked at any further: what a switched-off accordion holds
        must not stop a picture.
        """
        if args and isinstance(args[0], dict):
            return cls.from_dict(args[0])
        if not args or args[0] is False:
            return cls()
        return cls(**dict(zip(controls(), args, strict=False)))

    def replace(self, **changes: Any) -> StyleParams:
        """Return a copy with ``changes`` applied and validated."""
        return dataclasses.replace(self, **changes)

    @property
    def block_weights(self) -> dict[Block, float]:
        """The weight of each block that takes part: the preset's factor times style or layout weight."""
        custom = self.preset is Preset.CUSTOM
        factors = parse_block_weights(self.blocks) if custom else preset_weights(self.preset)
        weights = {
            block: factor * (self.layout_weight if block is LAYOUT else self.style_weight)
            for block, factor in factors.items()
        }
        return {block: weight for block, weight in weights.items() if weight}


def controls() -> dict[str, Control]:
    """Return every field's name and control, in the order of the fields."""
    return {entry.name: entry.metadata["control"] for entry in dataclasses.fields(StyleParams)}


def default_of(name: str) -> Any:
    """Return the default of the field ``name``."""
    return getattr(StyleParams, name)


def parse_choice(choices: type[Enum], value: str) -> Enum | None:
    """Return the member of ``choices`` that ``value`` spells, ignoring case, spaces and punctuation."""
    return next((member for member in choices if _letters(member.value) == _letters(value)), None)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _checked(name: str, control: Control, value: Any) -> Any:
    default = default_of(name)
    if name == "image":
        return value
    if control.choices:
        return _checked_choice(name, control.choices, value)
    if isinstance(default, bool):
        return _checked_type(name, value, bool, "true or false")
    if isinstance(default, float):
        return _checked_number(name, control, value)
    text = _checked_type(name, value, str, "a text").strip()
    if len(text) > MAX_TEXT:
        raise ParameterError(f"{_named(name)} is {len(text)} characters long; at most {MAX_TEXT} are allowed.")
    return text


def _checked_choice(name: str, choices: type[Enum], value: Any) -> Enum:
    if isinstance(value, choices):
        return value
    member = parse_choice(choices, value) if isinstance(value, str) else None
    if member is None:
        names = ", ".join(str(member.value) for member in choices)
        raise ParameterError(f"{_named(name)} must be one of: {names}; got {_quoted(value)}.")
    return member


def _checked_type(name: str, value: Any, kind: type, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise ParameterError(f"{_named(name)} must be {wanted}; got {_quoted(value)}. {_remedy(name)}")
    return value


def _checked_number(name: str, control: Control, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParameterError(f"{_named(name)} must be a number; got {_quoted(value)}. {_remedy(name)}")
    if not control.minimum <= value <= control.maximum:  # NaN fails this too
        raise ParameterError(
            f"{_named(name)} must be between {control.minimum:g} and {control.maximum:g}; got {_quoted(value)}."
        )
    return float(value)


def _named(name: str) -> str:
    return f"{controls()[name].label} ({name})"


def _quoted(value: Any) -> str:
    text = "null" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _remedy(name: str) -> str:
    default = default_of(name)
    return f"Leave it out for the default, {default!r}."


def _suggestion(key: Any) -> str:
    near = difflib.get_close_matches(str(key), controls(), n=1, cutoff=0.5)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known keys: {', '.join(controls())}."
