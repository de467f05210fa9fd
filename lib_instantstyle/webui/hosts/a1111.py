"""The AUTOMATIC1111 WebUI, 1.10."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import UnsupportedModelError
from lib_instantstyle.method.latents import NoiseLevels
from lib_instantstyle.self_attention.recorded_pass import ldm_forward
from lib_instantstyle.webui.hosts.a1111_pass import A1111Pass
from lib_instantstyle.webui.hosts.webui_host import WebUIHost, unrecorded_prompt_notes, where_masked

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from torch import nn

    from lib_instantstyle.self_attention.reference import Conditioning
    from lib_instantstyle.webui.hosts.host import Change


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

        width = _pooled_width(getattr(shared.sd_model, "conditioner", None))
        with torch.no_grad(), devices.autocast(), self.notes_of_prompts():
            vector: torch.Tensor = shared.sd_model.get_learned_conditioning(list(texts))["vector"]
        return vector[:, :width].float().cpu()

    def model(self) -> Any:
        """Read ``shared.sd_model``."""
        from modules import shared

        return shared.sd_model

    def vae(self) -> nn.Module:
        """Read the model's first stage."""
        vae: nn.Module = self.model().first_stage_model
        return vae

    def notes_of_prompts(self) -> contextlib.AbstractContextManager[None]:
        """Notes are gathered on the one ``model_hijack``."""
        from modules.sd_hijack import model_hijack

        return unrecorded_prompt_notes(model_hijack)

    def run_unet(
        self, unet: nn.Module, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning
    ) -> object:
        """Call it as sgm does."""
        return ldm_forward(unet, latents, timesteps, conditioning)

    def noise_levels(self) -> NoiseLevels:
        """Read the model's, which a job may have rescaled to zero terminal SNR."""
        return NoiseLevels(self.model().alphas_cumprod)

    def model_state(self) -> Hashable:
        """Networks are those of the built-in extension *Lora*, as it compares them itself."""
        from modules import shared

        loaded = getattr(sys.modules.get("networks"), "loaded_networks", ())
        networks = tuple((n.name, n.te_multiplier, n.unet_multiplier, n.dyn_dim, n.mtime) for n in loaded)
        layers = (
            (h.name, layer) for h in shared.loaded_hypernetworks for layers in h.layers.values() for layer in layers
        )
        hypernetworks = tuple((name, layer.multiplier) for name, layer in layers)
        model = self.model()
        dtype = next(model.model.diffusion_model.parameters()).dtype
        return model.sd_checkpoint_info.filename, networks, hypernetworks, dtype

    def with_denoised(self, step: Any, denoised: torch.Tensor, change: Change) -> torch.Tensor:
        """Convert what the samplers of DDIM's kind predict, the noise, to the clean latents and back."""
        from modules.sd_samplers_timesteps import CFGDenoiserTimesteps

        denoiser = step.denoiser
        if not isinstance(denoiser, CFGDenoiserTimesteps):
            return super().with_denoised(step, denoised, change)
        latents, timesteps = step.x[-len(denoised) :], step.sigma[-len(denoised) :]
        clean = denoiser.get_pred_x0(latents, denoised, timesteps)
        alphas = self.model().alphas_cumprod[timesteps.to(dtype=int)].view(-1, 1, 1, 1)
        noise: torch.Tensor = (latents - alphas.sqrt() * where_masked(step, clean, change(clean))) / (1 - alphas).sqrt()
        return noise

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
