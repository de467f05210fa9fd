"""The tab Style, which opens first: a picture, a recipe, and the content to remove."""

from __future__ import annotations

from enum import Enum
from html import escape
from typing import Any

import gradio as gr

from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.params import recipes
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.webui.encoding import captions
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields, queued
from lib_instantstyle.webui.page.section import Section

_OWN = "My own"


class StyleTab(Section):
    """The tab Style; ``tab``, "txt2img" or "img2img", is where its last result comes from."""

    def __init__(self, fields: Fields, models: ModelFiles, tab: str) -> None:
        super().__init__(fields)
        self._tab = tab
        from modules.ui_components import ToolButton

        with gr.Row():
            with gr.Column(scale=2, min_width=160):
                fields.add("image")
                self._last = fields.extra(gr.Button, "last_result", "Use last result", size="sm")
                self._found = fields.extra(gr.Textbox, "last_found", visible=False)
                # The page's script presses it after a drop that it could not take.
                self._refuse = fields.extra(gr.Button, "drop_refused", "", visible=False)
                self._dropped = fields.extra(gr.Textbox, "dropped", visible=False)
                fields.add("reference", visible=False)
                self._in_use = fields.extra(gr.HTML, "in_use", visible=False, elem_classes="instantstyle-advice")
            with gr.Column(scale=3, min_width=240):
                self._recipe = fields.extra(
                    gr.Dropdown,
                    "recipe",
                    choices=[_OWN, *(recipe.name for recipe in recipes.RECIPES)],
                    value=_OWN,
                    label="Recipe",
                    info="Fills in the controls for a purpose.",
                )
                self._advice = fields.extra(gr.HTML, "advice", visible=False, elem_classes="instantstyle-advice")
                for name in ("preset", "style_weight", "layout_weight"):
                    fields.add(name)
        with gr.Row():
            fields.add("content", scale=5)
            self._caption = fields.extra(
                ToolButton, "caption", "📎", tooltip="Describe the reference: from its own prompt, or interrogate"
            )
            fields.add("content_strength", scale=3)
        with gr.Row():
            fields.add_files("adapter", models.adapter_names)

    def connect(self) -> None:
        """Fill in recipes, describe the reference, and show the hints that choices call for."""
        fields = self._fields
        filled = [fields[name] for name in recipes.fields()]
        self._recipe.input(_fill, inputs=[self._recipe], outputs=[self._advice, *filled], show_progress=False)
        self._caption.click(queued(_describe), inputs=[fields["image"], fields["content"]], outputs=[fields["content"]])
        use = js(f"async () => [await instantstyleLastResult('{self._tab}')]")
        self._last.click(_check_found, inputs=[self._found], **use, show_progress=False)
        refused = js("() => [instantstyleRefused()]")
        self._refuse.click(_refused, inputs=[self._dropped], **refused, show_progress=False)
        reference = fields["reference"]
        reference.change(
            lambda value: gr.update(visible=bool(value)), inputs=[reference], outputs=[reference], show_progress=False
        )
        style = fields["style"]
        style.change(_in_use, inputs=[style], outputs=[self._in_use], show_progress=False)


def _check_found(found: str) -> None:
    if not found:
        raise gr.Error("There is no result yet. Generate a picture first, or drop one into Style reference.")


def _refused(name: str) -> None:
    raise gr.Error(f"No picture can be taken from {quoted(name)}. Save the picture as a file, and drop that.")


def _in_use(style: str) -> Any:
    name = escape(style or "")  # in a tag of its own, so that the host can translate the rest
    text = f"<p>Saved style<span> “{name}”</span> is in use (tab Library); drop a picture to replace it.</p>"
    return gr.update(value=text, visible=bool(style))


def _fill(name: str) -> list[Any]:
    recipe = next((recipe for recipe in recipes.RECIPES if recipe.name == name), None)
    if recipe is None:
        return [gr.update(visible=False), *[gr.update()] * len(recipes.fields())]
    values = [value.value if isinstance(value, Enum) else value for value in recipes.filled(recipe).values()]
    return [gr.update(value=escape(recipe.advice), visible=True), *values]


def _describe(image: Any, content: str) -> str:
    if is_empty(image):
        raise gr.Error("There is no style reference to describe. Drop one first.")
    words = captions.caption(image, "style reference")
    known = [part.strip() for part in content.split(",") if part.strip()]
    return ", ".join([*known, words]) if words and words not in known else content
