"""The tab Blocks: the UNet as a drawing whose bars can be dragged, and the same weights as text."""

from __future__ import annotations

import gradio as gr

from lib_instantstyle.params.block_weights import selected_weights
from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.tabs.map_editor import MapEditor, Pair

_HELP = (
    "<p>Click a block to switch it, drag it to set its weight; arrow keys work too. The "
    "style and layout weight of the tab Style multiply what is set here.</p>"
)


class BlocksTab(Section):
    """The tab Blocks; ``host`` has the loaded UNet, whose sites single weights may name."""

    def __init__(self, fields: Fields, host: Host) -> None:
        super().__init__(fields)
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        pair = Pair("preset", "blocks", lambda preset, text: selected_weights(Preset(preset), text))
        self._editor = MapEditor(fields, host, pair, "map")

    def connect(self) -> None:
        """Keep drawing, preset and text in step."""
        self._editor.connect()
