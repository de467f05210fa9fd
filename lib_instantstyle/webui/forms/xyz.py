"""Axes for the X/Y/Z plot, one for every scalar control."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.errors import InstantStyleError, ParameterError
from lib_instantstyle.params.controls import Control, quoted
from lib_instantstyle.params.style_params import controls, default_of
from lib_instantstyle.webui.jobs.plot_checks import PlotChecks

Choices = Callable[[], list[str]]
_NUMBER = r"\s*[+-]?\d+(?:\.\d*)?\s*"
_RANGE = re.compile(rf"{_NUMBER}-{_NUMBER}(?:\([+-]\d+(?:\.\d*)?\s*\)\s*|\[\d+\]\s*)?")  # the plot spreads them itself
_DIGITS = 8  # of what its ranges give, as in its legend
_FORMS = (
    "Send a text with commas, values that hold commas in double quotes, or a list. Without the plot's option for text "
    "inputs, an axis with choices takes a list in its dropdown's place, and no text."
)


def register(files: dict[str, Choices], checks: PlotChecks) -> None:
    """Append our axes to the X/Y/Z script's list before the page is built; ``files`` lists files by control."""
    from modules import scripts

    for data in scripts.scripts_data:
        if data.script_class.__module__ == "xyz_grid.py":
            grid = data.module
            axes = [_Axis(name, control) for name, control in controls().items() if control.axis]
            grid.axis_options.extend(axis.option(grid, files.get(axis.name), checks) for axis in axes)


class _Axis:
    """One control as the plot varies it."""

    def __init__(self, name: str, control: Control) -> None:
        self.name = name
        self._control = control
        self._label = f"[{NAME}] {control.label}"
        self._is_number = isinstance(default_of(name), float)

    def option(self, grid: Any, files: Choices | None, checks: PlotChecks) -> Any:
        """Return the axis for ``grid``, the module of the X/Y/Z script."""

        def prepare(values: Any) -> list[str]:
            texts = _split(values) if isinstance(values, str) else self._listed(values)
            return [self._number(text) for text in texts if text] if self._is_number else texts

        def confirm(p: Any, values: Sequence[Any]) -> None:
            if not values:
                raise ParameterError(f"The X/Y/Z axis {self._label} has no values. {_FORMS}")
            try:
                checks.check_axis(_arguments(p), self.name, list(map(_rounded, values)))
            except InstantStyleError as error:
                raise ParameterError(f"The X/Y/Z axis {self._label}: {error} {_FORMS}") from error
            # A plot has one processing object, which sees its axes one after the other.
            p._instantstyle_plot = {**getattr(p, "_instantstyle_plot", {}), self.name: list(map(_rounded, values))}
            if len(p._instantstyle_plot) == _count(p):
                has_input = bool(getattr(p, "init_images", None))
                checks.check_cells(_arguments(p), p._instantstyle_plot, has_input=has_input)

        kind, choices = float if self._is_number else str, files or _choices(self._control)
        return grid.AxisOption(self._label, kind, self._apply, confirm=confirm, choices=choices, prepare=prepare)

    def _apply(self, p: Any, value: Any, _values: Any) -> None:
        # A new dict: cells are shallow copies of one processing object.
        p._instantstyle_axes = {**getattr(p, "_instantstyle_axes", {}), self.name: _rounded(value)}

    def _listed(self, values: Any) -> list[str]:
        """Return what a program sent in place of a text: a list, a single number or nothing."""
        listed = values if isinstance(values, list) else [] if values is None else [values]
        for value in listed:
            if isinstance(value, bool) or not isinstance(value, (str, int, float)):
                raise ParameterError(f"The X/Y/Z axis {self._label}: {quoted(value)} is no value. {_FORMS}")
        return [str(value).strip() for value in listed]

    def _number(self, text: str) -> str:
        """Return a number or a range of numbers as the plot reads it: it takes 1e-05 for a range."""
        if _RANGE.fullmatch(text):
            return text
        try:
            return f"{float(text):.{_DIGITS}f}"
        except ValueError:
            raise ParameterError(
                f"The X/Y/Z axis {self._label}: {quoted(text)} is no number. Write '0.5', '0-1 (+0.25)' or '0-1 [5]'."
            ) from None


def _split(text: str) -> list[str]:
    """Split comma-separated values as the plot does where an axis leaves it to it."""
    return [value.strip() for row in csv.reader(StringIO(text), skipinitialspace=True) for value in row]


def _arguments(p: Any) -> Sequence[Any]:
    ours = next(script for script in p.scripts.alwayson_scripts if script.title() == NAME)
    arguments: Sequence[Any] = p.script_args[ours.args_from : ours.args_to]
    return arguments


def _count(p: Any) -> int:
    """Return how many controls of ours the plot of ``p`` varies."""
    script = p.scripts.selectable_scripts[p.script_args[0] - 1]
    axes = p.script_args[script.args_from : script.args_to][:9:3]  # each has a number, a text and a list
    chosen = {script.current_axis_options[number or 0].label for number in axes}
    return sum(label.startswith(f"[{NAME}] ") for label in chosen)


def _choices(control: Control) -> Choices | None:
    if control.suggestions:
        return lambda: list(control.suggestions)
    if control.choices is None:
        return None
    labels = [str(member.value) for member in control.choices]
    return lambda: labels


def _rounded(value: Any) -> Any:
    return round(value, _DIGITS) if isinstance(value, float) else value
