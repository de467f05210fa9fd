"""From the host's argument list to `StyleParams`, with a saved style as the base of an API dict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_instantstyle.library.saved_style import PICTURES
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.params.style_params import StyleParams, controls


def read_arguments(args: Sequence[Any], library: StyleLibrary) -> StyleParams:
    """Return the parameters of a job.

    In an API dict that names a saved ``style``, the style's settings replace missing keys. The page needs no such
    rule: there, choosing a style fills its settings into the controls.

    Raises:
        ParameterError: If a key or value cannot be used.
        StyleError: If there is no such style.
    """
    if args and isinstance(args[0], dict) and args[0].get("enabled") and isinstance(args[0].get("style"), str):
        name = args[0]["style"].strip()
        settings = dict(library.find(name).settings) if name else {}
        if "preset" in args[0]:
            settings.pop("blocks", None)  # they belong to the style's own preset
        return StyleParams.from_dict({**settings, **args[0]})
    return StyleParams.from_args(args)


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
