"""The scripts of one tab: their controls, their share of the arguments, their hooks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from modules import errors
from modules.scripts_base import AlwaysVisible, OnComponent, Script


def guarded(function: Callable[..., Any], what: str, *args: Any, default: Any = None, **kwargs: Any) -> Any:
    """Call ``function``; an exception is reported and ``default`` returned."""
    try:
        return function(*args, **kwargs)
    except Exception:  # noqa: BLE001  the contract: a script must not stop the host
        errors.report(f"Error running {what}", exc_info=True)
        return default


def _title(script: Script) -> str:
    return guarded(script.title, f"title: {script.filename}") or script.filename


class ScriptRunner:
    """Builds the scripts' controls and calls their hooks with the arguments that belong to them."""

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

        def select(index: int | None) -> list[Any]:
            return [gr.update(visible=bool(index) and i == index - 1) for i in range(len(self.selectable_scripts))]

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

    # --- hooks --------------------------------------------------------------------------------------------

    def run(self, p: Any, *args: Any) -> Any:
        """Run the selectable script that the first argument names by index."""
        if not args[0]:
            return None
        script = self.selectable_scripts[args[0] - 1]
        return script.run(p, *args[script.args_from : script.args_to])

    def ordered_scripts(self, method_name: str) -> list[Script]:
        scripts = self.scripts if method_name.endswith("_component") else self.alwayson_scripts
        return [s for s in scripts if getattr(type(s), method_name) is not getattr(Script, method_name)]

    def _call_hook(self, hook: str, p: Any, *extra: Any, **kwargs: Any) -> None:
        for script in self.ordered_scripts(hook):
            args = p.script_args[script.args_from : script.args_to]
            guarded(getattr(script, hook), f"{hook}: {script.filename}", p, *extra, *args, **kwargs)

    def setup_scrips(self, p: Any, *, is_ui: bool = True) -> None:
        for script in self.ordered_scripts("setup"):
            if is_ui or not script.setup_for_ui_only:
                args = p.script_args[script.args_from : script.args_to]
                guarded(script.setup, f"setup: {script.filename}", p, *args)

    def before_process(self, p: Any) -> None:
        self._call_hook("before_process", p)

    def process(self, p: Any) -> None:
        self._call_hook("process", p)

    def before_process_batch(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("before_process_batch", p, **kwargs)

    def after_extra_networks_activate(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("after_extra_networks_activate", p, **kwargs)

    def process_batch(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("process_batch", p, **kwargs)

    def process_before_every_sampling(self, p: Any, **kwargs: Any) -> None:
        self._call_hook("process_before_every_sampling", p, **kwargs)

    def before_hr(self, p: Any) -> None:
        self._call_hook("before_hr", p)

    def on_mask_blend(self, p: Any, mba: Any) -> None:
        self._call_hook("on_mask_blend", p, mba)

    def post_sample(self, p: Any, ps: Any) -> None:
        self._call_hook("post_sample", p, ps)

    def postprocess_batch(self, p: Any, images: Any, **kwargs: Any) -> None:
        self._call_hook("postprocess_batch", p, images=images, **kwargs)

    def postprocess_batch_list(self, p: Any, pp: Any, **kwargs: Any) -> None:
        self._call_hook("postprocess_batch_list", p, pp, **kwargs)

    def postprocess_image(self, p: Any, pp: Any) -> None:
        self._call_hook("postprocess_image", p, pp)

    def postprocess_maskoverlay(self, p: Any, ppmo: Any) -> None:
        self._call_hook("postprocess_maskoverlay", p, ppmo)

    def postprocess_image_after_composite(self, p: Any, pp: Any) -> None:
        self._call_hook("postprocess_image_after_composite", p, pp)

    def postprocess(self, p: Any, processed: Any) -> None:
        self._call_hook("postprocess", p, processed)

    def before_component(self, component: Any, **kwargs: Any) -> None:
        self._call_component("before_component", self.on_before_component_elem_id, component, kwargs)

    def after_component(self, component: Any, **kwargs: Any) -> None:
        self._call_component("after_component", self.on_after_component_elem_id, component, kwargs)

    def _call_component(self, hook: str, by_elem_id: dict[str, list], component: Any, kwargs: dict) -> None:
        for callback, script in by_elem_id.get(kwargs.get("elem_id"), []):
            guarded(callback, f"on_{hook}: {script.filename}", OnComponent(component))
        for script in self.ordered_scripts(hook):
            guarded(getattr(script, hook), f"{hook}: {script.filename}", component, **kwargs)
