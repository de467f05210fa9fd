"""The JSON schema of the API's dict, made from the controls."""

from __future__ import annotations

from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.params.controls import Control
from lib_instantstyle.params.style_params import controls, default_of


def json_schema() -> dict[str, Any]:
    """Return the schema of the dict that describes one job."""
    properties = {name: _property(name, control) for name, control in controls().items()}
    return {"title": NAME, "type": "object", "additionalProperties": False, "properties": properties}


def _property(name: str, control: Control) -> dict[str, Any]:
    default = default_of(name)
    entry: dict[str, Any] = {"title": control.label, "description": control.help}
    if control.pictures:
        return entry | _pictures(control)
    if control.choices:
        names = [member.value for member in control.choices]
        also = [name for member in control.choices for name in member.also]
        return entry | {"type": "string", "enum": [*names, *also], "default": default.value}
    if isinstance(default, bool):
        return entry | {"type": "boolean", "default": default}
    if isinstance(default, float):
        return entry | {"type": "number", "minimum": control.minimum, "maximum": control.maximum, "default": default}
    examples = {"examples": list(control.suggestions)} if control.suggestions else {}
    return entry | {"type": "string", "default": default} | examples


def _pictures(control: Control) -> dict[str, Any]:
    picture = {"type": ["string", "null"], "contentEncoding": "base64"}
    if control.pictures == 1:
        return picture | {"default": None}
    return {"type": ["array", "null"], "items": picture, "maxItems": control.pictures, "default": None}
