"""The page."""

from __future__ import annotations

import gradio as gr
from PIL import Image

from modules import images, infotext_utils, scripts, shared
from modules.script_callbacks import ui_tabs_callback
from modules.ui_common import plaintext_to_html
from modules.ui_settings import Settings
from modules.ui_tab import GenerationTab

_NOTICE = (
    "<b>Stand-in WebUI.</b> A test instrument, and a way to try the extension without installing AUTOMATIC1111's "
    "WebUI. It follows the real one's contract with extensions; it is not the real one."
)


def create_ui() -> gr.Blocks:
    """Build the page; scripts are instantiated anew."""
    infotext_utils.reset()
    settings = Settings()
    interfaces = []
    for name in ("txt2img", "img2img"):
        runner = getattr(scripts, f"scripts_{name}")
        runner.__init__()
        scripts.scripts_current = runner
        runner.initialize_scripts(is_img2img=name == "img2img")
        with gr.Blocks(analytics_enabled=False) as interface:
            GenerationTab(name, runner).build(interface)
        interfaces.append((interface, name, name))
        scripts.scripts_current = None
    with gr.Blocks(analytics_enabled=False) as png_info:
        _png_info()
    with gr.Blocks(analytics_enabled=False) as settings_page:
        settings.build()
    interfaces += [(png_info, "PNG Info", "pnginfo"), *ui_tabs_callback(), (settings_page, "Settings", "settings")]
    return _page(interfaces)


def _page(interfaces: list[tuple]) -> gr.Blocks:
    with gr.Blocks(theme=shared.gradio_theme, analytics_enabled=False, title="Stand-in WebUI") as demo:
        gr.HTML(_NOTICE, elem_id="stand_in_notice")
        with gr.Tabs(elem_id="tabs"):
            for interface, label, ifid in interfaces:
                with gr.Tab(label, id=ifid, elem_id=f"tab_{ifid}"):
                    interface.render()
        infotext_utils.connect_paste_params_buttons()
    return demo


def _png_info() -> None:
    with gr.Row():
        image = gr.Image(elem_id="pnginfo_image", label="Source", source="upload", type="pil", image_mode="RGBA")
        with gr.Column():
            shown = gr.HTML()
            text = gr.Textbox(visible=False, elem_id="pnginfo_generation_info")

    def read(picture: Image.Image | None) -> tuple[str, str]:
        if picture is None:
            return "", ""
        parameters, items = images.read_info_from_image(picture)
        rows = {"parameters": parameters or "", **items}
        return "".join(plaintext_to_html(f"{key}\n{value}") for key, value in rows.items()), parameters or ""

    image.change(read, inputs=[image], outputs=[shown, text], show_progress=False)
