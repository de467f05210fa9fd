"""Where the extension's files lie: adapters and encoders, saved styles, cached embeddings."""

from __future__ import annotations

from pathlib import Path

from lib_instantstyle.fetch.fetcher import PARTS
from lib_instantstyle.models.model_files import SearchFolders
from lib_instantstyle.webui.setup.settings import current_settings

_OURS = "InstantStyle"
# Where users of other extensions already keep these files: in the models folder, and in ControlNet's own.
_SHARED = ("ControlNet", "ipadapter", "clip_vision")
_CONTROLNET = ("models", "annotator/downloads/clip_vision")
_STYLES = "styles"  # within ours; no models in it


def search_folders() -> SearchFolders:
    """Return the folders that are searched for models now, those that the user chose first."""
    from modules import paths

    models = Path(paths.models_path)
    controlnet = Path(paths.extensions_dir) / "sd-webui-controlnet"
    usual = [own_folder(), *(models / name for name in _SHARED), *(controlnet / name for name in _CONTROLNET)]
    # No models among saved styles, and none that is whole among downloads.
    hidden = [styles_folder(), download_folder() / PARTS]
    return SearchFolders([*_chosen(), *usual], hidden, own_folder())


def download_folder() -> Path:
    """Return where fetched models go: the folder that the command line names, or ours."""
    from modules import shared

    argument = getattr(shared.cmd_opts, "instantstyle_models_dir", None)
    return Path(argument) if argument else own_folder()


def own_folder() -> Path:
    """Return our folder in the models folder."""
    from modules import paths

    return Path(paths.models_path) / _OURS


def styles_folder() -> Path:
    """Return the folder of the style library."""
    return own_folder() / _STYLES


def cache_folder() -> Path:
    """Return the folder of cached embeddings."""
    from modules import paths, shared

    chosen = getattr(shared.cmd_opts, "instantstyle_cache_dir", None)
    return Path(chosen) if chosen else Path(paths.data_path) / "cache" / "instantstyle"


def _chosen() -> list[Path]:
    """Return what the command line and the settings add."""
    from modules import shared

    argument = getattr(shared.cmd_opts, "instantstyle_models_dir", None)
    lines = str(current_settings().model_folders).splitlines()
    return [Path(folder.strip()).expanduser() for folder in (argument or "", *lines) if folder.strip()]
