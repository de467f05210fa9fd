"""txt2img and img2img over HTTP."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from fastapi.exceptions import HTTPException

from modules import scripts, shared
from modules.api import models, script_args
from modules.api.pictures import decode_base64_to_image, encode_pil_to_base64
from modules.fifo_lock import FIFOLock
from modules.processing import (
    StableDiffusionProcessingImg2Img,
    StableDiffusionProcessingTxt2Img,
    process_images,
)

_NOT_FOR_P = (
    "script_name", "script_args", "alwayson_scripts", "send_images", "save_images", "infotext", "sampler_index",
    "include_init_images", "init_images", "mask", "comments", "force_task_id",
)  # fmt: skip


class Generation:
    """Runs one request after the other.

    Args:
        queue_lock: Held while a job runs.
    """

    def __init__(self, queue_lock: FIFOLock) -> None:
        self.queue_lock = queue_lock
        self.defaults: dict[str, list[Any]] = {}

    def read_defaults(self) -> None:
        """Build the scripts' controls once more, for the values that requests leave out."""
        for tab in ("txt2img", "img2img"):
            self.defaults[tab] = script_args.default_arguments(_runner(tab))

    def text2imgapi(self, request: models.StableDiffusionTxt2ImgProcessingAPI) -> models.GenerationResponse:
        return self._generate("txt2img", request, StableDiffusionProcessingTxt2Img, {})

    def img2imgapi(self, request: models.StableDiffusionImg2ImgProcessingAPI) -> models.GenerationResponse:
        if request.init_images is None:
            raise HTTPException(status_code=404, detail="Init image not found")
        pictures = {
            "init_images": [decode_base64_to_image(picture) for picture in request.init_images],
            "mask": decode_base64_to_image(request.mask) if request.mask else None,
        }
        answer = self._generate("img2img", request, StableDiffusionProcessingImg2Img, pictures)
        if not request.include_init_images:
            answer.parameters |= {"init_images": None, "mask": None}
        return answer

    def _generate(self, tab: str, request: Any, kind: type, extra: dict[str, Any]) -> models.GenerationResponse:
        runner = _runner(tab)
        from_infotext = script_args.arguments_from_infotext(request, runner)
        name = request.script_name
        selectable = script_args.find_script(name, runner.selectable_scripts) if name else None
        arguments = script_args.fill_arguments(request, self.defaults[tab], selectable, runner, from_infotext)
        with self.queue_lock, closing(kind(**_fields(request), **extra)) as p:
            p.is_api = True
            p.scripts = runner
            try:
                shared.state.begin(job=f"scripts_{tab}")
                processed = _run(p, runner, arguments, selectable)
            finally:
                shared.state.end()
        images = [encode_pil_to_base64(image).decode() for image in processed.images] if request.send_images else []
        return models.GenerationResponse(images=images, parameters=request.dict(), info=processed.js())


def _runner(tab: str) -> scripts.ScriptRunner:
    return getattr(scripts, f"scripts_{tab}")


def _fields(request: Any) -> dict[str, Any]:
    fields = {name: value for name, value in request.dict().items() if name not in _NOT_FOR_P}
    fields["sampler_name"] = request.sampler_name or request.sampler_index
    fields["do_not_save_samples"] = fields["do_not_save_grid"] = not request.save_images
    return fields


def _run(p: Any, runner: scripts.ScriptRunner, arguments: list[Any], selectable: Any) -> Any:
    """Selectable scripts get a list and run the job themselves; always-on ones get a tuple. As in the host."""
    if selectable is not None:
        p.script_args = arguments
        return runner.run(p, *arguments)
    p.script_args = tuple(arguments)
    return process_images(p)
