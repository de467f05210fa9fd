"""The tab Blocks: the UNet as a drawing whose bars can be dragged, and the same weights as text."""

from __future__ import annotations

from html import escape

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.block_weights import format_block_weights, selected_weights
from lib_instantstyle.params.blocks import Preset, find_block
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.jobs.requirements import check_site_weights
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.svg.block_map import block_map

_HELP = (
    "<p>Click a block to switch it, drag it to set its weight; arrow keys work too. The "
    "style and layout weight of the tab Style multiply what is set here.</p>"
)


class BlocksTab(Section):
    """The tab Blocks; ``host`` has the loaded UNet, whose sites single weights may name."""

    def __init__(self, fields: Fields, host: Host) -> None:
        super().__init__(fields)
        self._host = host
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        self._map = gr.HTML(self._drawn(Preset.STYLE.value, ""), elem_id=fields.elem_id("map"))
        fields.add("blocks", lines=2)
        self._edit = fields.extra(gr.Textbox, "map_edit", visible=False)

    def connect(self) -> None:
        """Keep drawing, preset and text in step."""
        fields = self._fields
        preset, text = fields["preset"], fields["blocks"]
        redraw = {"fn": self._drawn, "inputs": [preset, text], "outputs": [self._map], "show_progress": False}
        for component in (preset, text):
            component.change(**redraw)
        typed = text.input(lambda: Preset.CUSTOM.value, outputs=[preset], show_progress=False)
        typed.then(**redraw)  # gradio drops a change that arrives while the last one is being drawn
        edited = {"inputs": [self._edit, preset, text], "outputs": [preset, text], "show_progress": False}
        self._edit.input(showing_errors(_edited), **edited)

    def _drawn(self, preset: str, text: str) -> str:
        try:
            weights = selected_weights(Preset(preset), text)
            check_site_weights(weights, self._host.loaded_unet())
        except ParameterError as error:
            return f"<p class='instantstyle-warning'>{escape(str(error))}</p>"
        elem_id = self._fields.elem_id
        return block_map(weights, elem_id=elem_id("map_drawing"), target=elem_id("map_edit"))


def _edited(edit: str, preset: str, text: str) -> list[str]:
    """Apply an edit of the drawing, ``name=weight#count``, to the text."""
    name, _, weight = edit.partition("#")[0].partition("=")
    weights = selected_weights(Preset(preset), text) | {find_block(name): round(float(weight), 2)}
    return [Preset.CUSTOM.value, format_block_weights(weights)]
