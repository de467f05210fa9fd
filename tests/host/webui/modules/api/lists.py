"""What there is: samplers, checkpoints, scripts, settings."""

from __future__ import annotations

from typing import Any

import torch

from modules import extensions, scripts, sd_models, sd_samplers, sd_schedulers, shared
from modules.api import models
from modules.call_queue import queue_lock
from modules.flavour import flavour
from modules.shared_options import own_options
from modules.upscaling import image_upscalers, latent_upscale_modes


def get_config() -> dict[str, Any]:
    opts = shared.opts
    listed = opts.data_labels if flavour.lists_all_options else own_options
    labels = {key: opts.data_labels[key] for key in listed}.items()
    return {key: opts.data.get(key, info.default) for key, info in labels if not info.do_not_save}


def set_config(req: dict[str, Any]) -> None:
    checkpoint = req.get("sd_model_checkpoint")
    if checkpoint is not None and sd_models.get_closet_checkpoint_match(checkpoint) is None:
        raise RuntimeError(f"model {checkpoint!r} not found")
    for key, value in req.items():
        shared.opts.set(key, value, is_api=True)
    shared.opts.save(shared.config_filename)


def get_cmd_flags() -> dict[str, str]:
    return {name: str(value) for name, value in vars(shared.cmd_opts).items()}


def get_samplers() -> list[dict[str, Any]]:
    return [
        {"name": s.name, "aliases": s.aliases, "options": {key: str(value) for key, value in s.options.items()}}
        for s in sd_samplers.all_samplers
    ]


def get_schedulers() -> list[dict[str, Any]]:
    names = ("name", "label", "aliases", "default_rho", "need_inner_model")
    return [{name: getattr(scheduler, name) for name in names} for scheduler in sd_schedulers.schedulers]


def get_upscalers() -> list[dict[str, Any]]:
    rest = {"model_name": None, "model_path": None, "model_url": None, "scale": 4}
    return [{"name": name, **rest} for name in image_upscalers]


def get_latent_upscale_modes() -> list[dict[str, str]]:
    return [{"name": name} for name in latent_upscale_modes]


def get_sd_models() -> list[dict[str, Any]]:
    return [
        {
            "title": info.title,
            "model_name": info.model_name,
            "hash": info.shorthash,
            "sha256": info.sha256,
            "filename": info.filename,
            "config": None,
        }
        for info in dict.fromkeys(sd_models.checkpoints_list.values())
    ]


def refresh_checkpoints() -> None:
    with queue_lock:
        sd_models.list_models()


def _runners() -> dict[str, scripts.ScriptRunner]:
    return {"txt2img": scripts.scripts_txt2img, "img2img": scripts.scripts_img2img}


def get_scripts_list() -> dict[str, list[str]]:
    return {tab: [s.name for s in runner.scripts if s.name is not None] for tab, runner in _runners().items()}


def get_script_info() -> list[models.ScriptInfo]:
    return [s.api_info for runner in _runners().values() for s in runner.scripts if s.api_info is not None]


def get_extensions() -> list[dict[str, Any]]:
    return [{"name": e.name, "enabled": e.enabled, "remote": "", "branch": ""} for e in extensions.extensions]


def get_memory() -> dict[str, Any]:
    cuda = {"free": torch.cuda.mem_get_info()[0]} if torch.cuda.is_available() else {"error": "unavailable"}
    return {"ram": {"error": "not measured"}, "cuda": cuda}


def get_embeddings() -> dict[str, dict]:
    return {"loaded": {}, "skipped": {}}


def get_none() -> list:
    """Return the list of what the stand-in has none of: LoRAs, VAEs, styles, …"""
    return []
