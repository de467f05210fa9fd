"""Axes for the X/Y/Z plot, one for every scalar control."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.params.controls import Control
from lib_instantstyle.params.style_params import controls, default_of

Choices = Callable[[], list[str]]


def register(files: dict[str, Choices]) -> None:
    """Append our axes to the X/Y/Z script's list before the page is built; ``files`` lists files by control."""
    from modules import scripts

    for data in scripts.scripts_data:
        if data.script_class.__module__ == "xyz_grid.py":
            grid = data.module
            axes = [(name, control) for name, control in controls().items() if control.axis]
            grid.axis_options.extend(_axis(grid, name, control, files.get(name)) for name, control in axes)


def _axis(grid: Any, name: str, control: Control, files: Choices | None) -> Any:
    kind = float if isinstance(default_of(name), float) else str
    return grid.AxisOption(f"[{NAME}] {control.label}", kind, _apply(name), choices=files or _choices(control))


def _choices(control: Control) -> Choices | None:
    if control.suggestions:
        return lambda: list(control.suggestions)
    if control.choices is None:
        return None
    labels = [str(member.value) for member in control.choices]
    return lambda: labels


def _apply(name: str) -> Callable[[Any, Any, Any], None]:
    def apply(p: Any, value: Any, _values: Any) -> None:
        # A new dict: cells are shallow copies of one processing object.
        p._instantstyle_axes = {**getattr(p, "_instantstyle_axes", {}), name: value}

    return apply
