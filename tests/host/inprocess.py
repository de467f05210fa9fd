"""The stand-in inside the test's own process: jobs without HTTP or a page, and with the host's modules at hand.

The host's modules are global to a process, so there is one `InProcess` a process; `use_extensions` exchanges what
is loaded into it.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.host.launcher import EXTENSION_ROOT, HOST_ROOT

if TYPE_CHECKING:
    from torch import nn

DEFAULTS = {"prompt": "a house", "steps": 2, "width": 64, "height": 64, "seed": 1, "sampler_name": "Euler"}
_current: list[InProcess] = []


def in_process(
    models_dir: Path | str, extensions: Sequence[Path] = (EXTENSION_ROOT,), flavour: str | None = None
) -> InProcess:
    """Return the stand-in of this process, with ``extensions`` loaded.

    Args:
        models_dir: What `python -m tests.tiny` wrote.
        extensions: Their folders.
        flavour: The WebUI to stand in for; None: the one that ``STAND_IN_FLAVOUR`` names, else AUTOMATIC1111's.

    Raises:
        RuntimeError: If it runs already with another models folder, or as another flavour.
    """
    flavour = flavour or os.environ.get("STAND_IN_FLAVOUR", "a1111")
    if not _current:
        _current.append(InProcess(Path(models_dir).resolve(), flavour))
    host = _current[0]
    if host.flavour.name != flavour:
        raise RuntimeError(f"The stand-in of this process is {host.flavour.name} already.")
    if host.models_dir != Path(models_dir).resolve():
        raise RuntimeError(f"The stand-in of this process uses {host.models_dir} already.")
    host.use_extensions(*extensions)
    return host


class InProcess:
    """Builds processing objects and runs them."""

    def __init__(self, models_dir: Path, flavour: str) -> None:
        self.models_dir = models_dir
        self._data_dir = tempfile.TemporaryDirectory(prefix="webui-stand-in-")
        arguments = [
            "--models-dir",
            str(models_dir),
            "--data-dir",
            self._data_dir.name,
            "--no-hashing",
            "--skip-install",
            "--flavour",
            flavour,
        ]
        _import_with(arguments)
        from modules import initialize, sd_models, shared
        from modules.flavour import flavour as traits

        self.flavour = traits
        initialize.prepare()
        sd_models.list_models()
        self.shared = shared
        self._extensions: tuple[Path, ...] | None = None
        self._initial_options = dict(shared.opts.data)

    def use_extensions(self, *folders: Path) -> None:
        """Reload UI with these extensions instead of those before, unless they are loaded already."""
        if self._extensions != folders:
            self.shared.cmd_opts.extension = list(folders)
            self.reload()
            self._extensions = folders

    def reload(self) -> None:
        """Do what Reload UI does to scripts."""
        from modules import extensions, initialize, script_callbacks, scripts, sd_hijack, ui
        from modules.api.script_args import default_arguments

        initialize.before_reload()
        extensions.list_extensions()
        scripts.load_scripts()
        sd_hijack.list_optimizers()
        initialize.forget_networks()
        script_callbacks.before_ui_callback()
        self.shared.demo = ui.create_ui()
        self._arguments = {tab: default_arguments(self.runner(tab)) for tab in ("txt2img", "img2img")}

    def reset_options(self) -> None:
        """Put every setting back."""
        from modules import sd_models
        from modules.forge_memory import memory

        self.shared.opts.data.clear()
        self.shared.opts.data.update(self._initial_options)
        memory.rows = None
        if self.flavour.loads_with_job:
            sd_models.choose()

    def split_steps(self, split: bool = True) -> None:
        """Send each chunk of a denoising step in a call of its own, by the setting or for want of memory, or not."""
        from modules.forge_memory import memory

        self.shared.opts.data["batch_cond_uncond"] = not split
        memory.rows = 1 if split else None

    def runner(self, tab: str = "txt2img") -> Any:
        from modules import scripts

        return getattr(scripts, f"scripts_{tab}")

    def load(self, checkpoint: str) -> Any:
        """Make ``checkpoint`` the configured model and load it."""
        from modules import sd_models

        info = sd_models.get_closet_checkpoint_match(checkpoint)
        self.shared.opts.data["sd_model_checkpoint"] = info.title
        sd_models.choose()
        sd_models.take()
        return self.shared.sd_model

    @property
    def unet(self) -> nn.Module:
        """The UNet that the next job begins with."""
        return self.engines()[0].model.diffusion_model

    def engines(self) -> list[nn.Module]:
        """Return every model in memory, the current one first, without loading any."""
        from modules import forge_models, sd_models

        data = sd_models.model_data
        if not self.flavour.loads_with_job:
            return list(data.loaded_sd_models)
        return [data.sd_model._engine] if isinstance(data.sd_model, forge_models.ForgeDiffusionEngine) else []

    def forget_model(self) -> None:
        """Have no model, as after the start."""
        from modules import sd_models

        sd_models.model_data = sd_models.SdModelData()
        sd_models.choose()

    def job(self, tab: str = "txt2img", scripts: dict[str, list[Any]] | None = None, **fields: Any) -> Any:
        """Return a processing object whose always-on ``scripts`` get these arguments."""
        from modules import processing

        kind = {
            "txt2img": processing.StableDiffusionProcessingTxt2Img,
            "img2img": processing.StableDiffusionProcessingImg2Img,
        }[tab]
        saving = {"do_not_save_samples": True, "do_not_save_grid": True}
        p = kind(**{**DEFAULTS, **saving, **as_sent(fields)})
        p.is_api = True
        p.scripts = self.runner(tab)
        p.script_args = tuple(self._filled(tab, scripts or {}))
        return p

    def _filled(self, tab: str, scripts: dict[str, list[Any]]) -> list[Any]:
        arguments = list(self._arguments[tab])
        for title, values in scripts.items():
            start = self.runner(tab).title_map[title.lower()].args_from
            arguments[start : start + len(values)] = values
        return arguments

    def run(self, p: Any) -> Any:
        """Run a job as the API does."""
        from modules import processing

        self.shared.state.begin("test")
        try:
            with closing(p):
                return processing.process_images(p)
        finally:
            self.shared.state.end()

    def txt2img(self, scripts: dict[str, list[Any]] | None = None, **fields: Any) -> Any:
        return self.run(self.job("txt2img", scripts, **fields))

    def img2img(self, scripts: dict[str, list[Any]] | None = None, **fields: Any) -> Any:
        return self.run(self.job("img2img", scripts, **fields))


def as_sent(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a request with what this flavour's page adds to them."""
    from modules.flavour import flavour

    if flavour.hires_cfg is None or not fields.get("enable_hr"):
        return fields
    return {"hr_cfg": fields.get("cfg_scale", 7.0), "hr_additional_modules": ["Use same choices"], **fields}


def _import_with(arguments: list[str]) -> None:
    """Import the host's modules while the command line is ``arguments``."""
    original = sys.argv
    if str(HOST_ROOT) not in sys.path:
        sys.path.insert(0, str(HOST_ROOT))
    try:
        sys.argv = ["webui", *arguments]
        importlib.import_module("modules.initialize")
    finally:
        sys.argv = original
