"""The settings page: a section for each that the host or an extension declared."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules import script_callbacks, shared
from modules.options import OptionHTML
from modules.ui_common import create_refresh_button, plaintext_to_html
from modules.ui_components import FormRow


def create_setting_component(key: str) -> Any:
    """Make the component of one option. The default's type decides where none is given."""
    info = shared.opts.data_labels[key]
    args = dict((info.component_args() if callable(info.component_args) else info.component_args) or {})
    elem_id = f"setting_{key}"
    component = info.component or _component_for(type(info.default))
    value = info.default if isinstance(info, OptionHTML) else getattr(shared.opts, key)
    if isinstance(info, OptionHTML):
        return gr.HTML(info.label, elem_id=elem_id)
    if info.refresh is None:
        return component(label=info.label, value=value, elem_id=elem_id, **args)
    with FormRow():
        made = component(label=info.label, value=value, elem_id=elem_id, **args)
        create_refresh_button(made, info.refresh, info.component_args, f"refresh_{key}")
    return made


def _component_for(kind: type) -> type:
    if kind is str:
        return gr.Textbox
    if kind is int:
        return gr.Number
    if kind is bool:
        return gr.Checkbox
    raise TypeError(f"bad options item type: {kind}")


class Settings:
    """Builds the page and applies what was changed."""

    def __init__(self) -> None:
        script_callbacks.ui_settings_callback()
        self.components: dict[str, Any] = {}

    def build(self) -> None:
        with gr.Row():
            apply = gr.Button("Apply settings", variant="primary", elem_id="settings_submit")
            reload = gr.Button("Reload UI", elem_id="settings_restart_gradio")
        result = gr.HTML(elem_id="settings_result")
        with gr.Tabs(elem_id="settings"):
            for (section, title), keys in self._sections().items():
                with gr.Tab(title, elem_id=f"settings_{section}"):
                    for key in keys:
                        self._build_option(key)
        shared.settings_components = self.components
        apply.click(self._apply, inputs=list(self.components.values()), outputs=[result])
        reload.click(_reload, _js="restartReload", queue=False)

    def _build_option(self, key: str) -> None:
        info = shared.opts.data_labels[key]
        component = create_setting_component(key)
        if not info.do_not_save:
            self.components[key] = component
        if info.comment_before or info.comment_after:
            gr.HTML(info.comment_before + info.comment_after)

    @staticmethod
    def _sections() -> dict[tuple, list[str]]:
        found: dict[tuple, list[str]] = {}
        for key, info in shared.opts.data_labels.items():
            if info.section[0] is not None:
                found.setdefault(tuple(info.section), []).append(key)
        return found

    def _apply(self, *values: Any) -> str:
        changed = []
        for key, value in zip(self.components, values, strict=True):
            if shared.opts.set(key, value):
                changed.append(key)
        shared.opts.save(shared.config_filename)
        return plaintext_to_html(f"{len(changed)} settings changed{': ' if changed else ''}{', '.join(changed)}.")


def _reload() -> None:
    shared.state.server_command = "restart"
