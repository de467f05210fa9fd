"""Loading and running scripts: the part of the host that extensions know best."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from modules import errors, extensions, script_callbacks, script_loading
from modules.paths_internal import script_path
from modules.scripts_base import (
    AlwaysVisible,
    MaskBlendArgs,
    OnComponent,
    PostprocessBatchListArgs,
    PostprocessImageArgs,
    PostProcessMaskOverlayArgs,
    PostSampleArgs,
    Script,
)
from modules.scripts_runner import ScriptRunner

__all__ = [
    "AlwaysVisible",
    "MaskBlendArgs",
    "OnComponent",
    "PostProcessMaskOverlayArgs",
    "PostSampleArgs",
    "PostprocessBatchListArgs",
    "PostprocessImageArgs",
    "Script",
    "ScriptRunner",
]


class ScriptClassData(NamedTuple):
    script_class: type[Script]
    path: str
    basedir: str
    module: ModuleType


class ScriptFile(NamedTuple):
    basedir: str
    filename: str
    path: str


scripts_data: list[ScriptClassData] = []
scripts_txt2img: ScriptRunner | None = None
scripts_img2img: ScriptRunner | None = None
scripts_current: ScriptRunner | None = None
current_basedir = script_path


def basedir() -> str:
    """Return the root of the extension whose script is being loaded."""
    return current_basedir


def list_scripts(scriptdirname: str, extension: str, *, include_extensions: bool = True) -> list[ScriptFile]:
    own = sorted(Path(script_path, scriptdirname).glob(f"*{extension}"))
    files = [ScriptFile(script_path, path.name, str(path)) for path in own]
    for owner in extensions.active() if include_extensions else []:
        found = owner.list_files(scriptdirname, extension)
        files += [ScriptFile(owner.path, path.name, str(path)) for path in found]
    return files


def list_files_with_name(filename: str) -> list[str]:
    folders = [script_path, *(extension.path for extension in extensions.active())]
    return [str(path) for folder in folders if (path := Path(folder) / filename).is_file()]


def load_scripts() -> None:
    """Forget all callbacks and scripts, and execute every script file anew."""
    global scripts_txt2img, scripts_img2img
    scripts_data.clear()
    script_callbacks.clear_callbacks()
    builtin = list_scripts("modules/processing_scripts", ".py", include_extensions=False)
    for scriptfile in list_scripts("scripts", ".py") + builtin:
        _load_script(scriptfile)
    scripts_txt2img, scripts_img2img = ScriptRunner(), ScriptRunner()


def _load_script(scriptfile: ScriptFile) -> None:
    """Execute one file with its extension's root on ``sys.path``, and only then."""
    global current_basedir  # noqa: PLW0603  the host's interface
    search_path = sys.path
    try:
        if scriptfile.basedir != script_path:
            sys.path = [scriptfile.basedir, *search_path]
        current_basedir = scriptfile.basedir
        _register(script_loading.load_module(scriptfile.path), scriptfile)
    except Exception:  # noqa: BLE001  the contract: reported, and the rest continues
        errors.report(f"Error loading script: {scriptfile.filename}", exc_info=True)
    finally:
        sys.path = search_path
        current_basedir = script_path


def _register(module: ModuleType, scriptfile: ScriptFile) -> None:
    for value in list(vars(module).values()):
        if inspect.isclass(value) and issubclass(value, Script):
            scripts_data.append(ScriptClassData(value, scriptfile.path, scriptfile.basedir, module))


reload_scripts = load_scripts
