"""The scripts of one tab: their controls, their share of the arguments, their hooks."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import gradio as gr

from modules.scripts_base import AlwaysVisible, Script
from modules.scripts_hooks import HookCaller, guarded


def _title(script: Script) -> str:
    return guarded(script.title, f"title: {script.filename}") or script.filename


class ScriptRunner(HookCaller):
    """Makes the scripts and builds their controls."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        self.selectable_scripts: list[Script] = []
        self.alwayson_scripts: list[Script] = []
        self.titles: list[str] = []
        self.title_map: dict[str, Script] = {}
        self.infotext_fields: list[Any] = []
        self.paste_field_names: list[str] = []
        self.inputs: list[Any] = [None]
        self.on_before_component_elem_id: dict[str, list] = defaultdict(list)
        self.on_after_component_elem_id: dict[str, list] = defaultdict(list)

    def initialize_scripts(self, is_img2img: bool) -> None:
        """Make one instance of every script class for this tab."""
        from modules import scripts

        self.scripts.clear()
        self.alwayson_scripts.clear()
        self.selectable_scripts.clear()
        for data in scripts.scripts_data:
            script = guarded(data.script_class, f"__init__: {data.path}")
            if script is not None:
                self._adopt(script, data.path, is_img2img)
        self._collect_component_callbacks()

    def _adopt(self, script: Script, path: str, is_img2img: bool) -> None:
        script.filename = path
        script.is_img2img, script.is_txt2img = is_img2img, not is_img2img
        script.tabname = "img2img" if is_img2img else "txt2img"
        visibility = script.show(is_img2img)
        if not visibility:
            return
        self.scripts.append(script)
        script.alwayson = visibility is AlwaysVisible
        (self.alwayson_scripts if script.alwayson else self.selectable_scripts).append(script)

    def _collect_component_callbacks(self) -> None:
        for script in self.scripts:
            for elem_id, callback in script.on_before_component_elem_id or []:
                self.on_before_component_elem_id[elem_id].append((callback, script))
            for elem_id, callback in script.on_after_component_elem_id or []:
                self.on_after_component_elem_id[elem_id].append((callback, script))
            script.on_before_component_elem_id = script.on_after_component_elem_id = None

    # --- controls -----------------------------------------------------------------------------------------

    def prepare_ui(self) -> None:
        self.inputs = [None]

    def setup_ui_for_section(self, section: str | None, scriptlist: list[Script] | None = None) -> None:
        for script in self.alwayson_scripts if scriptlist is None else scriptlist:
            if script.alwayson and script.section != section:
                continue
            if script.create_group:
                with gr.Group(visible=script.alwayson) as script.group:
                    self._create_script_ui(script)
            else:
                self._create_script_ui(script)

    def setup_ui(self) -> list[Any]:
        """Build the block "scripts": those without a section, then the dropdown of selectable ones."""
        self.title_map = {_title(script).lower(): script for script in self.scripts}
        self.titles = [_title(script) for script in self.selectable_scripts]
        self.setup_ui_for_section(None)
        dropdown = gr.Dropdown(
            label="Script", elem_id="script_list", choices=["None", *self.titles], value="None", type="index"
        )
        self.inputs[0] = dropdown
        self.setup_ui_for_section(None, self.selectable_scripts)

        def select(index: int | None) -> Any:
            shown = [gr.update(visible=bool(index) and i == index - 1) for i in range(len(self.selectable_scripts))]
            return shown if len(shown) > 1 else shown[0]  # gradio takes a list for the value of a single output

        dropdown.change(select, [dropdown], [script.group for script in self.selectable_scripts])
        self.infotext_fields.append((dropdown, lambda d: gr.update(value=d.get("Script", "None"))))
        self._collect_component_callbacks()
        return self.inputs

    def _create_script_ui(self, script: Script) -> None:
        script.args_from = script.args_to = len(self.inputs)
        guarded(self._create_script_controls, f"creating UI for {script.filename}", script)

    def _create_script_controls(self, script: Script) -> None:
        from modules.api.models import describe_script

        script.controls = guarded(script.ui, f"ui: {script.filename}", script.is_img2img)
        if script.controls is None:
            return
        script.name = _title(script).lower()
        for control in script.controls:
            control.custom_script_source = Path(script.filename).name
        script.api_info = describe_script(script)
        self.infotext_fields += script.infotext_fields or []
        self.paste_field_names += script.paste_field_names or []
        self.inputs += script.controls
        script.args_to = len(self.inputs)

    def script(self, title: str) -> Script | None:
        return self.title_map.get(title.lower())

    def set_named_arg(self, args: Any, script_name: str, arg_elem_id: str, value: Any, fuzzy: bool = False) -> Any:
        """Return ``args`` with the value of another script's control replaced."""
        script = next((s for s in self.scripts if s.name == script_name), None)
        if script is None:
            raise RuntimeError(f"script {script_name} not found")
        for index, control in enumerate(script.controls, script.args_from):
            if arg_elem_id in control.elem_id if fuzzy else arg_elem_id == control.elem_id:
                return type(args)([*args[:index], value, *args[index + 1 :]])
        raise RuntimeError(f"arg_elem_id {arg_elem_id} not found in script {script_name}")
