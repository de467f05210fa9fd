"""A second checkpoint for the end of the schedule."""

import gradio as gr
from modules import scripts, sd_models
from modules.ui_components import InputAccordion


class ScriptRefiner(scripts.Script):
    section = "accordions"
    create_group = False
    setup_for_ui_only = True

    def title(self):
        return "Refiner"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with InputAccordion(False, label="Refiner", elem_id=self.elem_id("enable")) as enable, gr.Row():
            checkpoint = gr.Dropdown(
                label="Checkpoint",
                elem_id=self.elem_id("checkpoint"),
                choices=["None", *sd_models.checkpoint_tiles()],
                value="",
            )
            switch_at = gr.Slider(0.01, 1.0, 0.8, step=0.01, label="Switch at", elem_id=self.elem_id("switch_at"))
        self.infotext_fields = [
            (enable, lambda d: "Refiner" in d),
            (checkpoint, "Refiner"),
            (switch_at, "Refiner switch at"),
        ]
        return [enable, checkpoint, switch_at]

    def setup(self, p, enable, checkpoint, switch_at):
        chosen = enable and checkpoint not in (None, "", "None")
        p.refiner_checkpoint, p.refiner_switch_at = (checkpoint, switch_at) if chosen else (None, None)
