"""The rest of the list of controls, those of styling without an adapter; `declared` begins it."""

from __future__ import annotations

from dataclasses import dataclass

from lib_instantstyle.params.controls import control
from lib_instantstyle.params.declared import Declared
from lib_instantstyle.params.self_attention import Method, Reach, Reading


@dataclass(frozen=True)
class DeclaredReading(Declared):
    """All fields of `StyleParams`, in the order of the API's positional arguments."""

    method: Method = control(
        Method.ADAPTER,
        "Method",
        "'Adapter' is InstantStyle. 'No adapter' needs no download: the picture's self-attentions read the reference. "
        "'Both' does both.",
        choices=Method,
    )
    reach: Reach = control(
        Reach.EVERYTHING,
        "Self-attentions",
        "Which of them read the reference. 'Texture, colours from the prompt' leaves the colours to the prompt, at the "
        "cost of weaker texture, background and outline.",
        choices=Reach,
    )
    self_blocks: str = control(
        "style:1",
        "Custom self-attentions",
        "For the self-attentions Custom: 'style:1, up_blocks.1.attentions.0:0.5', eleven numbers (4 down, 1 mid, 6 "
        "up), or single ones: 'style.9:0'.",
    )
    self_weight: float = control(
        1.0, "Self-attention weight", "1 reads the reference alone, less mixes it with the picture's own.", step=0.05
    )
    reading: Reading = control(
        Reading.SWAP,
        "Reading",
        "'Swap' puts the reference's keys and values in the place of the picture's own, 'Share' beside them "
        "(StyleAligned).",
        choices=Reading,
    )
    copies: float = control(
        1.0, "Copies", "With Share: how often the reference stands beside the own.", minimum=1.0, maximum=4.0, step=1.0
    )
    push: float = control(
        0.0,
        "Push",
        "1 shows the reference to the prompt's rows only, so that CFG above 1 amplifies the style. Share wants 1, Swap "
        "0.",
        step=0.05,
    )
    calibration: float = control(
        0.0, "Colour calibration", "Brings the colours of the whole picture to those of the reference.", step=0.05
    )
    calibration_start: float = control(
        0.5, "Calibration start", "Colour calibration begins here on the noise schedule."
    )
    calibration_end: float = control(0.9, "Calibration end", "Colour calibration ends here on the noise schedule.")
    block_adain: float = control(
        0.0,
        "Composition by blocks",
        "Block AdaIN: takes over the composition of the layout picture, or of the reference, without an adapter.",
        step=0.05,
    )
    every: float = control(
        1.0,
        "Read anew every",
        "The reference is run through the model at every n-th timestep: 2 costs half as much.",
        minimum=1.0,
        maximum=4.0,
        step=1.0,
    )
    reference_area: float = control(
        1.0,
        "Reference size",
        "Area at which the reference is read, as a share of the picture's; less is faster, and coarser.",
        minimum=0.25,
        step=0.05,
    )
    reference_caption: str = control(
        "", "Reference caption", "What the reference shows, in words. Swap needs none; Share takes its colours better."
    )
