"""From a request to the scripts' arguments, by the host's rules."""

from __future__ import annotations

from typing import Any

import gradio as gr
from fastapi.exceptions import HTTPException

from modules import infotext_utils, script_callbacks
from modules.flavour import flavour
from modules.scripts_base import Script
from modules.scripts_runner import ScriptRunner


def find_script(name: str, scripts: list[Script]) -> Script:
    """Return the script with this title.

    Raises:
        HTTPException: 422 if there is none.
    """
    try:
        return scripts[[script.title().lower() for script in scripts].index(name.lower())]
    except Exception as error:
        raise HTTPException(status_code=422, detail=f"Script '{name}' not found") from error


def default_arguments(runner: ScriptRunner) -> list[Any]:
    """Build every script's controls once more and take their values."""
    last = max([1, *(script.args_to for script in runner.scripts if script.args_to)])
    arguments: list[Any] = [None] * last
    arguments[0] = 0
    with gr.Blocks():
        for script in runner.scripts:
            controls = script.ui(script.is_img2img)
            if controls:
                values = [control.value for control in script.ui(script.is_img2img)]
                arguments[script.args_from : script.args_to] = values
    return arguments


def fill_arguments(
    request: Any, defaults: list[Any], selectable: Script | None, runner: ScriptRunner, from_infotext: dict[int, Any]
) -> list[Any]:
    """Return the arguments: defaults, then the infotext's, then those of the request."""
    arguments = list(defaults)
    for index, value in from_infotext.items():
        arguments[index] = value
    if selectable is not None:
        arguments[selectable.args_from : selectable.args_to] = request.script_args
        arguments[0] = runner.selectable_scripts.index(selectable) + 1
    for name, entry in request.alwayson_scripts.items():
        script = _alwayson_script(name, runner)
        if "args" in entry:
            room = script.args_to - script.args_from
            for index in range(min(room, len(entry["args"]))):
                arguments[script.args_from + index] = entry["args"][index]
    return arguments


def _alwayson_script(name: str, runner: ScriptRunner) -> Script:
    script = None if name == "" else find_script(name, runner.scripts)
    if not script.alwayson:
        raise HTTPException(status_code=422, detail="Cannot have a selectable script in the always on scripts params")
    return script


def arguments_from_infotext(request: Any, runner: ScriptRunner) -> dict[int, Any]:
    """Read the request's ``infotext``: fields of the request that it did not set, and scripts' arguments."""
    if not request.infotext:
        return {}
    if not flavour.reads_infotext:
        raise TypeError("isinstance() argument 2 cannot be a parameterized generic")
    params = infotext_utils.parse_generation_parameters(request.infotext)
    script_callbacks.infotext_pasted_callback(request.infotext, params)
    _fill_request(request, params)
    places = {id(control): index for index, control in enumerate(runner.inputs) if control is not None}
    found = {}
    for component, target in runner.infotext_fields:
        if id(component) not in places:
            continue
        value = target(params) if callable(target) else params.get(target)
        if value is None or (isinstance(value, dict) and "value" not in value):
            continue
        value = value["value"] if isinstance(value, dict) else value
        found[places[id(component)]] = value if callable(target) else _cast(component, value)
    return found


def _cast(component: Any, text: Any) -> Any:
    return text if component.value is None else type(component.value)(text)


_FIELDS = {
    "prompt": "Prompt", "negative_prompt": "Negative prompt", "seed": "Seed", "steps": "Steps",
    "sampler_name": "Sampler", "scheduler": "Schedule type", "cfg_scale": "CFG scale", "width": "Size-1",
    "height": "Size-2", "denoising_strength": "Denoising strength",
}  # fmt: skip
_KINDS = {"seed": int, "steps": int, "cfg_scale": float, "width": int, "height": int, "denoising_strength": float}


def _fill_request(request: Any, params: dict[str, Any]) -> None:
    for name, key in _FIELDS.items():
        if name in request.__fields_set__ or key not in params:
            continue
        setattr(request, name, _KINDS.get(name, str)(params[key]))
