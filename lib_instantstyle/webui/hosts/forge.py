"""The Forge family: Forge, reForge, Forge Classic and Neo."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.method.latents import NoiseLevels
from lib_instantstyle.self_attention.recorded_pass import ldm_forward
from lib_instantstyle.webui.hosts.forge_pass import ForgePass
from lib_instantstyle.webui.hosts.webui_host import WebUIHost, unrecorded_prompt_notes

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from torch import nn

    from lib_instantstyle.self_attention.reference import Conditioning

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
        from modules import devices

        model, width = self.model(), self.text_width()
        if width is None:
            raise UnsupportedModelError(
                "Content cannot be removed: the loaded checkpoint has no text tower with a projection. Choose an SDXL "
                "base checkpoint, or empty the content to remove."
            )
        with torch.no_grad(), devices.autocast(), self.notes_of_prompts():
            vector: torch.Tensor = model.get_learned_conditioning(list(texts))["vector"]
        return vector[:, :width].float().cpu()

    def model(self) -> Any:
        """Read ``model_data``; outside of a job, Forge may have nothing loaded yet."""
        from modules import sd_models

        if load := getattr(sd_models, "forge_model_reload", None):
            load()
        return sd_models.model_data.sd_model

    def vae(self) -> nn.Module:
        """Take it out of its patcher."""
        vae: nn.Module = self.model().forge_objects.vae.first_stage_model
        return vae

    @contextlib.contextmanager
    def notes_of_prompts(self) -> Iterator[None]:
        """Notes are gathered on the model, on ``model_hijack``, or beside both."""
        from modules import sd_hijack

        model = self.model()
        notes = model if hasattr(model, "extra_generation_params") else sd_hijack.model_hijack
        with unrecorded_prompt_notes(notes), _unrecorded_last_notes():
            yield

    def run_unet(
        self, unet: nn.Module, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning
    ) -> object:
        """Call it with options of its own, which the forward writes to."""
        return ldm_forward(unet, latents, timesteps, conditioning, transformer_options={})

    def noise_levels(self) -> NoiseLevels:
        """Read the sigmas of Forge's predictor, or of ``model_sampling`` on reForge and Classic."""
        unet = self.model().forge_objects.unet.model
        sigmas = getattr(unet, "predictor", None) or unet.model_sampling
        return NoiseLevels(1.0 / (1.0 + sigmas.sigmas.double() ** 2))

    def model_state(self) -> Hashable:
        """Name what is patched into the weights: by file on Forge, by a mark of the patcher's on reForge."""
        model = self.model()
        unet = model.forge_objects.unet
        patches = tuple(getattr(unet, "lora_patches", ())) or str(getattr(unet, "patches_uuid", ""))
        checkpoint = getattr(getattr(model, "sd_checkpoint_info", None), "filename", None) or self.checkpoint_name()
        return checkpoint, patches, getattr(model, "current_lora_hash", None)

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
