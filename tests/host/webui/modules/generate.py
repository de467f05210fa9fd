"""The Generate buttons: from the page's values to pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from modules import scripts
from modules.call_queue import wrap_gradio_gpu_call
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
        raise ValueError("img2img needs a picture")
    return StableDiffusionProcessingImg2Img(init_images=[image.convert("RGB")], mask=mask, **fields)


def generator(tab: str, names: list[str]) -> Callable[..., tuple]:
    """Return the handler of ``tab``: the first values are the fields called ``names``, the rest the scripts'."""
    build = _txt2img if tab == "txt2img" else _img2img

    def generate(*values: Any) -> tuple:
        fields = dict(zip(names, values, strict=False))
        processed = _run(tab, build(fields), values[len(names) :])
        return (
            processed.images,
            processed.js(),
            plaintext_to_html(processed.info),
            plaintext_to_html(processed.comments, classname="comments"),
        )

    return wrap_gradio_gpu_call(generate, extra_outputs=[None, "", ""])


def _run(tab: str, p: Any, script_args: tuple) -> Processed:
    runner = getattr(scripts, f"scripts_{tab}")
    with closing(p):
        p.outpath_samples = str(Path(default_output_dir) / f"{tab}-images")
        p.scripts = runner
        p.script_args = script_args
        return runner.run(p, *script_args) or process_images(p)
