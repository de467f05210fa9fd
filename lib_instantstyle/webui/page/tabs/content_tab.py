"""The tab Content: how content is kept out, and how much of it the reference still holds."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from lib_instantstyle.webui.encoding.job_pictures import style_alone, with_adapter
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields, params_from, queued
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.svg.meter import MeterRow, meter
from lib_instantstyle.webui.page.topics import Topic
from lib_instantstyle.webui.styles.measure import measure
from lib_instantstyle.webui.styles.style_builder import StyleBuilder

_HELP = (
    "<p>Shows, before anything is generated, how much the reference resembles each of the words under Content to "
    "remove (tab Style), before and after removal.</p>"
)
_MEASURED = (
    *("image", "reference", "style", "content", "content_strength", "removal"),
    *("weights", "combine", "crop", "adapter"),
)


class ContentTab(Section):
    """The tab Content; ``builder`` prepares the style that is measured."""

    def __init__(self, fields: Fields, builder: StyleBuilder) -> None:
        super().__init__(fields)
        self._builder = builder
        with gr.Row():
            fields.add("anti_layout")
            fields.add("prompt_colours")
        fields.add("removal")
        self._measure = fields.extra(gr.Button, "measure", "Measure the content")
        self._meter = gr.HTML(_HELP, elem_id=fields.elem_id("meter"))

    def connect(self) -> None:
        """Measure on demand, and clear the measurement once anything changes that it depends on."""
        fields = self._fields
        clear = {"fn": None, "outputs": [self._meter], **js(f"() => {json.dumps(_HELP)}")}
        fields.topics.listen(Topic.REFERENCES, **clear)
        for name in _MEASURED:
            fields[name].change(**clear)
        self._measure.click(**clear)  # an error must not stand beside old numbers
        self._measure.click(queued(self._measured), inputs=fields.in_order(), outputs=[self._meter])

    def _measured(self, *values: Any) -> str:
        found = measure(self._builder.for_one_job().from_accordion(with_adapter(style_alone(params_from(values)))))
        rows = [MeterRow(entry.content.words, entry.before, entry.after) for entry in found.resemblances]
        return meter(rows, found.warnings)
