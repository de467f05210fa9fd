"""Callbacks of extensions: registered at load, called in order, their exceptions reported and swallowed."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from modules import errors, extensions
from modules.callback_params import (
    AfterCFGCallbackParams,
    CFGDenoisedParams,
    CFGDenoiserParams,
    ExtraNoiseParams,
    ImageGridLoopParams,
    ImageSaveParams,
)

__all__ = [
    "AfterCFGCallbackParams",
    "CFGDenoisedParams",
    "CFGDenoiserParams",
    "ExtraNoiseParams",
    "ImageGridLoopParams",
    "ImageSaveParams",
]


class ScriptCallback(NamedTuple):
    script: str
    callback: Callable[..., Any]
    name: str


_CATEGORIES = (
    "app_started", "before_reload", "model_loaded", "ui_tabs", "ui_train_tabs", "ui_settings", "before_image_saved",
    "image_saved", "extra_noise", "cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "before_component",
    "after_component", "image_grid", "infotext_pasted", "script_unloaded", "before_ui", "list_optimizers",
    "list_unets", "before_token_counter",
)  # fmt: skip
_LAST_FIRST = ("script_unloaded", "before_ui")
_callbacks: dict[str, list[ScriptCallback]] = {category: [] for category in _CATEGORIES}


def clear_callbacks() -> None:
    for registered in _callbacks.values():
        registered.clear()


def _calling_file() -> str:
    return next((f.filename for f in inspect.stack() if f.filename != __file__), "unknown file")


def _callback_name(category: str, filename: str, name: str | None) -> str:
    owner = next((e for e in extensions.extensions if Path(filename).is_relative_to(e.path)), None)
    parts = [owner.canonical_name if owner else "base", Path(filename).name, category]
    return "/".join([*parts, name] if name else parts)


def _register(category: str, callback: Callable[..., Any], name: str | None) -> None:
    filename = _calling_file()
    _callbacks[category].append(ScriptCallback(filename, callback, _callback_name(category, filename, name)))


def _ordered(category: str) -> list[ScriptCallback]:
    registered = list(_callbacks[category])
    return registered[::-1] if category in _LAST_FIRST else registered


def _call(category: str, *args: Any, **kwargs: Any) -> list[Any]:
    results = []
    for entry in _ordered(category):
        try:
            results.append(entry.callback(*args, **kwargs))
        except Exception:  # noqa: BLE001  the contract: reported and swallowed
            errors.report(f"Error executing callback {category} for {entry.script}", exc_info=True)
    return results


def _collected(category: str) -> list[Any]:
    """Let callbacks append to a list."""
    found: list[Any] = []
    _call(category, found)
    return found


def app_started_callback(demo: Any, app: Any) -> None:
    _call("app_started", demo, app)


def app_reload_callback() -> None:
    _call("before_reload")


def model_loaded_callback(sd_model: Any) -> None:
    _call("model_loaded", sd_model)


def ui_tabs_callback() -> list[tuple]:
    return [tab for tabs in _call("ui_tabs") for tab in tabs or []]


def ui_settings_callback() -> None:
    _call("ui_settings")


def before_image_saved_callback(params: ImageSaveParams) -> None:
    _call("before_image_saved", params)


def image_saved_callback(params: ImageSaveParams) -> None:
    _call("image_saved", params)


def extra_noise_callback(params: ExtraNoiseParams) -> None:
    _call("extra_noise", params)


def cfg_denoiser_callback(params: CFGDenoiserParams) -> None:
    _call("cfg_denoiser", params)


def cfg_denoised_callback(params: CFGDenoisedParams) -> None:
    _call("cfg_denoised", params)


def cfg_after_cfg_callback(params: AfterCFGCallbackParams) -> None:
    _call("cfg_after_cfg", params)


def image_grid_callback(params: ImageGridLoopParams) -> None:
    _call("image_grid", params)


def infotext_pasted_callback(infotext: str, params: dict) -> None:
    _call("infotext_pasted", infotext, params)


def script_unloaded_callback() -> None:
    _call("script_unloaded")


def before_ui_callback() -> None:
    _call("before_ui")


def before_component_callback(component: Any, **kwargs: Any) -> None:
    _call("before_component", component, **kwargs)


def after_component_callback(component: Any, **kwargs: Any) -> None:
    _call("after_component", component, **kwargs)


def list_optimizers_callback() -> list[Any]:
    return _collected("list_optimizers")


def list_unets_callback() -> list[Any]:
    return _collected("list_unets")


def remove_current_script_callbacks() -> None:
    """Remove what the calling file registered."""
    filename = _calling_file()
    for registered in _callbacks.values():
        registered[:] = [entry for entry in registered if entry.script != filename]


def remove_callbacks_for_function(callback_func: Callable[..., Any]) -> None:
    for registered in _callbacks.values():
        registered[:] = [entry for entry in registered if entry.callback != callback_func]


def _registrar(category: str) -> Callable[..., None]:
    def on_callback(callback: Callable[..., Any], *, name: str | None = None) -> None:
        _register(category, callback, name)

    on_callback.__name__ = f"on_{category}"
    on_callback.__doc__ = f"Register a {category} callback."
    return on_callback


on_app_started = _registrar("app_started")
on_before_reload = _registrar("before_reload")
on_model_loaded = _registrar("model_loaded")
on_ui_tabs = _registrar("ui_tabs")
on_ui_train_tabs = _registrar("ui_train_tabs")
on_ui_settings = _registrar("ui_settings")
on_before_image_saved = _registrar("before_image_saved")
on_image_saved = _registrar("image_saved")
on_extra_noise = _registrar("extra_noise")
on_cfg_denoiser = _registrar("cfg_denoiser")
on_cfg_denoised = _registrar("cfg_denoised")
on_cfg_after_cfg = _registrar("cfg_after_cfg")
on_before_component = _registrar("before_component")
on_after_component = _registrar("after_component")
on_image_grid = _registrar("image_grid")
on_infotext_pasted = _registrar("infotext_pasted")
on_script_unloaded = _registrar("script_unloaded")
on_before_ui = _registrar("before_ui")
on_list_optimizers = _registrar("list_optimizers")
on_list_unets = _registrar("list_unets")
on_before_token_counter = _registrar("before_token_counter")
