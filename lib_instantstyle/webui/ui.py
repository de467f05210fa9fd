"""The accordion: one class for both tabs, its controls made from `StyleParams`."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_instantstyle import NAME
from lib_instantstyle.blocks import Preset
from lib_instantstyle.controls import Control
from lib_instantstyle.params import controls, default_of
from lib_instantstyle.webui import infotext, models

if TYPE_CHECKING:
    from collections.abc import Callable

_PICTURE_HEIGHT = 240  # pixels


class Accordion:
    """Builds the components in the order of the fields, which is the order of the positional API.

    Args:
        elem_id: Makes an element id of a field's name, distinct in each tab.
        has_hires: Whether the tab offers hires fix.
    """

    def __init__(self, elem_id: Callable[[str], str], *, has_hires: bool) -> None:
        self._elem_id = elem_id
        self._has_hires = has_hires
        self._components: dict[str, Any] = {}

    def build(self) -> list[Any]:
        """Lay the accordion out and return its components, the accordion itself first."""
        from modules.ui_components import InputAccordion

        with InputAccordion(False, label=NAME, elem_id=self._elem_id("enabled")) as accordion:
            self._components["enabled"] = accordion
            with gr.Row():
                with gr.Column(scale=2, min_width=160):
                    self._picture()
                with gr.Column(scale=3, min_width=240):
                    for name in ("preset", "style_weight", "layout_weight"):
                        self._add(name)
            self._add("blocks", visible=False)
            for row in (("content", "content_strength"), ("start", "end")):
                with gr.Row():
                    for name in row:
                        self._add(name)
            with gr.Row():
                self._adapter()
                self._add("passes", visible=self._has_hires)
        self._connect()
        return [self._components[name] for name in controls()]

    def infotext_fields(self) -> list[tuple[Any, Any]]:
        """Return what pasting fills. The accordion opens by a function, since its key is the version's."""
        named = [(component, infotext.key_of(name)) for name, component in self._components.items()]
        return [(self._components["enabled"], infotext.is_enabled), *named]

    def paste_names(self) -> list[str]:
        """Return the names by which "Send to img2img" carries values over, the picture included."""
        return [infotext.key_of(name) for name in self._components]

    def _picture(self) -> None:
        self._components["image"] = gr.Image(
            label=controls()["image"].label,
            source="upload",
            type="pil",
            image_mode="RGBA",
            height=_PICTURE_HEIGHT,
            elem_id=self._elem_id("image"),
        )
        self._add("reference", visible=False)

    def _adapter(self) -> None:
        from modules.ui_common import create_refresh_button

        control = controls()["adapter"]
        dropdown = gr.Dropdown(
            label=control.label,
            info=control.help,
            choices=models.adapter_names(),
            value=default_of("adapter"),
            elem_id=self._elem_id("adapter"),
        )
        dropdown.do_not_save_to_config = True  # a file that may be gone at the next start
        self._components["adapter"] = dropdown
        create_refresh_button(
            dropdown, lambda: None, lambda: {"choices": models.adapter_names()}, self._elem_id("adapter_refresh")
        )

    def _add(self, name: str, **options: Any) -> None:
        self._components[name] = _component(controls()[name], default_of(name), self._elem_id(name), options)

    def _connect(self) -> None:
        """Show what a choice makes relevant, and hide the rest."""
        preset, reference = self._components["preset"], self._components["reference"]
        preset.change(
            lambda value: gr.update(visible=value == Preset.CUSTOM.value),
            inputs=[preset],
            outputs=[self._components["blocks"]],
            show_progress=False,
        )
        reference.change(
            lambda value: gr.update(visible=bool(value)), inputs=[reference], outputs=[reference], show_progress=False
        )


def _component(control: Control, default: Any, elem_id: str, options: dict[str, Any]) -> Any:
    shared: dict[str, Any] = {"label": control.label, "info": control.help, "elem_id": elem_id, **options}
    if control.choices is not None:
        return _choice(control.choices, default, shared)
    if isinstance(default, float):
        return gr.Slider(minimum=control.minimum, maximum=control.maximum, step=control.step, value=default, **shared)
    return gr.Textbox(value=default, lines=1, **shared)


def _choice(choices: type[Enum], default: Enum, shared: dict[str, Any]) -> Any:
    labels = [str(member.value) for member in choices]
    return gr.Dropdown(choices=labels, value=str(default.value), **shared)
