"""Paints every picture once more through img2img, as ADetailer does with the faces it finds."""

from contextlib import closing

import gradio as gr
import modules.scripts as scripts
from modules import processing

MODES = ["off", "with its scripts", "without scripts"]
DENOISING = 0.5
FIELDS = (  # Forge Classic has no scheduler
    "prompt", "negative_prompt", "seed", "steps", "cfg_scale", "width", "height", "sampler_name", "scheduler",
)  # fmt: skip


class InnerPass(scripts.Script):
    create_group = False

    def title(self):
        return "Inner pass"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [gr.Dropdown(MODES, value=MODES[0], label="Inner pass", visible=False)]

    def postprocess_image(self, p, pp, mode, *args):
        if mode == MODES[0] or getattr(p, "_ad_inner", False):
            return
        inner = processing.StableDiffusionProcessingImg2Img(
            init_images=[pp.image],
            denoising_strength=DENOISING,
            do_not_save_samples=True,
            do_not_save_grid=True,
            **{name: getattr(p, name) for name in FIELDS if hasattr(p, name)},
        )
        inner.is_api = getattr(p, "is_api", False)  # else the arguments' own seed and sampler take over
        if mode == MODES[1]:
            inner.scripts, inner.script_args = p.scripts, p.script_args
        inner._ad_inner = True  # the mark by which ADetailer lets others step aside
        with closing(inner):
            pp.image = processing.process_images(inner).images[0]
