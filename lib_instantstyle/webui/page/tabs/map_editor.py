"""A drawing of the UNet whose bars can be dragged, in step with a choice and the text of its custom weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.block_weights import Target, format_block_weights
from lib_instantstyle.params.blocks import find_block
from lib_instantstyle.params.style_params import default_of
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.svg.block_map import block_map
from lib_instantstyle.webui.styles.requirements import check_site_weights

_CUSTOM = "Custom"


class Pair(NamedTuple):
    """A choice of blocks and its custom text, by the names of their fields."""

    choice: str
    text: str
    weights: Callable[[str, str], Mapping[Target, float]]  # of their values


class MapEditor(Section):
    """Lays out the drawing and the text; the choice is elsewhere.

    Args:
        fields: The accordion's components.
        host: Has the loaded UNet, whose sites single weights may name.
        pair: What is edited.
        name: Of the drawing among the elements' ids.
    """

    def __init__(self, fields: Fields, host: Host, pair: Pair, name: str) -> None:
        super().__init__(fields)
        self._host = host
        self._pair = pair
        self._name = name
        self._map = gr.HTML(self._drawn(str(default_of(pair.choice).value), ""), elem_id=fields.elem_id(name))
        fields.add(pair.text, lines=2)
        self._edit = fields.extra(gr.Textbox, f"{name}_edit", visible=False)

    def connect(self) -> None:
        """Keep drawing, choice and text in step."""
        choice, text = self._fields[self._pair.choice], self._fields[self._pair.text]
        redraw = {"fn": self._drawn, "inputs": [choice, text], "outputs": [self._map], "show_progress": False}
        for component in (choice, text):
            component.change(**redraw)
        typed = text.input(_typed, inputs=[text], outputs=[choice], show_progress=False)
        typed.then(**redraw)  # gradio drops a change that arrives while the last one is being drawn
        edited = {"inputs": [self._edit, choice, text], "outputs": [choice, text], "show_progress": False}
        self._edit.input(showing_errors(self._edited), **edited)

    def _drawn(self, choice: str, text: str) -> str:
        try:
            weights = self._pair.weights(choice, text)
            check_site_weights(weights, self._host.loaded_unet())
        except ParameterError as error:
            return f"<p class='instantstyle-warning'>{escape(str(error))}</p>"
        elem_id = self._fields.elem_id
        return block_map(weights, elem_id=elem_id(f"{self._name}_drawing"), target=elem_id(f"{self._name}_edit"))

    def _edited(self, edit: str, choice: str, text: str) -> list[str]:
        """Apply an edit of the drawing, ``name=weight#count``, to the text."""
        name, _, weight = edit.partition("#")[0].partition("=")
        weights = {**self._pair.weights(choice, text), find_block(name): round(float(weight), 2)}
        return [_CUSTOM, format_block_weights(weights)]


def _typed(text: str) -> Any:
    """Choose what the text acts with; emptying it leaves the choice."""
    return _CUSTOM if text.strip() else gr.update()
