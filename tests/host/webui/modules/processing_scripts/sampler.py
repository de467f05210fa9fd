"""Sampler, schedule and steps."""

import gradio as gr
from modules import scripts, sd_samplers, sd_schedulers


class ScriptSampler(scripts.Script):
    section = "sampler"
    create_group = False
    setup_for_ui_only = True

    def title(self):
        return "Sampler"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        tab = self.tabname
        names = sd_samplers.visible_sampler_names()
        labels = [scheduler.label for scheduler in sd_schedulers.schedulers]
        with gr.Row(elem_id=f"sampler_selection_{tab}"):
            sampler = gr.Dropdown(label="Sampling method", elem_id=f"{tab}_sampling", choices=names, value=names[0])
            scheduler = gr.Dropdown(label="Schedule type", elem_id=f"{tab}_scheduler", choices=labels, value=labels[0])
            steps = gr.Slider(1, 150, 20, step=1, elem_id=f"{tab}_steps", label="Sampling steps")
        self.infotext_fields = [(steps, "Steps"), (sampler, "Sampler"), (scheduler, "Schedule type")]
        return [steps, sampler, scheduler]

    def setup(self, p, steps, sampler_name, scheduler):
        p.steps, p.sampler_name, p.scheduler = steps, sampler_name, scheduler
