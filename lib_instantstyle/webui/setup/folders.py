"""Where the extension's files are: adapters and encoders, saved styles, cached embeddings."""

from __future__ import annotations

import os
from pathlib import Path

from lib_instantstyle.fetch.fetcher import PARTS
from lib_instantstyle.models.search import SearchFolders
from lib_instantstyle.webui.setup.settings import current_settings

# Where users of other extensions keep these files: in the models folder, and in ControlNet's own.
_SHARED = ("ControlNet", "ControlNetPreprocessor", "ipadapter", "clip_vision")
_QUOTES = {('"', '"'), ("'", "'"), ("“", "”"), ("‘", "’"), ("„", "“"), ("«", "»")}
_CONTROLNET = ("models", "annotator/downloads/clip_vision")


def search_folders() -> SearchFolders:
    """Return the folders that are searched for models, the user's own first."""
    from modules import paths

    models = Path(paths.models_path)
    controlnet = Path(paths.extensions_dir) / "sd-webui-controlnet"
    usual = [own_folder(), *(models / name for name in _SHARED), *(controlnet / name for name in _CONTROLNET)]
    lines = [_argument("models_dir"), *map(_unquoted, str(current_settings().model_folders).splitlines())]
    # os.path leaves a "~name" that nobody has as it is, where Path raises.
    chosen = [Path(os.path.expanduser(line)) for line in lines if line]  # noqa: PTH111
    hidden = [styles_folder(), download_folder() / PARTS]  # saved styles and unfinished downloads are no models
    return SearchFolders(chosen, usual, hidden, own_folder())


def download_folder() -> Path:
    """Return the folder for fetched models: the one that the command line names, or `own_folder`."""
    argument = _argument("models_dir")
    return Path(argument) if argument else own_folder()


def own_folder() -> Path:
    """Return the extension's folder in the models folder."""
    from modules import paths

    return Path(paths.models_path) / "InstantStyle"


def styles_folder() -> Path:
    """Return the folder of the style library."""
    return own_folder() / "styles"


def cache_folder() -> Path:
    """Return the folder of cached embeddings."""
    from modules import paths

    argument = _argument("cache_dir")
    return Path(argument) if argument else Path(paths.data_path) / "cache" / "instantstyle"


def _argument(name: str) -> str:
    """Return the command line's ``--instantstyle-…``, empty if it is not given."""
    from modules import shared

    return _unquoted(getattr(shared.cmd_opts, f"instantstyle_{name}", None) or "")


def _unquoted(path: str) -> str:
    """Return a path without the quotes in which file managers copy it."""
    path = path.strip()
    while len(path) > 1 and (path[0], path[-1]) in _QUOTES:
        path = path[1:-1].strip()
    return path
