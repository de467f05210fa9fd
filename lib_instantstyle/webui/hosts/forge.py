"""The Forge family: Forge, reForge, Forge Classic and Neo."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.webui.hosts.forge_pass import ForgePass
from lib_instantstyle.webui.hosts.webui_host import WebUIHost, unrecorded_prompt_notes

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import nn

_LAST_NOTES = "last_extra_generation_params"


class ForgeHost(WebUIHost):
    """Implements `hosts.host.Host`; docstrings here say only what is particular to this family.

    Its model is ``model_data.sd_model.forge_objects``: patchers for the UNet, the text towers and the autoencoder.
    Extensions clone the UNet's patcher, but every clone runs the same module.
    """

    def loaded_unet(self) -> nn.Module | None:
        """Read ``model_data``, which never triggers a load; Forge has nothing loaded before the first job."""
        return getattr(getattr(getattr(_objects(), "unet", None), "model", None), "diffusion_model", None)

    def text_width(self) -> int | None:
        """Return the width of the second text tower's projection."""
        tower = getattr(getattr(getattr(_objects(), "clip", None), "cond_stage_model", None), "clip_g", None)
        projection = getattr(tower, "text_projection", None)  # a matrix on reForge and Classic, a layer on Forge
        if projection is None:
            projection = getattr(getattr(getattr(tower, "transformer", None), "text_projection", None), "weight", None)
        return None if projection is None else int(projection.shape[-1])

    def text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Let the model encode, which moves its text towers to the device itself."""
        from modules import devices, sd_hijack, sd_models

        if load := getattr(sd_models, "forge_model_reload", None):  # outside of a job, Forge may have nothing loaded
            load()
        model, width = sd_models.model_data.sd_model, self.text_width()
        if width is None:
            raise UnsupportedModelError(
                "Content cannot be removed: the loaded checkpoint has no text tower with a projection. Choose an SDXL "
                "base checkpoint, or empty the content to remove."
            )
        notes = model if hasattr(model, "extra_generation_params") else sd_hijack.model_hijack
        with torch.no_grad(), devices.autocast(), unrecorded_prompt_notes(notes), _unrecorded_last_notes():
            vector: torch.Tensor = model.get_learned_conditioning(list(texts))["vector"]
        return vector[:, :width].float().cpu()

    def encode_device(self, size: int, *, on_cpu: bool) -> torch.device:
        """Return the WebUI's device, after its memory manager has made room there."""
        from modules import devices

        if on_cpu:
            return torch.device("cpu")
        device: torch.device = devices.get_optimal_device()
        if device.type != "cpu":
            manager = _memory_manager()
            manager.free_memory(size + manager.minimum_inference_memory(), device)
        return device

    def read_pass(self, p: Any, conditioning: Any) -> ForgePass:
        """Leave ``conditioning`` alone: each call of the UNet says what its rows are."""
        return ForgePass(p.iteration * p.batch_size)


def _objects() -> Any:
    from modules import sd_models

    return getattr(sd_models.model_data.sd_model, "forge_objects", None)


@contextlib.contextmanager
def _unrecorded_last_notes() -> Iterator[None]:
    """Keep the notes of encoding away from the next prompt, for which Forge and Neo hold them beside the model."""
    places = (sys.modules.get("backend.text_processing.classic_engine"), sys.modules.get("backend.args"))
    holders = [place for place in (places[0], getattr(places[1], "dynamic_args", None)) if hasattr(place, _LAST_NOTES)]
    kept = [dict(getattr(holder, _LAST_NOTES)) for holder in holders]
    try:
        yield
    finally:
        for holder, notes in zip(holders, kept, strict=True):
            setattr(holder, _LAST_NOTES, notes)


def _memory_manager() -> Any:
    if importlib.util.find_spec("backend"):  # Forge and Neo
        from backend import memory_management

        return memory_management
    from ldm_patched.modules import model_management

    return model_management
