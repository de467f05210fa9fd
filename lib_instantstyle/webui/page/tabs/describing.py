"""*Describe*: the words for what the reference shows, put into a text field."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_instantstyle.params.controls import quoted
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.webui.encoding import captions
from lib_instantstyle.webui.page.fields import Fields, queued


class DescribeButton:
    """A button called ``name`` that describes the style reference into the field ``target``."""

    def __init__(self, fields: Fields, name: str, target: str) -> None:
        self._fields = fields
        self._target = target
        look = {"size": "sm", "elem_classes": "instantstyle-describe"}
        self._button = fields.extra(gr.Button, name, "Describe", **look)

    def connect(self) -> None:
        """Describe when it is pressed."""
        target = self._fields[self._target]
        self._button.click(queued(_describe), inputs=[self._fields["image"], target], outputs=[target])


def _describe(image: Any, text: str) -> str:
    if is_empty(image):
        raise gr.Error("There is no style reference to describe. Drop one first.")
    words = captions.caption(image, "style reference")
    if text.strip() not in ("", words):
        gr.Info(f"Describe has replaced {quoted(text)}.")
    return words
