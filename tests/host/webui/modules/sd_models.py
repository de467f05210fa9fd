"""The loaded checkpoints, and switching between them as the real host does.

Same configuration and a limit of one: the weights change inside the same objects. Another configuration, or room
for another model: new objects. A model that is still resident: just the other objects, and no callback.
"""

from __future__ import annotations

import threading
from typing import Any

import torch
from torch import nn

from modules import devices, errors, forge_models, script_callbacks, sd_checkpoint, sd_hijack, sd_unet, shared
from modules.flavour import flavour
from modules.sd_checkpoint import CheckpointInfo

__all__ = ["CheckpointInfo"]

checkpoints_list: dict[str, CheckpointInfo] = {}
checkpoint_aliases: dict[str, CheckpointInfo] = {}


class SdModelData:
    """The current model and those kept beside it, the current one first."""

    def __init__(self) -> None:
        self.sd_model: Any = forge_models.FakeInitialModel() if flavour.loads_with_job else None
        self.loaded_sd_models: list[nn.Module] = []
        self.was_loaded_at_least_once = flavour.loads_with_job  # a reader never loads there
        self.lock = threading.RLock()
        self.forge_loading_parameters: dict[str, Any] = {}
        self.forge_hash = ""

    def get_sd_model(self) -> nn.Module | None:
        """Return the model; the first caller waits for it. None if it cannot be loaded."""
        if self.was_loaded_at_least_once:
            return self.sd_model
        with self.lock:
            if not self.was_loaded_at_least_once:
                try:
                    load_model()
                except Exception:  # noqa: BLE001  the host goes on without a model
                    errors.report("Failed to load the checkpoint", exc_info=True)
                self.was_loaded_at_least_once = True
        return self.sd_model

    def set_sd_model(self, model: nn.Module | None) -> None:
        self.sd_model = model
        if model is not None and not flavour.loads_with_job:
            self.loaded_sd_models = [model, *(m for m in self.loaded_sd_models if m is not model)]


model_data = SdModelData()


def list_models() -> None:
    """Find the checkpoints again."""
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    for info in sd_checkpoint.list_checkpoints():
        _know(info)
    chosen = get_closet_checkpoint_match(shared.cmd_opts.ckpt)
    if chosen:
        shared.opts.data["sd_model_checkpoint"] = chosen.title
    if flavour.loads_with_job:
        refresh_model_loading_parameters()


def _know(info: CheckpointInfo) -> None:
    checkpoints_list[info.title] = info
    checkpoint_aliases.update(dict.fromkeys(info.ids, info))


def checkpoint_tiles(use_short: bool = False) -> list[str]:
    """Return the titles for a dropdown. The host spells it so."""
    titles = [info.short_title if use_short else info.title for info in checkpoints_list.values()]
    return sorted(titles, key=shared.natural_sort_key)


def get_closet_checkpoint_match(search_string: str | None) -> CheckpointInfo | None:
    """Return the checkpoint that ``search_string`` names, or that has it in its title. The host spells it so."""
    if not search_string:
        return None
    if search_string in checkpoint_aliases:
        return checkpoint_aliases[search_string]
    fits = [info for info in checkpoints_list.values() if search_string in info.title]
    without_hash = search_string.rpartition(" [")[0]
    return min(fits, key=lambda info: len(info.title)) if fits else checkpoint_aliases.get(without_hash)


def select_checkpoint() -> CheckpointInfo:
    """Return the configured checkpoint, or the first SDXL base model, or the first there is.

    Raises:
        FileNotFoundError: If the folder has none.
    """
    info = get_closet_checkpoint_match(shared.opts.sd_model_checkpoint)
    if info is not None:
        return info
    if not checkpoints_list:
        raise FileNotFoundError("No checkpoint was found in the folder Stable-diffusion of the models folder.")
    infos = list(checkpoints_list.values())
    return next((info for info in infos if info.is_sdxl_base), infos[0])


def load_model(checkpoint_info: CheckpointInfo | None = None, config: dict[str, Any] | None = None) -> Any:
    """Build a new model object for the checkpoint, fill it and make it the current one."""
    if flavour.loads_with_job:
        return None  # a stub there
    info = checkpoint_info or select_checkpoint()
    model = _built(info, config)
    if flavour.chunks:
        forge_models.equip(model, model)
    model_data.set_sd_model(model)
    model_data.was_loaded_at_least_once = True
    script_callbacks.model_loaded_callback(model)
    _without_networks()
    model.cond_stage_model_empty_prompt = _empty_prompt(model)
    return model


def _built(info: CheckpointInfo, config: dict[str, Any] | None = None) -> nn.Module:
    state = info.read_state_dict()
    config = config or info.read_config()
    model = sd_checkpoint.build(config, state)
    model.used_config = config
    _load_weights(model, info, state)
    model.to(devices.device)
    model.model.to(devices.dtype)
    model.eval().requires_grad_(False)
    sd_hijack.hijack.hijack(model)
    return model


def _load_weights(model: nn.Module, info: CheckpointInfo, state: dict[str, Any]) -> None:
    info.calculate_shorthash()
    _know(info)
    sd_checkpoint.fill(model, state)
    model.sd_checkpoint_info = info
    model.sd_model_hash = info.shorthash
    model.sd_model_checkpoint = info.filename
    shared.opts.data["sd_checkpoint_hash"] = info.sha256
    unet = model.model.diffusion_model
    model.is_ssd = model.is_sdxl and not hasattr(unet.middle_block[1], "transformer_blocks")


def _without_networks() -> None:
    """Activate every network without arguments, for a job that is never run: the empty prompt is encoded next."""
    from modules import extra_networks, processing

    with devices.autocast(), torch.no_grad():
        extra_networks.activate(processing.StableDiffusionProcessingTxt2Img(), {})


def _empty_prompt(model: nn.Module) -> Any:
    conds = model.get_learned_conditioning([""])
    return conds["crossattn"] if isinstance(conds, dict) else conds


def reload_model_weights(
    sd_model: nn.Module | None = None, info: CheckpointInfo | None = None, forced_reload: bool = False
) -> Any:
    """Make the configured checkpoint, or ``info``, the current one."""
    if flavour.loads_with_job:
        return None  # a stub there
    info = info or select_checkpoint()
    current = sd_model or model_data.sd_model
    if current is not None and current.sd_checkpoint_info.filename == info.filename and not forced_reload:
        return current
    resident = next((m for m in model_data.loaded_sd_models if m.sd_checkpoint_info.filename == info.filename), None)
    if resident is not None and not forced_reload:
        model_data.set_sd_model(resident)
        return resident
    if current is None or len(model_data.loaded_sd_models) < shared.opts.sd_checkpoints_limit:
        return load_model(info)
    return _replace(model_data.loaded_sd_models[-1], info)


def _replace(victim: nn.Module, info: CheckpointInfo) -> nn.Module:
    config = info.read_config()
    if flavour.replaces_models or config != victim.used_config:
        model_data.loaded_sd_models.remove(victim)
        victim.to("meta")
        return load_model(info, config)
    sd_hijack.hijack.undo_hijack(victim)
    try:
        _load_weights(victim, info, info.read_state_dict())
    finally:
        sd_hijack.hijack.hijack(victim)
    script_callbacks.model_loaded_callback(victim)
    model_data.set_sd_model(victim)
    victim.cond_stage_model_empty_prompt = _empty_prompt(victim)
    return victim


def unload_model_weights(_sd_model: nn.Module | None = None, _info: CheckpointInfo | None = None) -> None:
    """Weights stay where they are."""


def take(info: CheckpointInfo | None = None) -> None:
    """Let a job go on with the configured checkpoint, or for a while with ``info``."""
    if not flavour.loads_with_job:
        reload_model_weights(info=info)
        return
    if info is not None:
        model_data.forge_loading_parameters = {"checkpoint_info": info}
    try:
        forge_model_reload()
    finally:
        refresh_model_loading_parameters()


def choose() -> None:
    """Follow the setting: load its checkpoint, or keep in mind that the next job has to."""
    if flavour.loads_with_job:
        refresh_model_loading_parameters()
    else:
        reload_model_weights()


def refresh_model_loading_parameters() -> None:
    info = select_checkpoint() if checkpoints_list else None
    model_data.forge_loading_parameters = {"checkpoint_info": info}


@torch.inference_mode()
def _forge_model_reload() -> tuple[Any, bool]:
    """Return the model of the loading parameters, and whether it is a new object. Meanwhile there is none."""
    wanted = str(model_data.forge_loading_parameters)
    if model_data.forge_hash == wanted:
        return model_data.sd_model, False
    model_data.sd_model = None
    info = model_data.forge_loading_parameters["checkpoint_info"]
    if info is None:
        raise ValueError("You do not have any model! Please download at least one model in [models/Stable-diffusion].")
    model = forge_models.ForgeDiffusionEngine(_built(info), info)
    model_data.set_sd_model(model)
    script_callbacks.model_loaded_callback(model)
    model_data.forge_hash = wanted
    return model, True


if flavour.loads_with_job:
    forge_model_reload = _forge_model_reload  # extensions look whether there is one

sd_unet.install()
