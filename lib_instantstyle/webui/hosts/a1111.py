"""The AUTOMATIC1111 WebUI, 1.10."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.webui.hosts.a1111_pass import A1111Pass
from lib_instantstyle.webui.hosts.webui_host import WebUIHost, unrecorded_prompt_notes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn


class A1111Host(WebUIHost):
    """Implements `hosts.host.Host`; docstrings here say only what is particular to this WebUI."""

    def unet(self) -> nn.Module:
        """Read ``shared.sd_model``, which loads a checkpoint if there is none."""
        from modules import shared

        _ = shared.sd_model
        return super().unet()

    def loaded_unet(self) -> nn.Module | None:
        """Read ``model_data``, which never triggers a load."""
        from modules import sd_models

        return getattr(getattr(sd_models.model_data.sd_model, "model", None), "diffusion_model", None)

    def text_width(self) -> int | None:
        """Return the width of the second text tower's projection."""
        from modules import sd_models

        with contextlib.suppress(UnsupportedModelError):
            return _pooled_width(getattr(sd_models.model_data.sd_model, "conditioner", None))
        return None

    def text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Encode through the conditioner, which ``--medvram`` moves to the device, unlike the text tower itself."""
        from modules import devices, shared
        from modules.sd_hijack import model_hijack

        width = _pooled_width(getattr(shared.sd_model, "conditioner", None))
        with torch.no_grad(), devices.autocast(), unrecorded_prompt_notes(model_hijack):
            vector: torch.Tensor = shared.sd_model.get_learned_conditioning(list(texts))["vector"]
        return vector[:, :width].float().cpu()

    def encode_device(self, size: int, *, on_cpu: bool) -> torch.device:
        """Return the WebUI's device; with ``--medvram`` and ``--lowvram``, after moving its models to the CPU."""
        from modules import devices, lowvram, shared

        if on_cpu:
            return torch.device("cpu")
        device: torch.device = devices.get_optimal_device()
        if device.type != "cpu" and lowvram.is_enabled(shared.sd_model):
            lowvram.send_everything_to_cpu()
        return device

    def read_pass(self, p: Any, conditioning: Any) -> A1111Pass:
        """Count the AND parts that ``conditioning`` lists picture by picture."""
        return A1111Pass([len(parts) for parts in conditioning.batch], p.iteration * p.batch_size)


def _pooled_width(conditioner: Any) -> int:
    """Return the dimensions of the second text tower's pooled vector; only that tower has a projection."""
    for embedder in getattr(conditioner, "embedders", ()):
        tower = getattr(getattr(embedder, "wrapped", embedder), "model", None)
        projection = getattr(tower, "text_projection", None)
        if projection is not None:
            return int(projection.shape[1])
    raise UnsupportedModelError(
        "Content cannot be removed: the loaded checkpoint has no text tower with a projection. Choose an SDXL base "
        "checkpoint, or empty the content to remove."
    )
