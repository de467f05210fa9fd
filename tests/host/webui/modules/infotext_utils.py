"""Generation parameters as text, and from text into the page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from modules import errors
from modules.paste_buttons import (
    ParamBinding,
    connect_paste_params_buttons,
    image_from_url_text,
    register_paste_params_button,
    registered_param_bindings,
    send_image_and_dimensions,
)
from modules.paths_internal import data_path

__all__ = [
    "ParamBinding",
    "connect_paste_params_buttons",
    "image_from_url_text",
    "register_paste_params_button",
    "registered_param_bindings",
    "send_image_and_dimensions",
]

_PARAMETER = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_SIZE = re.compile(r"^(\d+)x(\d+)$")
_FEWEST = 3
paste_fields: dict[str, dict[str, Any]] = {}


class PasteField(tuple):
    """A component and the infotext key, or function, that fills it."""

    def __new__(cls, component: Any, target: Any, *, api: str | None = None) -> PasteField:
        return super().__new__(cls, (component, target))

    def __init__(self, component: Any, target: Any, *, api: str | None = None) -> None:
        self.api = api
        self.component = component
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


def reset() -> None:
    """Forget the components of the page that is being replaced."""
    paste_fields.clear()
    registered_param_bindings.clear()


def quote(text: Any) -> Any:
    """Put a value that would not parse back into JSON quotes."""
    if not any(char in str(text) for char in ",:\n"):
        return text
    return json.dumps(str(text), ensure_ascii=False)


def unquote(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def parse_generation_parameters(x: str, skip_fields: list[str] | None = None) -> dict[str, Any]:
    """Return the parameters in ``x``: prompt, negative prompt, and those of the last line."""
    *lines, last = x.strip().split("\n")
    if len(_PARAMETER.findall(last)) < _FEWEST:
        lines.append(last)
        last = ""
    prompt, negative = _split_prompts(lines)
    result: dict[str, Any] = {"Prompt": prompt, "Negative prompt": negative}
    for key, value in _PARAMETER.findall(last):
        value = unquote(value)
        size = _SIZE.match(value)
        if size:
            result[f"{key}-1"], result[f"{key}-2"] = size.groups()
        else:
            result[key] = value
    defaults = {"Clip skip": "1", "Hires resize-1": 0, "Hires resize-2": 0, "Hires sampler": "Use same sampler"}
    result = {**defaults, **result}
    for field in skip_fields or []:
        result.pop(field, None)
    return result


def _split_prompts(lines: list[str]) -> tuple[str, str]:
    prompt, negative, target = [], [], None
    for line in (line.strip() for line in lines):
        if line.startswith("Negative prompt:"):
            target = negative
            line = line.removeprefix("Negative prompt:").strip()
        (prompt if target is None else target).append(line)
    return "\n".join(prompt), "\n".join(negative)


def add_paste_fields(tabname: str, init_img: Any, fields: list, override_settings_component: Any = None) -> None:
    """Remember which components of a tab parameters fill."""
    named = [field if isinstance(field, PasteField) else PasteField(*field) for field in fields]
    paste_fields[tabname] = {
        "init_img": init_img, "fields": named, "override_settings_component": override_settings_component,
    }  # fmt: skip


def connect_paste(button: Any, fields: list, input_comp: Any, _override_settings_component: Any, tabname: str) -> None:
    """Make ``button`` read the parameters in ``input_comp`` into ``fields``."""

    def paste(text: str) -> list[Any]:
        last = Path(data_path) / "params.txt"
        if not text and last.is_file():
            text = last.read_text(encoding="utf-8")
        return updates_from(text, fields)

    button.click(
        paste, inputs=[input_comp], outputs=[component for component, _ in fields], show_progress=False,
        api_name=f"paste_{tabname}",
    )  # fmt: skip


def updates_from(text: str, fields: list) -> list[Any]:
    """Return an update for each field. What the text does not mention stays as it is."""
    from modules import script_callbacks

    params = parse_generation_parameters(text)
    script_callbacks.infotext_pasted_callback(text, params)
    return [_update(component, target, params) for component, target in fields]


def _update(component: Any, target: str | Callable[[dict], Any], params: dict[str, Any]) -> Any:
    if callable(target):
        try:
            value = target(params)
        except Exception:  # noqa: BLE001  one field must not spoil the others
            errors.report(f"Error executing {target}", exc_info=True)
            value = None
    else:
        value = params.get(target)
    if value is None:
        return gr.update()
    if isinstance(value, dict) and value.get("__type__") == "update":
        return value
    try:
        return gr.update(value=cast_like(component.value, value))
    except (TypeError, ValueError):
        return gr.update()


def cast_like(current: Any, value: Any) -> Any:
    """Cast the text ``value`` to the type that the component has now."""
    kind = type(current)
    if kind is bool and value == "False":
        return False
    return float(value) if kind is int else kind(value)
