"""The contract with the model side of a WebUI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import contextlib
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import torch
    from PIL import Image
    from torch import nn

    from lib_instantstyle.pictures.regions import CropWindow
    from lib_instantstyle.unet.call import UNetCall

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

    def read_pass(self, p: Any, conditioning: Any) -> PassReader:
        """Return a reader of the coming pass of ``p``; ``conditioning`` is the hook's argument ``c``."""

    def wrap_next_sampling(self, p: Any, scope: Scope) -> None:
        """Run the next denoising loop of ``p``, and only that one, inside ``scope()``.

        Errors raised by ``scope`` reach the user and the API, unlike errors in script hooks.
        """

    def raise_at_start(self, p: Any, error: Exception) -> None:
        """Raise ``error`` at the beginning of ``p``'s job, where it reaches the user and the API."""
