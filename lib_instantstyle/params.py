"""`StyleParams`: what a user set for one generation, checked, and what follows from it. Declared in `declared`."""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.block_weights import Layer, Target, block_of, parse_block_weights, selected_weights
from lib_instantstyle.blocks import LAYOUT, Block, Preset
from lib_instantstyle.combine import parse_weights
from lib_instantstyle.controls import Control, checked, letters, quoted
from lib_instantstyle.declared import MAX_PICTURES, SAME, Declared
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.recall import Recalled, parse_recalled
from lib_instantstyle.schedule import Schedule, parse_curve
from lib_instantstyle.subtraction import parse_contents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class StyleParams(Declared):
    """Everything a user can set for one generation. Constructing validates.

    Raises:
        ParameterError: If a value has the wrong type or lies outside its range.
    """

    def __post_init__(self) -> None:
        """Convert choices given as text and refuse what cannot be used."""
        for entry in dataclasses.fields(self):
            object.__setattr__(self, entry.name, checked(entry, getattr(self, entry.name)))
        for name in ("curve", "hires_curve"):
            object.__setattr__(self, name, _spelled(getattr(self, name), controls()[name].suggestions))
        for start, end in (("start", "end"), ("hires_start", "hires_end")):
            _check_window(start, getattr(self, start), end, getattr(self, end))
        parse_curve(self.curve)
        parse_contents(self.content)
        parse_weights(self.weights, MAX_PICTURES)
        parse_recalled(self.reference)
        if self.has_hires_schedule:
            parse_curve(self.hires_curve)
        if self.preset is Preset.CUSTOM:
            parse_block_weights(self.blocks)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StyleParams:
        """Build from an API dict.

        Raises:
            ParameterError: For an unknown key, with the nearest known one, or an unusable value.
        """
        for key in values:
            if key not in controls():
                raise ParameterError(f"Unknown InstantStyle key {quoted(key)}. {_suggestion(key)}")
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
    def block_weights(self) -> dict[Target, float]:
        """The weight of each block or single layer that takes part: its factor times style or layout weight.

        A single layer's zero stays, because it switches that layer off within its block.
        """
        weights = {
            target: factor * (self.layout_weight if block_of(target) is LAYOUT else self.style_weight)
            for target, factor in self._factors.items()
        }
        return {target: weight for target, weight in weights.items() if weight or isinstance(target, Layer)}

    @property
    def selected(self) -> set[Block]:
        """The blocks that the preset or the custom weights select, whatever style and layout weight say."""
        return {block_of(target) for target, factor in self._factors.items() if factor}

    @property
    def takes_layout(self) -> bool:
        """Whether the layout block takes part."""
        return any(weight and block_of(target) is LAYOUT for target, weight in self.block_weights.items())

    @property
    def _factors(self) -> dict[Target, float]:
        return selected_weights(self.preset, self.blocks)

    @property
    def recalled(self) -> Recalled:
        """The hashes of pictures and masks used before."""
        return parse_recalled(self.reference)

    @property
    def has_hires_schedule(self) -> bool:
        """Whether the hires pass has a schedule of its own."""
        return self.hires_curve not in ("", SAME)

    def schedule(self, *, hires: bool) -> Schedule:
        """Return the schedule of the first or of the hires pass."""
        if hires and self.has_hires_schedule:
            return Schedule(self.hires_start, self.hires_end, parse_curve(self.hires_curve))
        return Schedule(self.start, self.end, parse_curve(self.curve))


def controls() -> dict[str, Control]:
    """Return every field's name and control, in the order of the fields."""
    return {entry.name: entry.metadata["control"] for entry in dataclasses.fields(StyleParams)}


def default_of(name: str) -> Any:
    """Return the default of the field ``name``."""
    return getattr(StyleParams, name)


def _spelled(text: str, suggestions: Sequence[str]) -> str:
    """Return the suggestion that ``text`` spells in its own way, or else ``text``."""
    return next((known for known in suggestions if letters(known) == letters(text)), text)


def _check_window(start_name: str, start: float, end_name: str, end: float) -> None:
    if start >= end:
        raise ParameterError(
            f"{_named(end_name)} must be greater than {_named(start_name)}; got start {start:g} and end {end:g}. "
            "For styling from the first to the last step use 0 and 1."
        )


def _named(name: str) -> str:
    return f"{controls()[name].label} ({name})"


def _suggestion(key: Any) -> str:
    near = difflib.get_close_matches(str(key), controls(), n=1, cutoff=0.5)
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known keys: {', '.join(controls())}."
