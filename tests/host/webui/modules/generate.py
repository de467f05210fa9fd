"""The Generate buttons: from the page's values to pictures."""

from __future__ import annotations

import html
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr

from modules import scripts, shared
from modules.call_queue import queue_lock
from modules.paths_internal import default_output_dir
from modules.processing import (
    Processed,
    StableDiffusionProcessingImg2Img,
    StableDiffusionProcessingTxt2Img,
    process_images,
)
from modules.ui_common import plaintext_to_html

Fields = dict[str, Any]


def _txt2img(fields: Fields) -> Any:
    return StableDiffusionProcessingTxt2Img(**fields)


def _img2img(fields: Fields) -> Any:
    image, inpaint = fields.pop("image"), fields.pop("inpaint")
    mask = None
    if inpaint:
        image, mask = inpaint["image"], inpaint["mask"].convert("L")
    if image is None:
        raise gr.Error("img2img needs a picture")
    return StableDiffusionProcessingImg2Img(init_images=[image.convert("RGB")], mask=mask, **fields)


def generator(tab: str, names: list[str]) -> Callable[..., tuple]:
    """Return the handler of ``tab``: the first values are the fields called ``names``, the rest the scripts'."""
    build = _txt2img if tab == "txt2img" else _img2img

    def generate(*values: Any) -> tuple:
        fields = dict(zip(names, values, strict=False))
        try:
            processed = _run(tab, build, fields, values[len(names) :])
        except gr.Error:
            raise
        except Exception as error:  # noqa: BLE001  shown on the page, as in the host
            traceback.print_exc()
            return [], "", "", f"<div class='error'>{html.escape(f'{type(error).__name__}: {error}')}</div>"
        return (
            processed.images,
            processed.js(),
            plaintext_to_html(processed.info),
            plaintext_to_html(processed.comments, classname="comments"),
        )

    return generate


def _run(tab: str, build: Callable[[Fields], Any], fields: Fields, script_args: tuple) -> Processed:
    runner = getattr(scripts, f"scripts_{tab}")
    with queue_lock, closing(build(fields)) as p:
        p.outpath_samples = str(Path(default_output_dir) / f"{tab}-images")
        p.scripts = runner
        p.script_args = script_args
        shared.state.begin(job=tab)
        try:
            return runner.run(p, *script_args) or process_images(p)
        finally:
            shared.state.end()
