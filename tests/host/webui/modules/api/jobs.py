"""The job that runs, and pictures that are done."""

from __future__ import annotations

import time
from typing import Any

from fastapi.exceptions import HTTPException

from modules import infotext_utils, script_callbacks, shared
from modules.api import models
from modules.api.pictures import decode_base64_to_image
from modules.call_queue import queue_lock
from modules.images import read_info_from_image


def progress(skip_current_image: bool = False) -> dict[str, Any]:
    state = shared.state
    done = 0.0
    if state.job_count > 0:
        done = state.job_no / state.job_count
        if state.sampling_steps > 0:
            done += state.sampling_step / state.sampling_steps / state.job_count
    elapsed = time.time() - (state.time_start or time.time())
    return {
        "progress": min(done, 1),
        "eta_relative": elapsed / done - elapsed if done else 0,
        "state": state.dict(),
        "current_image": None,
        "textinfo": state.textinfo,
    }


def interrupt() -> dict:
    shared.state.interrupt()
    return {}


def skip() -> None:
    shared.state.skip()


def png_info(request: models.PNGInfoRequest) -> models.PNGInfoResponse:
    info, items = read_info_from_image(decode_base64_to_image(request.image.strip()))
    info = info or ""
    params = infotext_utils.parse_generation_parameters(info)
    script_callbacks.infotext_pasted_callback(info, params)
    return models.PNGInfoResponse(info=info, items=items, parameters=params)


def interrogate(request: models.InterrogateRequest) -> models.InterrogateResponse:
    image = decode_base64_to_image(request.image).convert("RGB")
    if request.model != "clip":
        raise HTTPException(status_code=404, detail="Model not found")
    with queue_lock:
        return models.InterrogateResponse(caption=shared.interrogator.interrogate(image))


def reload_ui() -> None:
    """Do what the button Reload UI does; a route of the stand-in only."""
    shared.state.server_command = "restart"


def stop() -> None:
    shared.state.server_command = "stop"
