"""The routes of the API."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import closing
from secrets import compare_digest
from threading import RLock
from typing import Any

import torch
from fastapi import Depends, FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import HTTPException
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from modules import errors, infotext_utils, script_callbacks, scripts, sd_models, sd_samplers, sd_schedulers, shared
from modules.api import models, script_args
from modules.api.pictures import decode_base64_to_image, encode_pil_to_base64, verify_url
from modules.images import read_info_from_image
from modules.processing import (
    StableDiffusionProcessingImg2Img,
    StableDiffusionProcessingTxt2Img,
    process_images,
)
from modules.processing_txt2img import image_upscalers, latent_upscale_modes

__all__ = ["decode_base64_to_image", "encode_pil_to_base64", "verify_url"]

_NOT_FOR_P = (
    "script_name", "script_args", "alwayson_scripts", "send_images", "save_images", "infotext", "sampler_index",
    "include_init_images", "init_images", "mask", "comments", "force_task_id",
)  # fmt: skip


def api_middleware(app: FastAPI) -> None:
    """Turn exceptions into answers: status and detail come from the exception's own attributes."""

    def answer(request: Request, error: Exception) -> JSONResponse:
        attributes = vars(error)
        body = {
            "error": type(error).__name__,
            "detail": attributes.get("detail", ""),
            "body": attributes.get("body", ""),
            "errors": str(error),
        }
        if not isinstance(error, HTTPException):
            errors.report(f"API error: {request.method}: {request.url} {body}", exc_info=False)
            traceback.print_exception(error)
        return JSONResponse(status_code=attributes.get("status_code", 500), content=jsonable_encoder(body))

    @app.middleware("http")
    async def exception_handling(request: Request, call_next: Callable[..., Any]) -> Any:
        try:
            return await call_next(request)
        except Exception as error:  # noqa: BLE001  every exception has an answer
            return answer(request, error)

    @app.exception_handler(HTTPException)
    async def http_exception_handler(request: Request, error: HTTPException) -> JSONResponse:
        return answer(request, error)


class Api:
    """Generation over HTTP."""

    def __init__(self, app: FastAPI, queue_lock: RLock) -> None:
        self.app = app
        self.queue_lock = queue_lock
        accounts = shared.cmd_opts.api_auth
        self.credentials = dict(entry.split(":", 1) for entry in accounts.split(",")) if accounts else {}
        api_middleware(app)
        self._add_routes()
        self.defaults = {}
        for tab, runner in (("txt2img", scripts.scripts_txt2img), ("img2img", scripts.scripts_img2img)):
            if not runner.scripts:
                from modules import ui

                ui.create_ui()
            self.defaults[tab] = script_args.default_arguments(runner)

    def _add_routes(self) -> None:
        for path, endpoint, method in (
            ("txt2img", self.text2imgapi, "POST"),
            ("img2img", self.img2imgapi, "POST"),
            ("png-info", self.pnginfoapi, "POST"),
            ("progress", self.progressapi, "GET"),
            ("interrupt", self.interruptapi, "POST"),
            ("skip", self.skip, "POST"),
            ("options", self.get_config, "GET"),
            ("options", self.set_config, "POST"),
            ("cmd-flags", lambda: {k: str(v) for k, v in vars(shared.cmd_opts).items()}, "GET"),
            ("samplers", self.get_samplers, "GET"),
            ("schedulers", self.get_schedulers, "GET"),
            ("upscalers", self.get_upscalers, "GET"),
            ("latent-upscale-modes", lambda: [{"name": name} for name in latent_upscale_modes], "GET"),
            ("sd-models", self.get_sd_models, "GET"),
            ("refresh-checkpoints", self.refresh_checkpoints, "POST"),
            ("scripts", self.get_scripts_list, "GET"),
            ("script-info", self.get_script_info, "GET"),
            ("extensions", self.get_extensions, "GET"),
            ("memory", self.get_memory, "GET"),
            ("loras", _nothing, "GET"),
            ("sd-vae", _nothing, "GET"),
            ("hypernetworks", _nothing, "GET"),
            ("face-restorers", _nothing, "GET"),
            ("realesrgan-models", _nothing, "GET"),
            ("prompt-styles", _nothing, "GET"),
            ("embeddings", lambda: {"loaded": {}, "skipped": {}}, "GET"),
        ):
            self.add_api_route(f"/sdapi/v1/{path}", endpoint, methods=[method])
        if shared.cmd_opts.api_server_stop:
            self.add_api_route("/sdapi/v1/server-restart", lambda: self._command("restart"), methods=["POST"])
            self.add_api_route("/sdapi/v1/server-stop", lambda: self._command("stop"), methods=["POST"])

    def add_api_route(self, path: str, endpoint: Any, **kwargs: Any) -> None:
        if self.credentials:
            kwargs["dependencies"] = [Depends(self.auth)]
        self.app.add_api_route(path, endpoint, **kwargs)

    def auth(self, credentials: HTTPBasicCredentials = Depends(HTTPBasic())) -> bool:  # noqa: B008  FastAPI's way
        expected = self.credentials.get(credentials.username)
        if expected is not None and compare_digest(credentials.password, expected):
            return True
        raise HTTPException(401, "Incorrect username or password", {"WWW-Authenticate": "Basic"})

    # --- generation ---------------------------------------------------------------------------------------

    def text2imgapi(self, request: models.StableDiffusionTxt2ImgProcessingAPI) -> models.GenerationResponse:
        return self._generate("txt2img", request, StableDiffusionProcessingTxt2Img, {})

    def img2imgapi(self, request: models.StableDiffusionImg2ImgProcessingAPI) -> models.GenerationResponse:
        if request.init_images is None:
            raise HTTPException(status_code=404, detail="Init image not found")
        pictures = {
            "init_images": [decode_base64_to_image(picture) for picture in request.init_images],
            "mask": decode_base64_to_image(request.mask) if request.mask else None,
        }
        return self._generate("img2img", request, StableDiffusionProcessingImg2Img, pictures)

    def _generate(self, tab: str, request: Any, kind: type, extra: dict[str, Any]) -> models.GenerationResponse:
        runner = getattr(scripts, f"scripts_{tab}")
        from_infotext = script_args.arguments_from_infotext(request, runner, tab)
        selectable = (
            script_args.find_script(request.script_name, runner.selectable_scripts) if request.script_name else None
        )
        arguments = script_args.fill_arguments(request, self.defaults[tab], selectable, runner, from_infotext)
        fields = {name: value for name, value in request.dict().items() if name not in _NOT_FOR_P}
        fields["sampler_name"] = request.sampler_name or request.sampler_index
        fields["do_not_save_samples"] = fields["do_not_save_grid"] = not request.save_images
        with self.queue_lock, closing(kind(**fields, **extra)) as p:
            p.is_api = True
            p.scripts = runner
            try:
                shared.state.begin(job=f"scripts_{tab}")
                processed = _run(p, runner, arguments, selectable)
            finally:
                shared.state.end()
        encoded = [encode_pil_to_base64(image).decode() for image in processed.images] if request.send_images else []
        if not getattr(request, "include_init_images", True):
            request.init_images = request.mask = None
        return models.GenerationResponse(images=encoded, parameters=request.dict(), info=processed.js())

    # --- the rest -----------------------------------------------------------------------------------------

    def pnginfoapi(self, request: models.PNGInfoRequest) -> models.PNGInfoResponse:
        image = decode_base64_to_image(request.image.strip())
        info, items = read_info_from_image(image)
        info = info or ""
        params = infotext_utils.parse_generation_parameters(info)
        script_callbacks.infotext_pasted_callback(info, params)
        return models.PNGInfoResponse(info=info, items=items, parameters=params)

    def progressapi(self, skip_current_image: bool = False) -> dict[str, Any]:
        state = shared.state
        progress = 0.0
        if state.job_count > 0:
            progress = state.job_no / state.job_count
            if state.sampling_steps > 0:
                progress += state.sampling_step / state.sampling_steps / state.job_count
        elapsed = time.time() - (state.time_start or time.time())
        return {
            "progress": min(progress, 1),
            "eta_relative": elapsed / progress - elapsed if progress else 0,
            "state": state.dict(),
            "current_image": None,
            "textinfo": state.textinfo,
        }

    def interruptapi(self) -> dict:
        shared.state.interrupt()
        return {}

    def skip(self) -> None:
        shared.state.skip()

    def get_config(self) -> dict[str, Any]:
        options = shared.opts
        return {
            key: options.data.get(key, info.default)
            for key, info in options.data_labels.items()
            if not info.do_not_save
        }

    def set_config(self, req: dict[str, Any]) -> None:
        checkpoint = req.get("sd_model_checkpoint")
        if checkpoint is not None and sd_models.get_closet_checkpoint_match(checkpoint) is None:
            raise RuntimeError(f"model {checkpoint!r} not found")
        for key, value in req.items():
            shared.opts.set(key, value, is_api=True)
        shared.opts.save(shared.config_filename)

    def get_samplers(self) -> list[dict[str, Any]]:
        return [
            {"name": s.name, "aliases": s.aliases, "options": {k: str(v) for k, v in s.options.items()}}
            for s in sd_samplers.all_samplers
        ]

    def get_schedulers(self) -> list[dict[str, Any]]:
        names = ("name", "label", "aliases", "default_rho", "need_inner_model")
        return [{name: getattr(scheduler, name) for name in names} for scheduler in sd_schedulers.schedulers]

    def get_upscalers(self) -> list[dict[str, Any]]:
        return [
            {"name": name, "model_name": None, "model_path": None, "model_url": None, "scale": 4}
            for name in image_upscalers
        ]

    def get_sd_models(self) -> list[dict[str, Any]]:
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

    def refresh_checkpoints(self) -> None:
        with self.queue_lock:
            sd_models.list_models()

    def get_scripts_list(self) -> dict[str, list[str]]:
        runners = {"txt2img": scripts.scripts_txt2img, "img2img": scripts.scripts_img2img}
        return {tab: [s.name for s in runner.scripts if s.name is not None] for tab, runner in runners.items()}

    def get_script_info(self) -> list[models.ScriptInfo]:
        runners = (scripts.scripts_txt2img, scripts.scripts_img2img)
        return [s.api_info for runner in runners for s in runner.scripts if s.api_info is not None]

    def get_extensions(self) -> list[dict[str, Any]]:
        from modules import extensions

        return [{"name": e.name, "enabled": e.enabled, "remote": "", "branch": ""} for e in extensions.extensions]

    def get_memory(self) -> dict[str, Any]:
        cuda = {"free": torch.cuda.mem_get_info()[0]} if torch.cuda.is_available() else {"error": "unavailable"}
        return {"ram": {"error": "not measured"}, "cuda": cuda}

    def _command(self, command: str) -> None:
        shared.state.server_command = command


def _nothing() -> list:
    return []


def _run(p: Any, runner: Any, arguments: list[Any], selectable: Any) -> Any:
    if selectable is not None:
        p.script_args = arguments
        return runner.run(p, *arguments)
    p.script_args = tuple(arguments)
    return process_images(p)
