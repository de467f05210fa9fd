"""The routes of the API."""

from __future__ import annotations

from secrets import compare_digest
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.exceptions import HTTPException
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from modules import scripts, shared
from modules.api import jobs, lists
from modules.api.generation import Generation
from modules.api.middleware import api_middleware
from modules.api.pictures import decode_base64_to_image, encode_pil_to_base64, verify_url
from modules.fifo_lock import FIFOLock

__all__ = ["Api", "decode_base64_to_image", "encode_pil_to_base64", "verify_url"]

_PREFIX = "/sdapi/v1"
_EMPTY = ("loras", "sd-vae", "hypernetworks", "face-restorers", "realesrgan-models", "prompt-styles")
_GET = {
    "progress": jobs.progress,
    "options": lists.get_config,
    "cmd-flags": lists.get_cmd_flags,
    "samplers": lists.get_samplers,
    "schedulers": lists.get_schedulers,
    "upscalers": lists.get_upscalers,
    "latent-upscale-modes": lists.get_latent_upscale_modes,
    "sd-models": lists.get_sd_models,
    "scripts": lists.get_scripts_list,
    "script-info": lists.get_script_info,
    "extensions": lists.get_extensions,
    "memory": lists.get_memory,
    "embeddings": lists.get_embeddings,
    **dict.fromkeys(_EMPTY, lists.get_none),
}
_POST = {
    "png-info": jobs.png_info,
    "interrogate": jobs.interrogate,
    "interrupt": jobs.interrupt,
    "skip": jobs.skip,
    "options": lists.set_config,
    "refresh-checkpoints": lists.refresh_checkpoints,
}


class Api:
    """Adds the routes to ``app``, behind ``--api-auth`` if it is given."""

    def __init__(self, app: FastAPI, queue_lock: FIFOLock) -> None:
        self.app = app
        self.queue_lock = queue_lock
        accounts = shared.cmd_opts.api_auth
        self.credentials = dict(entry.split(":") for entry in accounts.split(",")) if accounts else {}
        api_middleware(app)
        self.generation = Generation(queue_lock)
        self._add_routes()
        if not scripts.scripts_txt2img.scripts:
            from modules import ui

            ui.create_ui()
        self.generation.read_defaults()

    def _add_routes(self) -> None:
        posts = {"txt2img": self.generation.text2imgapi, "img2img": self.generation.img2imgapi, **_POST}
        for method, endpoints in (("GET", _GET), ("POST", posts)):
            for path, endpoint in endpoints.items():
                self.add_api_route(f"{_PREFIX}/{path}", endpoint, methods=[method])
        self.add_api_route("/internal/reload-ui", jobs.reload_ui, methods=["POST"])
        if shared.cmd_opts.api_server_stop:
            self.add_api_route(f"{_PREFIX}/server-stop", jobs.stop, methods=["POST"])

    def add_api_route(self, path: str, endpoint: Any, **kwargs: Any) -> None:
        if self.credentials:
            kwargs["dependencies"] = [Depends(self.auth)]
        self.app.add_api_route(path, endpoint, **kwargs)

    def auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> bool:  # noqa: B008  FastAPI's way
        expected = self.credentials.get(credentials.username)
        if expected is not None and compare_digest(credentials.password, expected):
            return True
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})
