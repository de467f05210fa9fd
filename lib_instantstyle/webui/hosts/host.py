"""The contract with the model side of a WebUI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from pathlib import Path

    import torch
    from PIL import Image
    from torch import nn

    from lib_instantstyle.method.latents import NoiseLevels
    from lib_instantstyle.pictures.regions import CropWindow
    from lib_instantstyle.self_attention.reference import Conditioning
    from lib_instantstyle.unet.call import UNetCall

    Change = Callable[[torch.Tensor], torch.Tensor]

    Scope = Callable[[], contextlib.AbstractContextManager[None]]


class PassReader(Protocol):
    """Explains the calls of the UNet during one sampling pass."""

    def begin_step(self, step: Any) -> None:
        """Begin a denoising step; ``step`` is the argument of the host's ``cfg_denoiser`` callback.

        Raises:
            RowsError: If its rows cannot be told apart.
        """

    def read_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        """Return the rows and timesteps of a call of the UNet with these arguments.

        Raises:
            InstantStyleError: If they are unknown.
        """


class Host(Protocol):
    """The model side of a WebUI. It has no state of its own, so one object serves every job."""

    def unet(self) -> nn.Module:
        """Return the UNet that the next call will run.

        Raises:
            UnsupportedModelError: If there is none, or `check_replacement` refuses.
        """

    def checkpoint_name(self) -> str:
        """Return the name of the chosen checkpoint, loaded or not."""

    def loaded_unet(self) -> nn.Module | None:
        """Return the UNet that is in memory now, without loading any."""

    def check_replacement(self) -> None:
        """Raise `UnsupportedModelError` if something else runs in the UNet's place, such as a TensorRT engine."""

    def text_width(self) -> int | None:
        """Return the dimensions of `text_vectors`, None if unknown, as before a checkpoint is loaded."""

    def text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the pooled, projected vectors ``[texts, d]`` of the model's own text tower, float32 on the CPU.

        Raises:
            UnsupportedModelError: If the checkpoint has no text tower with a projection.
        """

    def picture_latent(self, pixels: torch.Tensor, seed: int) -> torch.Tensor:
        """Encode a picture ``[1, 3, height, width]`` in 0…1 with the loaded VAE.

        Args:
            pixels: The picture; its sides are multiples of 8 pixels.
            seed: Of the noise that samples the VAE's posterior, so that a picture always has the same latent.

        Returns:
            The latent ``[1, channels, height / 8, width / 8]`` in the scale of the UNet's, float32 on the CPU.

        Raises:
            UnsupportedModelError: If it is not finite, as of some VAEs in half precision.
        """

    def vae_fingerprint(self) -> str:
        """Return a hash that tells the encoders of VAEs apart."""

    def conditioning(self, text: str, width: int, height: int) -> Conditioning:
        """Return what the UNet is given of ``text`` for a picture of this size; of none, that of no negative prompt.

        Float32 on the CPU.

        Raises:
            UnsupportedModelError: If the loaded checkpoint is not SDXL's.
        """

    def run_unet(
        self, unet: nn.Module, latents: torch.Tensor, timesteps: torch.Tensor, conditioning: Conditioning
    ) -> object:
        """Call the forward of the class of ``unet`` as the host would, with nothing that others add to a call.

        Args:
            unet: What `unet` returned.
            latents: ``[rows, channels, h, w]``, as scaled for the UNet.
            timesteps: ``[rows]``.
            conditioning: Of each row.
        """

    def noise_levels(self) -> NoiseLevels:
        """Return the noise levels by timestep of the model that is about to sample."""

    def model_state(self) -> Hashable:
        """Return what is equal as long as the UNet answers the same: checkpoint, networks, hypernetworks, precision."""

    def with_denoised(self, step: Any, denoised: torch.Tensor, change: Change) -> torch.Tensor:
        """Apply ``change`` to the denoised latents of a step, where the job's mask lets them change.

        Args:
            step: The argument of the host's ``cfg_denoiser`` callback in this step.
            denoised: That of ``cfg_after_cfg``, ``[pictures, channels, h, w]``; some samplers predict the noise.
            change: Takes clean latents, and returns others.
        """

    def encode_device(self, size: int, *, on_cpu: bool) -> torch.device:
        """Return the CPU if ``on_cpu``, else the host's device after making room for a model of ``size`` bytes."""

    def free_memory(self) -> None:
        """Release the device's unused memory."""

    def fetch_picture(self, address: str) -> Image.Image:
        """Fetch a picture under the host's own request options.

        Raises:
            PictureError: If the options forbid it or there is no picture at ``address``.
        """

    def file_sha256(self, path: Path, title: str) -> str | None:
        """Return the SHA-256 of a file from the host's hash cache under ``title``; None where hashing is off."""

    def crop_window(self, p: Any) -> CropWindow:
        """Return the part of the whole picture that the coming pass of ``p`` samples."""

    def written_tags(self, p: Any, network: str) -> list[list[tuple[str, ...]]]:
        """Return the tags ``<network:…>`` in the prompt of each picture of the coming pass, split at their colons."""

    def tags_in(self, prompt: str, network: str) -> list[tuple[str, ...]]:
        """Return the tags ``<network:…>`` in ``prompt``, split at their colons."""

    def read_pass(self, p: Any, conditioning: Any) -> PassReader:
        """Return a reader of the coming pass of ``p``; ``conditioning`` is the hook's argument ``c``."""

    def wrap_next_sampling(self, p: Any, scope: Scope) -> None:
        """Run the next denoising loop of ``p``, and only that one, inside ``scope()``.

        Errors raised by ``scope`` reach the user and the API, unlike errors in script hooks.
        """

    def raise_at_start(self, p: Any, error: Exception) -> None:
        """Raise ``error`` at the beginning of ``p``'s job, where it reaches the user and the API."""
