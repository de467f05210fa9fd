"""`StyleParams`: the validated controls of one generation, with their text fields parsed."""

from __future__ import annotations

import dataclasses
import difflib
import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.block_weights import SiteName, Target, block_of, selected_weights
from lib_instantstyle.params.blocks import LAYOUT, Block, Preset
from lib_instantstyle.params.combination import MAX_PICTURES, complete_weights, parse_reference_weights
from lib_instantstyle.params.contents import Content, parse_contents
from lib_instantstyle.params.controls import Control, checked, letters, quoted
from lib_instantstyle.params.curve import Curve, parse_curve
from lib_instantstyle.params.declared import SAME
from lib_instantstyle.params.declared_reading import DeclaredReading
from lib_instantstyle.params.picture_hashes import PictureHashes, parse_picture_hashes
from lib_instantstyle.params.self_attention import Reading, Rule, reach_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class StyleParams(DeclaredReading):
    """The controls of one generation. Construction validates them and parses each text field once.

    Raises:
        ParameterError: If a value has the wrong type, is out of range or cannot be parsed.
    """

    def __post_init__(self) -> None:
        """Convert each value to the type of its field, and validate it."""
        for entry in dataclasses.fields(self):
            object.__setattr__(self, entry.name, checked(entry, getattr(self, entry.name)))
        for name in ("curve", "hires_curve"):
            object.__setattr__(self, name, _canonical(getattr(self, name), controls()[name].suggestions))
        for start, end in WINDOWS:
            _check_window(start, getattr(self, start), end, getattr(self, end))
        for name in _PARSED:
            getattr(self, name)
        self.reference_weights(MAX_PICTURES)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> StyleParams:
        """Build from a dict as the API receives it.

        Raises:
            ParameterError: For an unknown key or an invalid value.
        """
        for key in values:
            if key not in controls():
                raise ParameterError(f"Unknown InstantStyle key {quoted(key)}. {_suggestion(key)}")
        params = cls(**values)
        for choice, text in CUSTOM.items():
            chosen = getattr(params, choice)
            if chosen.name != Preset.CUSTOM.name and getattr(params, text) != default_of(text):
                label = controls()[choice].label
                raise ParameterError(
                    f"{_named(text)} acts with {label} 'Custom' only; {label} is {quoted(str(chosen.value))}. Send "
                    f"'{choice}': 'custom', or leave '{text}' out."
                )
        return params

    @classmethod
    def from_args(cls, args: Sequence[Any]) -> StyleParams:
        """Build from the host's script arguments: a dict, or one value per field in order.

        Arguments that are off are ignored: invalid values in a disabled accordion must not stop a picture.
        """
        if is_off(args):
            return cls()
        if isinstance(args[0], dict):
            return cls.from_dict(args[0])
        if len(args) > len(controls()):
            raise ParameterError(
                f"InstantStyle takes {len(controls())} positional arguments at most; got {len(args)}. Leave the last "
                "out, or send one dict."
            )
        return cls(**dict(zip(controls(), args, strict=False)))

    def replace(self, **changes: Any) -> StyleParams:
        """Return a copy with ``changes`` applied and validated."""
        return dataclasses.replace(self, **changes)

    @functools.cached_property
    def block_weights(self) -> Mapping[Target, float]:
        """The weight of each selected block or single site: its factor times style or layout weight.

        A single site keeps a weight of 0, which switches it off within its block.
        """
        weights = {
            target: factor * (self.layout_weight if block_of(target) is LAYOUT else self.style_weight)
            for target, factor in self._block_factors.items()
        }
        return {target: weight for target, weight in weights.items() if weight or isinstance(target, SiteName)}

    @property
    def selected(self) -> set[Block]:
        """The blocks that the preset or the custom weights select, even if style or layout weight is 0."""
        return {block_of(target) for target, factor in self._block_factors.items() if factor}

    @property
    def takes_layout(self) -> bool:
        """Whether the layout block has a weight."""
        return any(weight and block_of(target) is LAYOUT for target, weight in self.block_weights.items())

    @functools.cached_property
    def _block_factors(self) -> Mapping[Target, float]:
        return selected_weights(self.preset, self.blocks)

    @functools.cached_property
    def self_weights(self) -> Mapping[Target, float]:
        """How strongly each self-attention reads the references, by block or single one."""
        return {target: factor * self.self_weight for target, factor in self._self_factors.items()}

    @functools.cached_property
    def _self_factors(self) -> Mapping[Target, float]:
        return reach_weights(self.reach, self.self_blocks)

    @property
    def rule(self) -> Rule:
        """What a self-attention does with the references."""
        return Rule(shares=self.reading is Reading.SHARE, copies=int(self.copies), push=self.push)

    @functools.cached_property
    def contents(self) -> tuple[Content, ...]:
        """The contents that are named."""
        return parse_contents(self.content)

    @property
    def removed(self) -> tuple[Content, ...]:
        """The contents that are removed: those with a weight; none at strength 0."""
        return tuple(content for content in self.contents if content.weight) if self.content_strength else ()

    def reference_weights(self, count: int) -> list[float]:
        """Return the weights of ``count`` style references, or raise as `complete_weights` does."""
        return complete_weights(self._written_weights, count)

    @functools.cached_property
    def _written_weights(self) -> tuple[float, ...]:
        return parse_reference_weights(self.weights)

    @functools.cached_property
    def picture_hashes(self) -> PictureHashes:
        """The hashes of pictures and masks that earlier jobs used."""
        return parse_picture_hashes(self.reference)

    @property
    def has_hires_schedule(self) -> bool:
        """Whether the hires pass has its own start, end and curve."""
        return self.hires_curve not in ("", SAME)

    @functools.cached_property
    def parsed_curve(self) -> Curve:
        """The curve of the first pass."""
        return parse_curve(self.curve, "The curve")

    @functools.cached_property
    def parsed_hires_curve(self) -> Curve:
        """The curve of the hires pass; without a schedule of its own, that of the first pass."""
        return parse_curve(self.hires_curve, "The hires curve") if self.has_hires_schedule else self.parsed_curve


# Properties that parse a text field. The first invalid one is reported.
_PARSED = (
    "parsed_curve",
    "contents",
    "_written_weights",
    "picture_hashes",
    "parsed_hires_curve",
    "_block_factors",
    "_self_factors",
)
CUSTOM = {"preset": "blocks", "reach": "self_blocks"}  # the text that acts with the choice Custom
WINDOWS = (("start", "end"), ("hires_start", "hires_end"), ("calibration_start", "calibration_end"))


def is_off(args: Sequence[Any]) -> bool:
    """Whether script arguments leave ``enabled`` out or say False; what is neither True nor False is an error."""
    return not args or (args[0].get("enabled", False) if isinstance(args[0], dict) else args[0]) is False


def controls() -> dict[str, Control]:
    """Return the control of each field, in the order of the fields."""
    return {entry.name: entry.metadata["control"] for entry in dataclasses.fields(StyleParams)}


def default_of(name: str) -> Any:
    """Return the default of the field ``name``."""
    return getattr(StyleParams, name)


def _canonical(text: str, suggestions: Sequence[str]) -> str:
    """Return ``text`` in the spelling of the suggestions, if it is one of them."""
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
    if near := difflib.get_close_matches(str(key), controls(), n=1, cutoff=0.5):
        return f"Did you mean '{near[0]}'?"
    return f"Known keys: {', '.join(controls())}."
