"""The tab No adapter: how self-attentions read the reference."""

from __future__ import annotations

import gradio as gr

from lib_instantstyle.params.self_attention import Reach, Reading, default_push, reach_weights
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.tabs.describing import DescribeButton
from lib_instantstyle.webui.page.tabs.map_editor import MapEditor, Pair

_HELP = (
    "<p>With the method No adapter or Both (tab Style), the picture's self-attentions read the reference: nothing is "
    "downloaded, and the model is run on the reference as well. Start, end, curve and regions act as with an "
    "adapter.</p>"
)


class SelfAttentionTab(Section):
    """The tab No adapter; ``host`` has the loaded UNet, whose sites single weights may name."""

    def __init__(self, fields: Fields, host: Host) -> None:
        super().__init__(fields)
        gr.HTML(_HELP, elem_classes="instantstyle-advice")
        for names in (
            ("reading", "push"),
            ("copies", "calibration"),
            ("calibration_start", "calibration_end"),
            ("block_adain", "every"),
        ):
            with gr.Row():
                for name in names:
                    fields.add(name)
        fields.add("reference_area")
        with gr.Row():
            fields.add("reference_caption", scale=5)
            self._describe = DescribeButton(fields, "describe_reference", "reference_caption")
        pair = Pair("reach", "self_blocks", lambda reach, text: reach_weights(Reach(reach), text))
        self._editor = MapEditor(fields, host, pair, "self_map")

    def connect(self) -> None:
        """Keep drawing, choice and text in step, and give each reading the push that suits it."""
        fields = self._fields
        self._editor.connect()
        self._describe.connect()
        fields["reading"].input(
            lambda reading: default_push(Reading(reading)),
            inputs=[fields["reading"]],
            outputs=[fields["push"]],
            show_progress=False,
        )
