"""The seed."""

import gradio as gr
from modules import scripts
from modules.ui_components import ToolButton


class ScriptSeed(scripts.Script):
    section = "seed"
    create_group = False
    setup_for_ui_only = True

    def title(self):
        return "Seed"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with gr.Row(elem_id=f"{self.tabname}_seed_row"):
            seed = gr.Number(label="Seed", value=-1, elem_id=f"{self.tabname}_seed", precision=0)
            random = ToolButton("🎲️", elem_id=f"{self.tabname}_random_seed", tooltip="Set seed to -1")
        random.click(fn=lambda: -1, inputs=[], outputs=[seed], show_progress=False)
        self.infotext_fields = [(seed, "Seed")]
        return [seed]

    def setup(self, p, seed):
        p.seed = seed
