"""What we need of a host, and how the AUTOMATIC1111 WebUI gives it.

`Host` is the whole border to the model side of a WebUI. Another host (Forge, reForge) is another class with
these methods. The WebUI's modules are imported inside the methods: some of them are replaced while the
program runs, and nothing may happen at import.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import torch

from lib_instantstyle.errors import PictureError, UnsupportedModelError
from lib_instantstyle.injection import UNetCall
from lib_instantstyle.rows import RowCursor
from lib_instantstyle.webui.frames import frame_of
from lib_instantstyle.webui.loaded import check_replacement, pooled_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from PIL import Image
    from torch import nn

    from lib_instantstyle.regions import Frame


class Host(Protocol):
    """The model side of a WebUI."""

    def unet(self) -> nn.Module:
        """Return the UNet that the next call will run."""

    def encode_device(self) -> torch.device:
        """Return the device for the image encoder, freed as far as the host can."""

    def text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the pooled, projected vectors ``[texts, d]`` of the model's own text tower."""

    def fetch_picture(self, address: str) -> Image.Image:
        """Fetch a picture under the host's own request options."""

    def begin_sampling(self, p: Any, conditioning: Any) -> Frame:
        """Note the batch that is sampled next; return the part of the picture that the UNet sees."""

    def begin_step(self, step: Any) -> None:
        """Note the rows of the denoising step that begins."""

    def describe_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        """Explain one call of the UNet."""


class A1111Host:
    """AUTOMATIC1111 stable-diffusion-webui 1.10."""

    def __init__(self) -> None:
        self._cursor = RowCursor()
        self._parts: list[int] = []
        self._first_picture = 0

    def unet(self) -> nn.Module:
        """Return the loaded checkpoint's UNet.

        Raises:
            UnsupportedModelError: If none is loaded, or another program (TensorRT) runs in its place.
        """
        from modules import shared

        check_replacement()
        unet: nn.Module | None = getattr(getattr(shared.sd_model, "model", None), "diffusion_model", None)
        if unet is None:
            raise UnsupportedModelError("No checkpoint with a UNet is loaded. Choose an SDXL checkpoint.")
        return unet

    def encode_device(self) -> torch.device:
        """Return the WebUI's device, or the CPU where the user asked for it."""
        from modules import devices, lowvram, shared

        if getattr(shared.opts, "instantstyle_encode_on_cpu", False):
            return torch.device("cpu")
        device: torch.device = devices.get_optimal_device()
        if device.type != "cpu" and lowvram.is_enabled(shared.sd_model):
            lowvram.send_everything_to_cpu()
        return device

    def text_vectors(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the pooled vectors of SDXL's second text tower, through the conditioner.

        The conditioner rather than the tower itself, because it is what ``--medvram`` moves to the device.

        Raises:
            UnsupportedModelError: If the checkpoint has no text tower with a projection.
        """
        from modules import devices, shared

        width = pooled_width(getattr(shared.sd_model, "conditioner", None))
        with torch.no_grad(), devices.autocast(), _unrecorded_prompt_notes():
            vector: torch.Tensor = shared.sd_model.get_learned_conditioning(list(texts))["vector"]
        return vector[:, :width].float().cpu()

    def fetch_picture(self, address: str) -> Image.Image:
        """Fetch a picture as the API fetches its own.

        Raises:
            PictureError: If the options forbid it or there is no picture at ``address``.
        """
        from fastapi import HTTPException
        from modules.api.api import decode_base64_to_image

        try:
            return decode_base64_to_image(address)
        except HTTPException as error:
            raise PictureError(f"The picture at {address} was not fetched: {error.detail}.") from error
        except OSError as error:  # what requests raises
            raise PictureError(f"The picture at {address} cannot be fetched: {error}.") from error

    def begin_sampling(self, p: Any, conditioning: Any) -> Frame:
        """Note the number of AND parts of each picture, from the hook's ``c``, and how many pictures came before."""
        self._parts = [len(parts) for parts in conditioning.batch]
        self._first_picture = p.iteration * p.batch_size
        return frame_of(p)

    def begin_step(self, step: Any) -> None:
        """Set the cursor back; ``step`` is the ``cfg_denoiser`` callback's parameter object."""
        self._cursor.begin_step(self._parts, step.text_cond.shape[0], step.text_uncond.shape[0], self._first_picture)

    def describe_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> UNetCall:
        """Explain ``unet(x, timesteps=…, context=…, y=…)``.

        Raises:
            UnsupportedModelError: If the call comes from a WebUI that orders its rows otherwise.
        """
        if "transformer_options" in kwargs:  # Forge, reForge and Classic, whose unconditional rows come first
            raise UnsupportedModelError(
                "This WebUI is of the Forge family (Forge, reForge, Forge Classic), which InstantStyle does not "
                "support yet: the style would act on the wrong rows. Use AUTOMATIC1111 WebUI 1.10, or switch "
                "InstantStyle off."
            )
        timesteps = kwargs["timesteps"] if "timesteps" in kwargs else args[1]
        return UNetCall(self._cursor.take(args[0].shape[0]), timesteps)


def wrap_next_sampling(sampler: Any, scope: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
    """Run the sampler's next denoising loop, and only that, inside ``scope()``.

    The wrapper takes itself off before the loop begins, so a sampler that is reused over batches is never
    wrapped twice and nothing of ours stays on it. Errors raised by ``scope`` reach the user and the API,
    which errors in script hooks do not.
    """
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


def raise_on_init(p: Any, error: Exception) -> None:
    """Make ``p.init`` raise ``error``: the first call after the hooks whose errors the host does not swallow."""

    def init(*_args: Any, **_kwargs: Any) -> None:
        raise error

    p.init = init


@contextlib.contextmanager
def _unrecorded_prompt_notes() -> Iterator[None]:
    """Keep what encoding a phrase notes (emphasis, embeddings, comments) out of the picture's infotext."""
    from modules.sd_hijack import model_hijack

    parameters, comments = dict(model_hijack.extra_generation_params), list(model_hijack.comments)
    try:
        yield
    finally:
        model_hijack.extra_generation_params = parameters
        model_hijack.comments = comments
