"""Calls the model in tiles, several at once, as MultiDiffusion does on the Forge family: by a wrapper of the UNet."""

from __future__ import annotations

from typing import Any

import gradio as gr
import modules.scripts as scripts
import torch


class Script(scripts.Script):
    def title(self):
        return "Tiles"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        count = gr.Number(0, label="Tiles", precision=0, elem_id=self.elem_id("count"))
        at_once = gr.Number(1, label="At once", precision=0, elem_id=self.elem_id("at_once"))
        return [count, at_once]

    def process_before_every_sampling(self, p, count, at_once, **kwargs):
        if not count:
            return
        objects = p.sd_model.forge_objects
        objects.unet = objects.unet.clone()
        objects.unet.set_model_unet_function_wrapper(
            lambda apply, call: _in_tiles(apply, call, int(count), int(at_once))
        )


def _in_tiles(apply: Any, call: dict[str, Any], count: int, at_once: int) -> torch.Tensor:
    """Every tile is the whole picture; what the call says of its rows stays as it was."""
    total = torch.zeros_like(call["input"])
    for start in range(0, count, at_once):
        here = min(at_once, count - start)
        c = {name: _repeated(value, here) for name, value in call["c"].items()}
        answer = apply(_repeated(call["input"], here), _repeated(call["timestep"], here), **c)
        total = total + answer.unflatten(0, (here, -1)).sum(dim=0)
    return total / count


def _repeated(value: Any, count: int) -> Any:
    return value.repeat(count, *[1] * (value.dim() - 1)) if isinstance(value, torch.Tensor) else value
