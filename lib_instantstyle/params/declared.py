"""The single list of controls, each with its default, range, label and help; `declared_reading` continues it.

The accordion, the API and its schema, the infotext, the X/Y/Z axes and the tables in the documentation are
generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.params.combination import MAX_PICTURES, Combine
from lib_instantstyle.params.contents import Removal
from lib_instantstyle.params.controls import MAX_WEIGHT, Choice, control, pictures
from lib_instantstyle.params.curve import Shape

AUTOMATIC = "Automatic"
SAME = "Same"


class Crop(Choice):
    """How a reference that is not square becomes square."""

    CENTRE = "Middle only", "Centre"
    SQUASH = "Whole squashed", "Squash"
    PAD = "Whole with borders", "Pad"
    TILES = "Average of tiles", "Tiles"


class Passes(Choice):
    """Which sampling passes are styled when hires fix is on."""

    BOTH = "Both"
    FIRST = "First pass"
    HIRES = "Hires pass"


_WEIGHT: dict[str, Any] = {"minimum": -1.0, "maximum": MAX_WEIGHT, "step": 0.05}
_SHAPES = tuple(shape.value for shape in Shape)


@dataclass(frozen=True)
class Declared:
    """The first fields of `StyleParams`, in the order of the API's positional arguments."""

    enabled: bool = control(
        False, "Enabled", "Styles the picture when the accordion is ticked.", axis=False, recorded=False
    )
    image: Any = pictures("Style reference", "The picture whose style you want.")
    preset: Preset = control(
        Preset.STYLE,
        "Preset",
        "What is taken from the reference: which blocks of the UNet see it. 'Style' keeps its content out best.",
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
        0.5, "Removal strength", "How much of it is removed. Too much shifts the colours.", maximum=2.0, step=0.05
    )
    start: float = control(0.0, "Start", "Styling begins here on the noise schedule: 0 is pure noise.")
    end: float = control(1.0, "End", "Styling ends here on the noise schedule: 1 is the finished picture.")
    adapter: str = control(AUTOMATIC, "Adapter", "'Automatic' takes the first that can remove content.")
    passes: Passes = control(Passes.BOTH, "Hires passes", "Styled passes when hires fix is on.", choices=Passes)
    reference: str = control(
        "",
        "Pictures from earlier",
        "Filled by pasted parameters: pictures and masks used before are found by the first 12 digits or more of their "
        "SHA-256 in the embedding cache, so that they need not be dropped again. A style reference that is dropped "
        "puts them all aside.",
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
        "'Blend' takes the mean of the embeddings, 'Blend as equals' that of their directions, so that none dominates. "
        "'Each place picks one' concatenates the tokens for the attention to choose from, 'Add up' adds one attention "
        "each, 'One per picture' goes through them from picture to picture.",
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
        "'Push away' subtracts the words, as InstantStyle does. 'Take out' projects out only what points towards them "
        "and keeps the length. 'Dampen' masks the fifth of the embedding that is most like them.",
        choices=Removal,
    )
    anti_layout: float = control(
        0.0,
        "Avoid its composition",
        "Anti-layout: pushes away from the reference's composition; 2 is a good start. Needs CFG above 1.",
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
