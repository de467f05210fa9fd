"""The tab Style, which opens first: a picture, recipes to start from, and the content to remove."""

from __future__ import annotations

import contextlib
import functools
from enum import Enum
from html import escape
from typing import Any

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.params import recipes
from lib_instantstyle.params.blocks import LAYOUT, Preset
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.params.self_attention import Method
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.tabs.describing import DescribeButton
from lib_instantstyle.webui.page.tabs.earlier import EarlierPictures

# The page's script shows it, and the share, where much of a panorama would be lost.
_CROPPED = (
    f"<p data-crop='{Crop.CENTRE.value}' hidden><span>The encoder sees only the middle</span> <b></b> "
    "<span>of this picture: another crop (tab References) shows it all.</span></p>"
)
_BY_ADAPTER = ("preset", "style_weight", "layout_weight")
_BY_READING = ("reach", "self_weight")
_RECIPES = "<p>Start from a recipe, and change what it set as you like:</p>"


class StyleTab(Section):
    """The tab Style; ``tab``, "txt2img" or "img2img", is where its last result comes from."""

    def __init__(self, fields: Fields, models: ModelFiles, tab: str) -> None:
        super().__init__(fields)
        self._tab = tab
        with gr.Row():
            with gr.Column(scale=2, min_width=160):
                fields.add("image")
                self._last = fields.extra(gr.Button, "last_result", "Use last result", size="sm")
                self._found = fields.extra(gr.Textbox, "last_found", visible=False)
                # The page's script presses it after a drop that it could not take.
                self._refuse = fields.extra(gr.Button, "drop_refused", "", visible=False)
                self._dropped = fields.extra(gr.Textbox, "dropped", visible=False)
                gr.HTML(
                    _CROPPED,
                    elem_id=fields.elem_id("cropped"),
                    elem_classes=["instantstyle-advice", "instantstyle-cropped"],
                )
                self._earlier = EarlierPictures(fields)
                self._in_use = fields.extra(gr.HTML, "in_use", visible=False, elem_classes="instantstyle-advice")
            with gr.Column(scale=3, min_width=240):
                gr.HTML(_RECIPES, elem_classes="instantstyle-advice")
                with gr.Row(elem_classes="instantstyle-recipes"):
                    self._recipes = [
                        fields.extra(gr.Button, f"recipe_{number}", recipe.name, size="sm")
                        for number, recipe in enumerate(recipes.RECIPES, start=1)
                    ]
                self._advice = fields.extra(gr.HTML, "advice", visible=False, elem_classes="instantstyle-advice")
                fields.add("method")
                for name in ("reach", "self_weight"):
                    fields.add(name, visible=False)
                for name in ("preset", "style_weight"):
                    fields.add(name)
                fields.add("layout_weight", interactive=False)  # which the first preset leaves out
        with gr.Row() as self._words:
            fields.add("content", scale=5)
            self._describe = DescribeButton(fields, "caption", "content")
            fields.add("content_strength", scale=3)
        with gr.Row() as self._adapter:
            fields.add_files("adapter", models.adapter_names)

    def connect(self) -> None:
        """Fill in recipes, describe the reference, and show the hints that choices call for."""
        fields = self._fields
        filled = [fields[name] for name in recipes.fields()]
        for button, recipe in zip(self._recipes, recipes.RECIPES, strict=True):
            button.click(functools.partial(_fill, recipe), outputs=[self._advice, *filled], show_progress=False)
        self._describe.connect()
        use = js(f"async () => [await instantstyleLastResult('{self._tab}')]")
        self._last.click(_check_found, inputs=[self._found], **use, show_progress=False)
        refused = js("() => [instantstyleRefused()]")
        self._refuse.click(_refused, inputs=[self._dropped], **refused, show_progress=False)
        self._earlier.connect()
        style = fields["style"]
        style.change(_in_use, inputs=[style], outputs=[self._in_use], show_progress=False)
        method = fields["method"]
        by_adapter = [*(fields[name] for name in _BY_ADAPTER), self._words, self._adapter]
        shown = [*by_adapter, *(fields[name] for name in _BY_READING)]
        method.change(functools.partial(_shown, len(by_adapter)), inputs=[method], outputs=shown, show_progress=False)
        blocks = [fields["preset"], fields["blocks"]]
        for component in blocks:
            component.change(_layout_weight, inputs=blocks, outputs=[fields["layout_weight"]], show_progress=False)


def _shown(by_adapter: int, method: str) -> list[Any]:
    """Show what acts with ``method``: first the components of the adapter, then those of self-attentions."""
    chosen = Method(method)
    visible = [chosen.has_adapter] * by_adapter + [chosen.has_reading] * len(_BY_READING)
    return [gr.update(visible=shown) for shown in visible]


def _layout_weight(preset: str, blocks: str) -> Any:
    """Let the layout weight be set where it does something."""
    with contextlib.suppress(ParameterError):  # the tab Blocks and the status line say what is wrong with the text
        return gr.update(interactive=LAYOUT in StyleParams(preset=Preset(preset), blocks=blocks).selected)
    return gr.update()


def _check_found(found: str) -> None:
    if not found:
        raise gr.Error("There is no result yet. Generate a picture first, or drop one into Style reference.")


def _refused(name: str) -> None:
    raise gr.Error(f"No picture can be taken from {quoted(name)}. Save the picture as a file, and drop that.")


def _in_use(style: str) -> Any:
    name = escape(style or "")  # in a tag of its own, so that the host can translate the rest
    text = f"<p>Saved style<span> “{name}”</span> is in use (tab Library); drop a picture to replace it.</p>"
    return gr.update(value=text, visible=bool(style))


def _fill(recipe: recipes.Recipe) -> list[Any]:
    values = [value.value if isinstance(value, Enum) else value for value in recipes.filled(recipe).values()]
    return [gr.update(value=f"<b>{escape(recipe.name)}</b> {escape(recipe.advice)}", visible=True), *values]
