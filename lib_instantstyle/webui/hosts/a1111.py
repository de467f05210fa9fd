"""The AUTOMATIC1111 WebUI, 1.10."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import PictureError, UnsupportedModelError
from lib_instantstyle.webui.hosts.a1111_pass import A1111Pass
from lib_instantstyle.webui.hosts.crop_window import crop_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from PIL import Image
    from torch import nn

    from lib_instantstyle.pictures.regions import CropWindow
    from lib_instantstyle.webui.hosts.host import Scope


class A1111Host:
    """Implements `hosts.host.Host`; docstrings here say only what is particular to this WebUI."""

    def unet(self) -> nn.Module:
        """Read ``shared.sd_model``, which loads a checkpoint if there is none."""
        from modules import shared

        self.check_replacement()
        unet = _unet_of(shared.sd_model)
        if unet is None:
            raise UnsupportedModelError("No checkpoint with a UNet is loaded. Choose an SDXL checkpoint.")
        return unet

    def checkpoint_name(self) -> str:
        """Read the setting."""
        from modules import shared

        return str(getattr(shared.opts, "sd_model_checkpoint", None) or "")

    def loaded_unet(self) -> nn.Module | None:
        """Read ``model_data``, which never triggers a load."""
        from modules import sd_models

        return _unet_of(sd_models.model_data.sd_model)

    def check_replacement(self) -> None:
        """Refuse the UNets of ``sd_unet``, such as TensorRT's."""
        from modules import sd_unet

        if sd_unet.current_unet is not None:
            raise UnsupportedModelError(
                "A replacement UNet (Settings → Stable Diffusion → SD Unet) is active, which InstantStyle cannot "
                "reach. Set SD Unet to None."
            )

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
        with torch.no_grad(), devices.autocast(), _unrecorded_prompt_notes():
            vector: torch.Tensor = shared.sd_model.get_learned_conditioning(list(texts))["vector"]
        return vector[:, :width].float().cpu()

    def encode_device(self, *, on_cpu: bool) -> torch.device:
        """Return the WebUI's device; with ``--medvram`` and ``--lowvram``, after moving its models to the CPU."""
        from modules import devices, lowvram, shared

        if on_cpu:
            return torch.device("cpu")
        device: torch.device = devices.get_optimal_device()
        if device.type != "cpu" and lowvram.is_enabled(shared.sd_model):
            lowvram.send_everything_to_cpu()
        return device

    def free_memory(self) -> None:
        """Empty torch's cache."""
        from modules import devices

        devices.torch_gc()

    def fetch_picture(self, address: str) -> Image.Image:
        """Fetch a picture as the API does for its own arguments."""
        from fastapi import HTTPException
        from modules.api.api import decode_base64_to_image

        try:
            return decode_base64_to_image(address)
        except HTTPException as error:
            raise PictureError(f"The picture at {address} was not fetched: {error.detail}.") from error
        except OSError as error:  # what requests raises
            raise PictureError(f"The picture at {address} cannot be fetched: {error}.") from error

    def file_sha256(self, path: Path, title: str) -> str | None:
        """Look the hash up in ``modules.hashes``; None with ``--no-hashing``."""
        from modules import hashes

        digest: str | None = hashes.sha256(str(path), title)
        return digest

    def crop_window(self, p: Any) -> CropWindow:
        """Account for "Only masked" and for hires passes of another shape."""
        return crop_window(p)

    def written_tags(self, p: Any, network: str) -> list[list[tuple[str, ...]]]:
        """Parse every prompt of the batch: the host itself activates only what the first one names."""
        from modules import extra_networks

        if getattr(p, "disable_extra_networks", False):
            return []
        prompts = p.all_hr_prompts if getattr(p, "is_hr_pass", False) else p.all_prompts
        batch = prompts[p.iteration * p.batch_size : (p.iteration + 1) * p.batch_size]
        found = [extra_networks.parse_prompt(prompt)[1].get(network, []) for prompt in batch]
        return [[tuple(map(str, params.items)) for params in tags] for tags in found]

    def read_pass(self, p: Any, conditioning: Any) -> A1111Pass:
        """Count the AND parts that ``conditioning`` lists picture by picture."""
        return A1111Pass([len(parts) for parts in conditioning.batch], p.iteration * p.batch_size)

    def wrap_next_sampling(self, p: Any, scope: Scope) -> None:
        """Wrap the sampler's ``launch_sampling``.

        The wrapper removes itself before the loop begins, so a sampler that is reused for several batches is never
        wrapped twice, and nothing stays on it.
        """
        sampler = p.sampler
        original = sampler.launch_sampling
        own = sampler.__dict__.get("launch_sampling")

        def launch_sampling(steps: int, func: Callable[[], Any]) -> Any:
            if sampler.__dict__.get("launch_sampling") is launch_sampling:
                if own is None:
                    del sampler.launch_sampling
                else:
                    sampler.launch_sampling = own
            with scope():
                return original(steps, func)

        sampler.launch_sampling = launch_sampling

    def raise_at_start(self, p: Any, error: Exception) -> None:
        """Make ``p.init`` raise: it is the first call after the hooks whose errors the host does not swallow."""

        def init(*_args: Any, **_kwargs: Any) -> None:
            raise error

        p.init = init


def _unet_of(model: Any) -> nn.Module | None:
    return getattr(getattr(model, "model", None), "diffusion_model", None)


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


@contextlib.contextmanager
def _unrecorded_prompt_notes() -> Iterator[None]:
    """Keep the notes of encoding a phrase (emphasis, embeddings, comments) out of the picture's infotext."""
    from modules.sd_hijack import model_hijack

    parameters, comments = dict(model_hijack.extra_generation_params), list(model_hijack.comments)
    try:
        yield
    finally:
        model_hijack.extra_generation_params = parameters
        model_hijack.comments = comments
