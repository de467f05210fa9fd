"""A script that overrides every hook, and registers every callback, only to say that it was called."""

import sys

import gradio as gr
import lib_probe
import modules.scripts as scripts
from lib_probe import note
from modules import script_callbacks
from modules.ui_components import InputAccordion

note(
    "script file",
    name=__name__,
    importable=__name__ in sys.modules,
    basedir=scripts.basedir(),
    on_path=scripts.basedir() in sys.path,
)


class Probe(scripts.Script):
    create_group = False

    def title(self):
        return "Probe: Hooks"

    def show(self, is_img2img):
        self.on_after_component(
            lambda component: note("on_after_component", elem_id=component.component.elem_id),
            elem_id=f"{'img' if is_img2img else 'txt'}2img_prompt",
        )
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with InputAccordion(False, label="Probe", elem_id=self.elem_id("enabled")) as enabled:
            weight = gr.Slider(0, 1, 0.5, step=0.1, label="Weight", elem_id=self.elem_id("weight"))
            text = gr.Textbox("plain", label="Text", elem_id=self.elem_id("text"))
        self.infotext_fields = [
            (enabled, lambda d: "Probe weight" in d),
            (weight, "Probe weight"),
            (text, "Probe text"),
        ]
        self.paste_field_names = ["Probe weight", "Probe text"]
        note("ui", tab=self.tabname, elem_id=enabled.accordion_id)
        return [enabled, weight, text]

    def setup(self, p, *args):
        note("setup", args=args)

    def before_process(self, p, *args):
        note("before_process", args=args)
        if args[0]:
            p.extra_generation_params["Probe text"] = args[2]

    def process(self, p, *args):
        note("process", args=args, seeds=p.all_seeds)

    def before_process_batch(self, p, *args, **kwargs):
        note("before_process_batch", args=args, **kwargs)

    def after_extra_networks_activate(self, p, *args, **kwargs):
        note("after_extra_networks_activate", args=args, hires=p.is_hr_pass, **kwargs)

    def process_batch(self, p, *args, **kwargs):
        note("process_batch", args=args, **kwargs)

    def process_before_every_sampling(self, p, *args, **kwargs):
        note("process_before_every_sampling", args=args, hires=p.is_hr_pass, sampler=p.sampler, **kwargs)

    def before_hr(self, p, *args):
        note("before_hr", args=args)

    def on_mask_blend(self, p, mba, *args):
        note("on_mask_blend", args=args, final=mba.is_final_blend)

    def post_sample(self, p, ps, *args):
        note("post_sample", args=args)

    def postprocess_batch(self, p, *args, **kwargs):
        note("postprocess_batch", args=args, **kwargs)

    def postprocess_batch_list(self, p, pp, *args, **kwargs):
        note("postprocess_batch_list", args=args, **kwargs)

    def postprocess_image(self, p, pp, *args):
        note("postprocess_image", args=args)

    def postprocess_maskoverlay(self, p, ppmo, *args):
        note("postprocess_maskoverlay", args=args)

    def postprocess_image_after_composite(self, p, pp, *args):
        note("postprocess_image_after_composite", args=args)

    def postprocess(self, p, processed, *args):
        note("postprocess", args=args)


lib_probe.loaded += 1
script_callbacks.on_cfg_denoiser(lambda params: note("cfg_denoiser", params=params))
script_callbacks.on_cfg_denoised(lambda params: note("cfg_denoised", params=params))
script_callbacks.on_cfg_after_cfg(lambda params: note("cfg_after_cfg", params=params))
script_callbacks.on_model_loaded(lambda model: note("model_loaded", model=model))
script_callbacks.on_before_ui(lambda: note("before_ui"))
script_callbacks.on_app_started(lambda demo, app: note("app_started"))
script_callbacks.on_script_unloaded(lambda: note("script_unloaded first"))
script_callbacks.on_script_unloaded(lambda: note("script_unloaded second"))
script_callbacks.on_infotext_pasted(lambda text, params: note("infotext_pasted", params=params))
