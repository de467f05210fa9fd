"""From the host's argument list to `StyleParams`, with a saved style as the base of an API dict."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.library.saved_style import PICTURES
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.params.self_attention import Reading, default_push
from lib_instantstyle.params.style_params import CUSTOM, WINDOWS, StyleParams, controls


def read_arguments(args: Sequence[Any], library: StyleLibrary) -> StyleParams:
    """Return the parameters of a job.

    In an API dict that names a saved ``style``, the style's settings replace missing keys. The page needs no such
    rule: there, choosing a style fills its settings into the controls.

    Raises:
        ParameterError: If a key or value cannot be used.
        StyleError: If there is no such style.
    """
    if not (args and isinstance(args[0], dict) and args[0].get("enabled")):
        return StyleParams.from_args(args)
    given = args[0]
    name = given["style"].strip() if isinstance(given.get("style"), str) else ""
    settings = dict(library.find(name).settings) if name else {}
    for choice, text in CUSTOM.items():
        if choice in given:
            settings.pop(text, None)  # it belongs to the style's own choice
    return StyleParams.from_dict({**settings, **_push(given), **given})


def lacks_enabled(args: Sequence[Any]) -> bool:
    """Whether a dict asks for a style, or has a misspelt key, but says nothing of ``enabled``: it is off."""
    if not args or not isinstance(args[0], dict) or "enabled" in args[0]:
        return False
    asks = {"image", "images", "style", "reference"} | (args[0].keys() - controls().keys())
    return any(args[0].get(key) for key in asks)


def with_style(params: StyleParams, name: str, library: StyleLibrary) -> StyleParams:
    """Return ``params`` with the saved style ``name``: its settings, and its embeddings in place of the pictures.

    What no style saves (adapter, passes, regions, the subject picture) stays.

    Raises:
        StyleError: If there is no such style.
    """
    return params.replace(style=name, **library.find(name).filled, **dict.fromkeys(PICTURES))


def with_axes(params: StyleParams, axes: Mapping[str, Any], library: StyleLibrary) -> StyleParams:
    """Return ``params`` with the values of one cell of the X/Y/Z plot, by control.

    Raises:
        InstantStyleError: If ``params`` are off, or a value cannot be used.
    """
    if not axes:
        return params
    require_on(params, axes)
    if style := axes.get("style"):
        params = with_style(params, style, library)
    return params.replace(**_meant(axes))


def axis_value(name: str, value: Any) -> StyleParams:
    """Return the defaults with one value of an axis of the X/Y/Z plot; what it contradicts another axis may mend.

    Raises:
        ParameterError: If no cell could use it.
    """
    widest = {name: place for window in WINDOWS for name, place in zip(window, (0.0, 1.0), strict=True)}
    return StyleParams(**{**widest, **_meant({name: value})})


def require_on(params: StyleParams, axes: Iterable[str]) -> None:
    """Raise `ParameterError` if the X/Y/Z plot varies controls of what is off."""
    if not params.enabled:
        raise ParameterError(
            f"The X/Y/Z plot varies InstantStyle ({', '.join(axes)}), which is off. Tick its accordion."
        )


def _meant(axes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with those at which they act, unless they name them: custom weights need the choice Custom."""
    customs = {choice: "Custom" for choice, text in CUSTOM.items() if text in axes}
    return {**customs, **_push(axes), **axes}


def _push(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the push that goes with a chosen reading, as `params.self_attention` has it."""
    with contextlib.suppress(ValueError):  # no reading; `StyleParams` says so
        if "reading" in values:
            return {"push": default_push(Reading(values["reading"]))}
    return {}
