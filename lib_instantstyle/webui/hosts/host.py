"""What the extension needs of the model side of a WebUI."""

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
    from lib_instantstyle.unet.injection import UNetCall

    Scope = Callable[[], contextlib.AbstractContextManager[None]]


class PassReader(Protocol):
    """Explains the calls of the UNet during one sampling pass."""

    def begin_step(self, step: Any) -> None:
        """Note the denoising step that begins; ``step`` is what the host's ``cfg_denoiser`` callback gets.

        Raises:
            RowsError: If its rows cannot be told apart.
        """

    def read_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        """Return the rows and timesteps of a call of the UNet with these arguments.

        Raises:
            InstantStyleError: If they cannot be told.
        """


class Host(Protocol):
    """The model side of a WebUI. It has no state of its own: one serves every job."""

    def unet(self) -> nn.Module:
        """Return the UNet that the next call will run.

        Raises:
            UnsupportedModelError: If none is loaded, or another program runs in its place.
        """

    def checkpoint_name(self) -> str:
        """Return the name of the checkpoint that is chosen, loaded or not."""

    def loaded_unet(self) -> nn.Module | None:
        """Return the UNet that is in memory now, without loading any."""

    def check_replacement(self) -> None:
        """Refuse another program in the UNet's place.

        Raises:
            UnsupportedModelError: If there is one.
        """

    def text_width(self) -> int | None:
        """Return the dimensions of the space that content is removed in, None before a checkpoint is loaded."""

    def text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the pooled, projected vectors ``[texts, d]`` of the model's own text tower, float32 on the CPU.

        Raises:
            UnsupportedModelError: If the checkpoint has no text tower with a projection.
        """

    def encode_device(self, *, on_cpu: bool) -> torch.device:
        """Return the device for the image encoder, freed as far as the host can; the CPU where the user wants it."""

    def free_memory(self) -> None:
        """Give back the device's memory that nothing uses."""

    def fetch_picture(self, address: str) -> Image.Image:
        """Fetch a picture under the host's own request options.

        Raises:
            PictureError: If the options forbid it or there is no picture at ``address``.
        """

    def file_sha256(self, path: Path, title: str) -> str | None:
        """Return the SHA-256 of a file from the host's hash cache under ``title``; None where hashing is off."""

    def crop_window(self, p: Any) -> CropWindow:
        """Return the part of the whole picture that the coming pass of ``p`` samples."""

    def read_pass(self, p: Any, conditioning: Any) -> PassReader:
        """Return what explains the calls of the coming pass of ``p``; ``conditioning`` is the hook's own ``c``."""

    def wrap_next_sampling(self, p: Any, scope: Scope) -> None:
        """Run the next denoising loop of ``p``, and only that, inside ``scope()``.

        Errors raised by ``scope`` reach the user and the API, which errors in script hooks do not.
        """

    def raise_at_start(self, p: Any, error: Exception) -> None:
        """Raise ``error`` where the job of ``p`` begins: where the user and the API see it."""
