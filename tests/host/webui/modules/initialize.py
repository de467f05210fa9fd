"""Everything before the page: samplers, checkpoints, scripts, and the load of the model."""

from __future__ import annotations

from threading import Thread

from modules import (
    extensions,
    extra_networks,
    gradio_extensions,
    interrogate,
    safe,
    script_callbacks,
    scripts,
    sd_hijack,
    sd_models,
    sd_unet,
    shared,
    ui_extra_networks,
    ui_gradio_extensions,
    ui_tempdir,
)
from modules.flavour import flavour


def initialize() -> None:
    """Once a process."""
    if not flavour.chunks:
        safe.install()
    prepare()
    extensions.list_extensions()
    if not shared.cmd_opts.skip_install:
        extensions.run_installers()
    initialize_rest()


def prepare() -> None:
    """Change gradio as the host does, and fill in what `shared` cannot make itself."""
    if flavour.chunks:
        from modules_forge.patch_basic import patch_all_basics

        patch_all_basics()
    gradio_extensions.install()
    ui_tempdir.install_ui_tempdir_override()
    shared.interrogator = interrogate.InterrogateModels("interrogate") if flavour.has_interrogator else None


def initialize_rest() -> None:
    """At the start, and again on Reload UI."""
    extensions.list_extensions()
    sd_models.list_models()
    scripts.load_scripts()
    sd_hijack.list_optimizers()
    sd_unet.list_unets()
    ui_gradio_extensions.reload_javascript()
    _connect_options()
    if not (shared.cmd_opts.skip_load_model_at_start or flavour.loads_with_job):
        Thread(target=lambda: shared.sd_model, daemon=True).start()
    forget_networks()


def forget_networks() -> None:
    """Empty the registries. That comes after the scripts' load, so extensions register in ``on_before_ui``."""
    ui_extra_networks.initialize()
    extra_networks.initialize()


def _connect_options() -> None:
    opts = shared.opts
    opts.onchange("sd_model_checkpoint", sd_models.choose, call=False)
    if flavour.has_optimizers:
        opts.onchange("cross_attention_optimization", _redo_hijack, call=False)


def _redo_hijack() -> None:
    sd_hijack.hijack.redo_hijack(shared.sd_model)


def before_reload() -> None:
    """Say good-bye to the scripts that are about to be replaced, the last loaded first."""
    script_callbacks.app_reload_callback()
    script_callbacks.script_unloaded_callback()
