"""Helpers of the page."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any

import gradio as gr

from modules.ui_components import ToolButton

refresh_symbol = "\U0001f504"


def create_refresh_button(
    refresh_component: Any, refresh_method: Callable[[], Any], refreshed_args: Any, elem_id: str
) -> ToolButton:
    """Make a button that reads a component's choices again."""
    components = refresh_component if isinstance(refresh_component, list) else [refresh_component]
    label = next((component.label for component in components if getattr(component, "label", None) is not None), None)

    def refresh() -> Any:
        refresh_method()
        args = refreshed_args() if callable(refreshed_args) else refreshed_args
        for component in components:
            for name, value in args.items():
                setattr(component, name, value)
        updates = [gr.update(**(args or {})) for _ in components]
        return updates if len(updates) > 1 else updates[0]

    button = ToolButton(value=refresh_symbol, elem_id=elem_id, tooltip=f"{label}: refresh" if label else "Refresh")
    button.click(fn=refresh, inputs=[], outputs=components)
    return button


def plaintext_to_html(text: str, classname: str | None = None) -> str:
    body = "<br>\n".join(html.escape(line) for line in text.split("\n"))
    return f"<p class='{classname}'>{body}</p>" if classname else f"<p>{body}</p>"
