"""What everything shares. ``sd_model`` is read through a property: the first reader waits for the load."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import gradio as gr

from modules import devices, shared_state
from modules.options import OptionHTML, OptionInfo, Options, options_section
from modules.paths_internal import data_path, models_path
from modules.shared_cmd_options import cmd_opts
from modules.shared_options import options_templates
from modules.util import html, listfiles, natural_sort_key, walk_files

__all__ = [
    "OptionHTML", "OptionInfo", "cmd_opts", "html", "listfiles", "models_path", "natural_sort_key", "options_section",
    "options_templates", "walk_files",
]  # fmt: skip

batch_cond_uncond = True
parallel_processing_allowed = True
device = devices.device
config_filename = str(Path(data_path) / "config.json")
opts = Options(options_templates)
opts.load(config_filename)
state = shared_state.State()
face_restorers: list[Any] = []
sd_upscalers: list[Any] = []
loaded_hypernetworks: list[Any] = []
prompt_styles = None
interrogator: Any = None  # set by `initialize`, as it needs this module
demo: Any = None
gradio_root: Any = None
settings_components: dict[str, Any] = {}
restricted_opts: set[str] = {"samples_save"}
gradio_theme = gr.themes.Base(font=["system-ui", "sans-serif"], font_mono=["monospace"])  # nothing is fetched


class _TotalTqdm:
    """The host's second progress bar."""

    def clear(self) -> None:
        """Nothing is drawn."""

    def update(self) -> None:
        """Nothing is drawn."""

    def updateTotal(self, _total: int) -> None:  # noqa: N802  the host's name
        """Nothing is drawn."""


total_tqdm = _TotalTqdm()


class _Shared(ModuleType):
    """This module's type, which gives it the lazy ``sd_model``."""

    @property
    def sd_model(self) -> Any:
        from modules import sd_models

        return sd_models.model_data.get_sd_model()

    @sd_model.setter
    def sd_model(self, value: Any) -> None:
        from modules import sd_models

        sd_models.model_data.set_sd_model(value)


sys.modules[__name__].__class__ = _Shared
