"""Buttons outside the accordion that send a picture into it: below the galleries of results, and in PNG Info."""

from __future__ import annotations

from typing import Any, NamedTuple

import gradio as gr

from lib_instantstyle.webui.page.compat import js


class _Place(NamedTuple):
    """Where a button stands.

    Attributes:
        tab: The tab whose accordion takes the picture.
        source: Element id of what shows it.
        is_tool: Whether the buttons beside it are small.
    """

    tab: str
    source: str
    is_tool: bool = True


# By the element id of the host's component that each comes after. All hosts have these.
_PLACES = {
    "txt2img_send_to_img2img": _Place("txt2img", "txt2img_gallery"),
    "img2img_send_to_img2img": _Place("img2img", "img2img_gallery"),
    "pnginfo_generation_info": _Place("txt2img", "pnginfo_image", is_tool=False),
}


def add_after(component: Any, **_options: Any) -> None:
    """Add our button if ``component``, which the host has just laid out, is one that it comes after."""
    if place := _PLACES.get(getattr(component, "elem_id", None) or ""):
        button = _button(place)
        button.do_not_save_to_config = True
        # The page's script moves the picture, and says in the button's place whether there was one.
        send = js(f"async () => [await instantstyleSend('{place.tab}', '{place.source}')]")
        button.click(_check_sent, inputs=[button], **send, show_progress=False)


def _button(place: _Place) -> Any:
    from modules.ui_components import ToolButton

    elem_id = f"{place.source}_send_to_instantstyle"
    if place.is_tool:
        return ToolButton("🖌️", elem_id=elem_id, tooltip="Send to InstantStyle, as the style reference of this tab")
    return gr.Button("Send to InstantStyle", elem_id=elem_id, size="sm")


def _check_sent(sent: str) -> None:
    if not sent:
        raise gr.Error("There is no picture to send to InstantStyle yet. Generate one, or drop one into PNG Info.")
