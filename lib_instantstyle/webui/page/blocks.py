"""The tab Blocks: the UNet as a drawing whose bars can be pulled, and the same as text."""

from __future__ import annotations

import contextlib
from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from lib_instantstyle.block_weights import Layer, Target, format_block_weights, selected_weights
from lib_instantstyle.blocks import Preset, find_block
from lib_instantstyle.errors import ParameterError, UnsupportedModelError
from lib_instantstyle.plan import check_layers
from lib_instantstyle.sites import enumerate_sites
from lib_instantstyle.webui.blockmap import block_map
from lib_instantstyle.webui.loaded import loaded_unet
from lib_instantstyle.webui.page.fields import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lib_instantstyle.webui.page.fields import Fields

_HELP = (
    "<p>Click a block to switch it, drag it to set its weight; arrow keys work too. The "
    "style and layout weight of the tab Style multiply what is set here.</p>"
)


class BlocksTab:
    """The tab Blocks; constructing lays it out."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        self._map = gr.HTML(self._drawn(Preset.STYLE.value, ""), elem_id=fields.elem_id("map"))
        fields.add("blocks", lines=2)
        self._edit = gr.Textbox(visible=False, elem_id=fields.elem_id("map_edit"))
        self._edit.do_not_save_to_config = True

    def connect(self) -> None:
        """Keep drawing, preset and text the same."""
        fields = self._fields
        preset, text = fields["preset"], fields["blocks"]
        redraw = {"fn": self._drawn, "inputs": [preset, text], "outputs": [self._map], "show_progress": False}
        for component in (preset, text):
            component.change(**redraw)
        typed = text.input(lambda: Preset.CUSTOM.value, outputs=[preset], show_progress=False)
        typed.then(**redraw)  # gradio drops a change that comes while the one before is being drawn
        self._edit.input(shown(_edited), inputs=[self._edit, preset, text], outputs=[preset, text], show_progress=False)

    def _drawn(self, preset: str, text: str) -> str:
        try:
            weights = selected_weights(Preset(preset), text)
            _check_layers(weights)
        except ParameterError as error:
            return f"<p class='instantstyle-warning'>{escape(str(error))}</p>"
        elem_id = self._fields.elem_id
        return block_map(weights, elem_id=elem_id("map_drawing"), target=elem_id("map_edit"))


def _check_layers(weights: Mapping[Target, float]) -> None:
    """Refuse layers that the loaded UNet does not have; before one is loaded nothing is known of them."""
    unet = loaded_unet() if any(isinstance(target, Layer) for target in weights) else None
    if unet is not None:
        with contextlib.suppress(UnsupportedModelError):  # generating says so
            check_layers(weights, enumerate_sites(unet))


def _edited(edit: str, preset: str, text: str) -> list[str]:
    """Apply ``name=weight#count``, which the drawing writes, to the text."""
    name, _, weight = edit.partition("#")[0].partition("=")
    weights = selected_weights(Preset(preset), text) | {find_block(name): round(float(weight), 2)}
    return [Preset.CUSTOM.value, format_block_weights(weights)]
