"""What the host does with generation parameters that are pasted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib_instantstyle.params.style_params import StyleParams, controls, default_of
from lib_instantstyle.webui.jobs import infotext


def pasted(parameters: Mapping[str, Any]) -> StyleParams:
    """Cast each text to the type of the control it fills, and leave out what cannot be cast."""
    values: dict[str, Any] = {"enabled": infotext.is_enabled(parameters)}
    for name, control in controls().items():
        found = parameters.get(infotext.key_of(name))
        if found is None or control.pictures:
            continue
        try:
            values[name] = float(found) if isinstance(default_of(name), float) else found
        except ValueError:
            continue
    return StyleParams(**values)
