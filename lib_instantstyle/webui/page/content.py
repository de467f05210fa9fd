"""The tab Content: what of the reference stays out, and how much of it is left."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_instantstyle.webui.drawings import MeterRow, meter
from lib_instantstyle.webui.measure import measure
from lib_instantstyle.webui.page.fields import params_from, queued

if TYPE_CHECKING:
    from lib_instantstyle.webui.page.fields import Fields
_HELP = (
    "<p>Shows, before anything is generated, how much the reference resembles each of the words under Content to "
    "remove (tab Style), before and after removal.</p>"
)
_MEASURED = (
    *("image", "reference", "style", "content", "content_strength", "removal"),
    *("weights", "combine", "crop", "adapter"),
)


class ContentTab:
    """The tab Content; constructing lays it out."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        with gr.Row():
            fields.add("anti_layout")
            fields.add("prompt_colours")
        fields.add("removal")
        self._measure = gr.Button("Measure the content", elem_id=fields.elem_id("measure"))
        self._meter = gr.HTML(_HELP, elem_id=fields.elem_id("meter"))

    def connect(self) -> None:
        """Let the button measure, and let go of a measurement that is no longer true."""
        fields = self._fields
        clear = {"fn": None, "outputs": [self._meter], "_js": f"() => {json.dumps(_HELP)}"}
        for changed in (*fields.pictures_changed, *(fields[name].change for name in _MEASURED)):
            changed(**clear)
        self._measure.click(**clear)  # an error must not stand beside the numbers before it
        self._measure.click(queued(_measured), inputs=fields.in_order(), outputs=[self._meter])


def _measured(*values: Any) -> str:
    found = measure(params_from(values))
    rows = [MeterRow(entry.content.words, entry.before, entry.after) for entry in found.resemblances]
    return meter(rows, found.warnings)
