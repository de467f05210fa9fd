"""The page."""

from __future__ import annotations

from typing import Any

import gradio as gr
from PIL import Image

from modules import images, scripts, shared
from modules.infotext_utils import connect_paste, connect_send, paste_fields
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
    settings = Settings()
    tabs = {}
    interfaces = []
    for name in ("txt2img", "img2img"):
        runner = getattr(scripts, f"scripts_{name}")
        runner.__init__()
        scripts.scripts_current = runner
        runner.initialize_scripts(is_img2img=name == "img2img")
        with gr.Blocks(analytics_enabled=False) as interface:
            tabs[name] = GenerationTab(name, runner)
            tabs[name].build()
        interfaces.append((interface, name, name))
        scripts.scripts_current = None
    with gr.Blocks(analytics_enabled=False) as png_info:
        _png_info()
    with gr.Blocks(analytics_enabled=False) as settings_page:
        settings.build()
    interfaces += [(png_info, "PNG Info", "pnginfo"), *ui_tabs_callback(), (settings_page, "Settings", "settings")]
    return _page(interfaces, tabs)


def _page(interfaces: list[tuple], tabs: dict[str, GenerationTab]) -> gr.Blocks:
    with gr.Blocks(theme=shared.gradio_theme, analytics_enabled=False, title="Stand-in WebUI") as demo:
        gr.HTML(_NOTICE, elem_id="stand_in_notice")
        with gr.Tabs(elem_id="tabs") as tab_bar:
            for interface, label, ifid in interfaces:
                with gr.Tab(label, id=ifid, elem_id=f"tab_{ifid}"):
                    interface.render()
        for name, tab in tabs.items():
            connect_paste(tab.paste, paste_fields[name]["fields"], tab.fields["prompt"], name)
            _connect_send(tab, tab_bar)
    return demo


def _connect_send(tab: GenerationTab, tab_bar: Any) -> None:
    """The button under the gallery: picture, then the fields that both tabs have, then the other tab."""
    destination = paste_fields["img2img"]
    tab.send.click(
        first_picture, inputs=[tab.gallery, tab.generation_info], outputs=[destination["init_img"]],
        show_progress=False, _js="selectedPicture",
    )  # fmt: skip
    common = ["Prompt", "Negative prompt", "Steps", "Face restoration", "Seed", "Size-1", "Size-2"]
    connect_send(tab.send, tab.name, "img2img", common + tab.runner.paste_field_names)
    tab.send.click(lambda: gr.update(selected="img2img"), outputs=[tab_bar], show_progress=False)


def first_picture(gallery: list[dict] | None, _info: Any) -> Image.Image | None:
    """Return the picture that the page says is selected; it comes first in ``gallery``."""
    if not gallery:
        return None
    entry = gallery[0]
    entry = entry[0] if isinstance(entry, (list, tuple)) else entry
    return images.read(entry["name"])


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
