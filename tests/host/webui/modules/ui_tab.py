"""One generation tab: txt2img or img2img."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules import generate, scripts, shared, ui_extra_networks
from modules.infotext_utils import ParamBinding, PasteField, add_paste_fields, register_paste_params_button
from modules.ui_components import FormRow, InputAccordion, ToolButton
from modules.upscaling import image_upscalers, latent_upscale_modes


class GenerationTab:
    """Builds the page of one tab and connects it.

    Args:
        name: ``txt2img`` or ``img2img``.
        runner: The scripts of this tab.
    """

    def __init__(self, name: str, runner: scripts.ScriptRunner) -> None:
        self.name = name
        self.runner = runner
        self.fields: dict[str, Any] = {}
        self.infotext: list[Any] = []

    def build(self, interface: gr.Blocks) -> None:
        """Build prompts and buttons, and below them the tab Generation beside those of extra networks."""
        self._toprow()
        with gr.Tabs(elem_id=f"{self.name}_extra_tabs", elem_classes=["extra-networks"]):
            with gr.Tab("Generation", id=f"{self.name}_generation") as generation:
                self._generation()
            ui_extra_networks.create_ui(interface, [generation], self.name)

    def _generation(self) -> None:
        self.runner.prepare_ui()
        with gr.Row():
            with gr.Column(variant="compact", elem_id=f"{self.name}_settings", scale=5):
                if self.name == "img2img":
                    self._input_pictures()
                self._settings()
                with gr.Group(elem_id=f"{self.name}_script_container"):
                    script_inputs = self.runner.setup_ui()
            self._results()
        self._connect(script_inputs)

    def _add(self, name: str, component: Any, *keys: Any) -> Any:
        self.fields[name] = component
        self.infotext += [(component, key) for key in keys]
        return component

    def _toprow(self) -> None:
        tab = self.name
        with gr.Row(elem_id=f"{tab}_toprow"):
            with gr.Column(scale=6):
                for name, label, key in (
                    ("prompt", "Prompt", "Prompt"),
                    ("negative_prompt", "Negative prompt", "Negative prompt"),
                ):
                    elem_id = f"{tab}_{'neg_prompt' if name == 'negative_prompt' else name}"
                    box = gr.Textbox(label=label, elem_id=elem_id, show_label=False, lines=3, placeholder=label)
                    self._add(name, box, key)
            with gr.Column(scale=1, elem_id=f"{tab}_actions_column"):
                self.submit = gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary")
                with gr.Row():
                    self.interrupt = gr.Button("Interrupt", elem_id=f"{tab}_interrupt")
                    self.skip = gr.Button("Skip", elem_id=f"{tab}_skip")
                self.paste = ToolButton(
                    "↙️", elem_id="paste" if tab == "txt2img" else f"{tab}_paste",
                    tooltip="Read generation parameters from the prompt, or from the last picture",
                )  # fmt: skip

    def _input_pictures(self) -> None:
        with gr.Tabs(elem_id="mode_img2img"):
            with gr.Tab("img2img", id="img2img"):
                image = gr.Image(
                    label="Image for img2img", source="upload", type="pil", elem_id="img2img_image", height=320,
                    image_mode="RGBA", tool="editor", show_label=False,
                )  # fmt: skip
                self._add("image", image)
            with gr.Tab("Inpaint", id="inpaint"):
                sketch = gr.Image(
                    label="Image for inpainting with mask", source="upload", type="pil", elem_id="img2maskimg",
                    height=320, image_mode="RGBA", tool="sketch", show_label=False,
                )  # fmt: skip
                self._add("inpaint", sketch)
                self._inpaint_settings()
        resize = gr.Radio(
            ["Just resize", "Crop and resize", "Resize and fill"], label="Resize mode", elem_id="resize_mode",
            type="index", value="Just resize",
        )  # fmt: skip
        self._add("resize_mode", resize)

    def _inpaint_settings(self) -> None:
        fills = ["fill", "original", "latent noise", "latent nothing"]
        with FormRow():
            self._add(
                "mask_blur", gr.Slider(0, 64, 4, step=1, label="Mask blur", elem_id="img2img_mask_blur"), "Mask blur"
            )
            fill = gr.Radio(
                fills, label="Masked content", value="original", type="index", elem_id="img2img_inpainting_fill"
            )
            self._add("inpainting_fill", fill, "Masked content")
        with FormRow():
            area = gr.Radio(
                ["Whole picture", "Only masked"], label="Inpaint area", type="index", value="Whole picture",
                elem_id="img2img_inpaint_full_res",
            )  # fmt: skip
            self._add("inpaint_full_res", area, "Inpaint area")
            padding = gr.Slider(
                0, 256, 32, step=4, label="Only masked padding, pixels", elem_id="img2img_inpaint_full_res_padding"
            )
            self._add("inpaint_full_res_padding", padding, "Masked area padding")

    def _settings(self) -> None:
        tab = self.name
        with gr.Group(elem_id=f"{tab}_sampler"):
            self.runner.setup_ui_for_section("sampler")
        with gr.Row():
            for name, key in (("width", "Size-1"), ("height", "Size-2")):
                slider = gr.Slider(64, 2048, 512, step=8, label=name.title(), elem_id=f"{tab}_{name}")
                self._add(name, slider, key)
            self._add("n_iter", gr.Slider(1, 100, 1, step=1, label="Batch count", elem_id=f"{tab}_batch_count"))
            size = gr.Slider(1, 8, 1, step=1, label="Batch size", elem_id=f"{tab}_batch_size")
            self._add("batch_size", size, "Batch size")
        with gr.Row():
            cfg = gr.Slider(1.0, 30.0, 7.0, step=0.5, label="CFG Scale", elem_id=f"{tab}_cfg_scale")
            self._add("cfg_scale", cfg, "CFG scale")
            if tab == "img2img":
                strength = gr.Slider(
                    0.0, 1.0, 0.75, step=0.01, label="Denoising strength", elem_id="img2img_denoising_strength"
                )
                self._add("denoising_strength", strength, "Denoising strength")
            self.runner.setup_ui_for_section("seed")
        with gr.Row(elem_id=f"{tab}_accordions", elem_classes="accordions"):
            if tab == "txt2img":
                self._hires()
            self.runner.setup_ui_for_section("accordions")
        sections = {script.section for script in self.runner.alwayson_scripts} - {None, "sampler", "seed", "accordions"}
        for section in sorted(sections):
            with gr.Group(elem_id=f"{tab}_{section}"):
                self.runner.setup_ui_for_section(section)

    def _hires(self) -> None:
        with InputAccordion(False, label="Hires. fix", elem_id="txt2img_hr") as enable:
            self._add("enable_hr", enable, lambda d: "Denoising strength" in d and "Hires upscaler" in d)
            with gr.Row():
                upscalers = [*latent_upscale_modes, *image_upscalers]
                choice = gr.Dropdown(upscalers, value="Latent", label="Upscaler", elem_id="txt2img_hr_upscaler")
                self._add("hr_upscaler", choice, "Hires upscaler")
                steps = gr.Slider(0, 150, 0, step=1, label="Hires steps", elem_id="txt2img_hires_steps")
                self._add("hr_second_pass_steps", steps, "Hires steps")
                strength = gr.Slider(
                    0.0, 1.0, 0.7, step=0.01, label="Denoising strength", elem_id="txt2img_denoising_strength"
                )
                self._add("denoising_strength", strength, "Denoising strength")
            with gr.Row():
                scale = gr.Slider(1.0, 4.0, 2.0, step=0.05, label="Upscale by", elem_id="txt2img_hr_scale")
                self._add("hr_scale", scale, "Hires upscale")

    def _results(self) -> None:
        tab = self.name
        with gr.Column(variant="panel", elem_id=f"{tab}_results", scale=4):
            self.gallery = gr.Gallery(
                label="Output", show_label=False, elem_id=f"{tab}_gallery", columns=4, preview=True, height=480
            )
            with gr.Row(elem_id=f"image_buttons_{tab}"):
                self.send = ToolButton("🖼️", elem_id=f"{tab}_send_to_img2img", tooltip="Send to img2img")
            self.generation_info = gr.Textbox(visible=False, elem_id=f"generation_info_{tab}")
            self.html_info = gr.HTML(elem_id=f"html_info_{tab}", elem_classes="infotext")
            self.html_log = gr.HTML(elem_id=f"html_log_{tab}", elem_classes="html-log")

    def _connect(self, script_inputs: list[Any]) -> None:
        self.submit.click(
            generate.generator(self.name, list(self.fields)),
            inputs=[*self.fields.values(), *script_inputs],
            outputs=[self.gallery, self.generation_info, self.html_info, self.html_log],
            api_name=self.name,
        )
        self.interrupt.click(lambda: shared.state.interrupt(), queue=False)
        self.skip.click(lambda: shared.state.skip(), queue=False)
        named = [PasteField(*field) for field in [*self.infotext, *self.runner.infotext_fields]]
        add_paste_fields(self.name, self.fields.get("image"), named)
        register_paste_params_button(ParamBinding(self.paste, self.name, source_text_component=self.fields["prompt"]))
        binding = ParamBinding(
            self.send, "img2img", source_image_component=self.gallery, paste_field_names=self.runner.paste_field_names,
            source_tabname="txt2img" if self.name == "txt2img" else None,
        )  # fmt: skip
        register_paste_params_button(binding)
