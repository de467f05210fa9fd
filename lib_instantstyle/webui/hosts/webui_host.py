"""What the WebUIs have in common: AUTOMATIC1111's, and the Forge family that grew from it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.errors import PictureError, UnsupportedModelError
from lib_instantstyle.method.memo import digest
from lib_instantstyle.self_attention.reference import Conditioning
from lib_instantstyle.webui.hosts.crop_window import crop_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from PIL import Image
    from torch import nn

    from lib_instantstyle.pictures.regions import CropWindow
    from lib_instantstyle.webui.hosts.host import Change, Scope

_FULL = 0  # of the WebUI's ways to encode a picture: the VAE itself, no approximation
_SCOPE = "_instantstyle_scope"  # on a sampler: what its next denoising loop runs in


class WebUIHost:
    """The part of `hosts.host.Host` that is the same everywhere; docstrings say only what is particular."""

    def loaded_unet(self) -> nn.Module | None:
        """Left to each WebUI."""
        raise NotImplementedError

    def unet(self) -> nn.Module:
        """Take the one in memory."""
        self.check_replacement()
        unet = self.loaded_unet()
        if unet is None:
            raise UnsupportedModelError("No checkpoint with a UNet is loaded. Choose an SDXL checkpoint.")
        return unet

    def checkpoint_name(self) -> str:
        """Read the setting."""
        from modules import shared

        return str(getattr(shared.opts, "sd_model_checkpoint", None) or "")

    def check_replacement(self) -> None:
        """Refuse the UNets of ``sd_unet``, such as TensorRT's."""
        from modules import sd_unet

        if sd_unet.current_unet is not None:
            raise UnsupportedModelError(
                "A replacement UNet (Settings → Stable Diffusion → SD Unet) is active, which InstantStyle cannot "
                "reach. Set SD Unet to None."
            )

    def model(self) -> Any:
        """Left to each WebUI: the loaded model, with its VAE and its text towers."""
        raise NotImplementedError

    def vae(self) -> nn.Module:
        """Left to each WebUI: the VAE of `model`."""
        raise NotImplementedError

    def notes_of_prompts(self) -> contextlib.AbstractContextManager[None]:
        """Left to each WebUI: keeps what encoding a text notes out of the picture's infotext."""
        raise NotImplementedError

    def picture_latent(self, pixels: torch.Tensor, seed: int) -> torch.Tensor:
        """Encode as img2img does, which moves the VAE to the device where the WebUI moves models."""
        from modules import devices, sd_samplers_common

        with torch.no_grad(), devices.autocast(), _seeded(seed, devices.device):
            found = sd_samplers_common.images_tensor_to_samples(pixels, _FULL, self.model())
        latent: torch.Tensor = found.detach().float().cpu()
        if not torch.isfinite(latent).all():
            raise UnsupportedModelError(
                "The VAE made no usable latent of the reference (not a number), as some do in half precision. Choose "
                "another VAE, or start the WebUI with --no-half-vae."
            )
        return latent

    def vae_fingerprint(self) -> str:
        """Hash the last layer of its encoder, small and different in every fine-tuned one."""
        weight = next(self.vae().get_submodule("encoder.conv_out").parameters())
        return digest(weight.detach().float().cpu())

    def conditioning(self, text: str, width: int, height: int) -> Conditioning:
        """Ask the model as for a prompt; SDXL's empties of a negative one are zeros."""
        from modules import devices, prompt_parser

        prompts = prompt_parser.SdConditioning([text], is_negative_prompt=not text, width=width, height=height)
        with torch.no_grad(), devices.autocast(), self.notes_of_prompts():
            found = self.model().get_learned_conditioning(prompts)
        if not isinstance(found, dict) or "vector" not in found:
            raise UnsupportedModelError("References can be read without an adapter by SDXL checkpoints only.")
        return Conditioning(*(found[name].detach().float().cpu() for name in ("crossattn", "vector")))

    def with_denoised(self, step: Any, denoised: torch.Tensor, change: Change) -> torch.Tensor:
        """Change what is clean already."""
        return where_masked(step, denoised, change(denoised))

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
        if getattr(p, "disable_extra_networks", False):
            return []
        prompts = p.all_hr_prompts if getattr(p, "is_hr_pass", False) else p.all_prompts
        batch = prompts[p.iteration * p.batch_size : (p.iteration + 1) * p.batch_size]
        return [self.tags_in(prompt, network) for prompt in batch]

    def tags_in(self, prompt: str, network: str) -> list[tuple[str, ...]]:
        """Parse ``prompt`` as the host does."""
        from modules import extra_networks

        return [tuple(map(str, params.items)) for params in extra_networks.parse_prompt(prompt)[1].get(network, [])]

    def wrap_next_sampling(self, p: Any, scope: Scope) -> None:
        """Wrap the sampler's ``launch_sampling``; called again before the loop, as Forge does, only change its scope.

        The wrapper removes itself before the loop begins, so a sampler that is reused for several batches is never
        wrapped twice, and nothing stays on it.
        """
        sampler = p.sampler
        own = sampler.__dict__.get("launch_sampling")
        is_waiting = own is not None and _SCOPE in sampler.__dict__
        setattr(sampler, _SCOPE, scope)
        if is_waiting:
            return
        original = sampler.launch_sampling

        def launch_sampling(steps: int, func: Callable[[], Any]) -> Any:
            if sampler.__dict__.get("launch_sampling") is launch_sampling:
                if own is None:
                    del sampler.launch_sampling
                else:
                    sampler.launch_sampling = own
            with sampler.__dict__.pop(_SCOPE, contextlib.nullcontext)():
                return original(steps, func)

        sampler.launch_sampling = launch_sampling

    def raise_at_start(self, p: Any, error: Exception) -> None:
        """Make ``p.init`` raise: it is the first call after the hooks whose errors the host does not swallow."""

        def init(*_args: Any, **_kwargs: Any) -> None:
            raise error

        p.init = init


@contextlib.contextmanager
def unrecorded_prompt_notes(holder: Any) -> Iterator[None]:
    """Keep the notes of encoding a phrase (emphasis, embeddings, comments) out of the picture's infotext.

    Args:
        holder: The object on which the WebUI gathers them.
    """
    parameters, comments = dict(holder.extra_generation_params), list(holder.comments)
    try:
        yield
    finally:
        holder.extra_generation_params = parameters
        holder.comments = comments


def where_masked(step: Any, denoised: torch.Tensor, changed: torch.Tensor) -> torch.Tensor:
    """Return ``changed`` where the job inpaints, and ``denoised`` elsewhere."""
    share = getattr(getattr(step, "denoiser", None), "nmask", None)
    return changed if share is None else denoised + share.to(denoised) * (changed - denoised)


@contextlib.contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's own generators, and give them back as they were."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
