"""What the host adds to gradio: tooltips, and hooks around the making of every component."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules import gradio4, script_callbacks, scripts


def _wrap(original: Any) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        self.webui_tooltip = kwargs.pop("tooltip", None)
        script_callbacks.before_component_callback(self, **kwargs)
        if scripts.scripts_current is not None:
            scripts.scripts_current.before_component(self, **kwargs)
        original(self, *args, **kwargs)
        script_callbacks.after_component_callback(self, **kwargs)
        if scripts.scripts_current is not None:
            scripts.scripts_current.after_component(self, **kwargs)

    return __init__


def install() -> None:
    """Replace the constructors; once a process."""
    component = gr.components.Component if gradio4.IS_4 else gr.components.IOComponent
    if getattr(component, "_stand_in", False):
        return
    for base in (component, gr.blocks.BlockContext):
        base.__init__ = _wrap(base.__init__)
    component._stand_in = True
