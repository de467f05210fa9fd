"""`StyleParams`: the single list of controls.

Each control is declared once, with its default, range, label and help. The accordion, the API and its
schema, the infotext, the X/Y/Z axes and the table in the README are generated from these lines.
"""

from __future__ import annotations

import dataclasses
import difflib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from lib_instantstyle.block_weights import Layer, Target, parse_block_weights
from lib_instantstyle.blocks import LAYOUT, Block, Preset, preset_weights
from lib_instantstyle.combine import Combine, parse_weights
from lib_instantstyle.controls import Control, checked, control, letters, pictures, quoted
from lib_instantstyle.crops import Crop
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.recall import Recalled, parse_recalled
from lib_instantstyle.schedule import Schedule, Shape, parse_curve
from lib_instantstyle.subtraction import Removal, parse_contents

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

AUTOMATIC = "Automatic"
SAME = "Same"
MAX_PICTURES = 8  # references that act together


class Passes(str, Enum):
    """Which sampling passes are styled when hires fix is on. The value is the label that users see."""

    BOTH = "Both"
    FIRST = "First pass"
    HIRES = "Hires pass"


_WEIGHT: dict[str, Any] = {"minimum": -1.0, "maximum": 3.0, "step": 0.05}
_SHAPES = tuple(shape.value for shape in Shape)


@dataclass(frozen=True)
class StyleParams:
    """Everything a user can set for one generation. Constructing validates.

    Raises:
        ParameterError: If a value has the wrong type or lies outside its range.
    """

    enabled: bool = control(
        False, "Enabled", "Styles the picture when the accordion is ticked.", axis=False, recorded=False
    )
    image: Any = pictures("Style reference", "The picture whose style you want.")
    preset: Preset = control(
        Preset.STYLE,
        "Preset",
        "Which UNet blocks see the reference. 'Style' keeps its content out best.",
        choices=Preset,
    )
    style_weight: float = control(
        1.0, "Style weight", "Strength on every selected block but the layout block.", **_WEIGHT
    )
    layout_weight: float = control(
        1.0, "Layout weight", "Strength on the layout block, if the preset selects it.", **_WEIGHT
    )
    blocks: str = control(
        "style:1",
        "Custom block weights",
        "For the preset Custom: 'style:1, layout:0.4, up_blocks.1.attentions.0:0.3', eleven numbers (4 down, 1 mid, "
        "6 up), or single cross-attentions: 'style.9:0'.",
    )
    content: str = control(
        "",
        "Content to remove",
        "What the reference shows and your picture must not: 'a cat, balloons', or weighed: 'a cat:0.8, balloons:0.4'.",
    )
    content_strength: float = control(
        0.5,
        "Removal strength",
        "How much of it is removed. Too much shifts the colours.",
        maximum=2.0,
        step=0.05,
    )
    start: float = control(0.0, "Start", "Styling begins here on the noise schedule: 0 is pure noise.")
    end: float = control(1.0, "End", "Styling ends here on the noise schedule: 1 is the finished picture.")
    adapter: str = control(AUTOMATIC, "Adapter", "'Automatic' takes the first that can remove content.")
    passes: Passes = control(Passes.BOTH, "Hires passes", "Styled passes when hires fix is on.", choices=Passes)
    reference: str = control(
        "",
        "Reference SHA-256",
        "Filled by pasted parameters: pictures and masks used before are found by these hashes in the embedding "
        "cache, so that they need not be dropped again. A style reference that is dropped puts them all aside.",
        axis=False,
        recorded=False,
    )
    images: Any = pictures("More style references", "Further pictures of the same style, up to eight in all.", 7)
    weights: str = control(
        "",
        "Reference weights",
        "One number for each reference in order; missing ones are 1: '1, 0.5'. In a mean only their ratio counts.",
    )
    combine: Combine = control(
        Combine.MEAN,
        "Combine references",
        "Means blend into one style. 'Concatenate' lets every place of the picture choose among the references, "
        "'Add' adds them up, 'One per picture' goes through them from picture to picture.",
        choices=Combine,
    )
    crop: Crop = control(
        Crop.CENTRE,
        "Crop",
        "What the encoder sees of a reference that is not square: its middle, all of it squashed, all of it with "
        "borders, or square tiles whose embeddings are averaged.",
        choices=Crop,
    )
    layout_image: Any = pictures(
        "Layout picture", "Composition from this picture instead of the style reference; needs a preset with layout."
    )
    negative_image: Any = pictures(
        "Negative style picture",
        "A look to get away from: stands in the place of 'no picture' in the negative prompt's rows.",
    )
    subject_image: Any = pictures(
        "Subject picture", "A picture to keep: acts on all blocks. In img2img the input picture, if none is given."
    )
    subject_weight: float = control(
        0.0, "Subject weight", "Strength of the subject picture on all blocks; 0.2 keeps what it shows.", maximum=2.0
    )
    masks: Any = pictures("Region masks", "White where a reference acts, one a reference in order.", MAX_PICTURES)
    removal: Removal = control(
        Removal.SUBTRACT,
        "Removal method",
        "'Subtract' is InstantStyle's. 'Project out' takes only what points towards the words and keeps the length. "
        "'Mask' damps the fifth of the embedding that is most like the words.",
        choices=Removal,
    )
    anti_layout: float = control(
        0.0,
        "Anti-layout",
        "Pushes away from the reference's composition; 2 is a good start. Needs CFG above 1.",
        maximum=3.0,
        step=0.05,
    )
    prompt_colours: float = control(
        0.0,
        "Keep prompt colours",
        "Colours named in the prompt win over the reference's (cross-modal AdaIN).",
        step=0.05,
    )
    curve: str = control(
        Shape.CONSTANT.value,
        "Curve",
        "Strength between start and end: a shape, or points 'place:strength' such as '0:0.4, 0.3:1, 0.8:0'.",
        suggestions=_SHAPES,
    )
    hires_curve: str = control(
        SAME,
        "Hires curve",
        "The curve of the hires pass; 'Same' repeats start, end and curve of the first pass.",
        suggestions=(SAME, *_SHAPES),
    )
    hires_start: float = control(0.0, "Hires start", "Start of the hires pass, unless its curve is 'Same'.")
    hires_end: float = control(1.0, "Hires end", "End of the hires pass, unless its curve is 'Same'.")
    style: str = control("", "Saved style", "A style of your library, in the place of reference pictures.")

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
            target: factor * (self.layout_weight if _block(target) is LAYOUT else self.style_weight)
            for target, factor in self._factors.items()
        }
        return {target: weight for target, weight in weights.items() if weight or isinstance(target, Layer)}

    @property
    def selected(self) -> set[Block]:
        """The blocks that the preset or the custom weights select, whatever style and layout weight say."""
        return {_block(target) for target, factor in self._factors.items() if factor}

    @property
    def takes_layout(self) -> bool:
        """Whether the layout block takes part."""
        return any(weight and _block(target) is LAYOUT for target, weight in self.block_weights.items())

    @property
    def _factors(self) -> dict[Target, float]:
        if self.preset is Preset.CUSTOM:
            return parse_block_weights(self.blocks)
        return {block: weight for block, weight in preset_weights(self.preset).items()}  # noqa: C416  another key type

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


def _block(target: Target) -> Block:
    return target.block if isinstance(target, Layer) else target


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
