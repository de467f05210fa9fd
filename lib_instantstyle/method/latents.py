"""The reference as the UNet sees it: its size, and its latent with as much noise as the picture's at a timestep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from lib_instantstyle.errors import UnsupportedModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

STEP = 64  # pixels; the UNet halves a latent, of 8 pixels each, twice, and once more in some checkpoints
_MASK = 1  # channels of the mask that inpainting models take beside the picture's latent


class PictureLatent(NamedTuple):
    """The clean latent of a picture."""

    sha256: str  # of the picture
    latent: torch.Tensor  # [1, channels, h, w], in half precision


@dataclass(frozen=True)
class Latents:
    """The latents of a style's pictures."""

    style: tuple[PictureLatent, ...]  # one per style reference, at least one
    layout: PictureLatent | None = None


class NoiseLevels:
    """How much of a noised latent is picture and how much noise, by timestep.

    Args:
        alphas_cumprod: ``ᾱ`` ``[timesteps]``, as the host's model has it.
    """

    def __init__(self, alphas_cumprod: torch.Tensor) -> None:
        known = alphas_cumprod.detach().double().cpu().clamp(1e-12, 1.0 - 1e-12)
        self._log_sigmas: list[float] = (0.5 * ((1.0 - known) / known).log()).tolist()

    def at(self, timestep: float) -> tuple[float, float]:
        """Return ``√ᾱ`` and ``√(1 − ᾱ)``; between timesteps ``log σ`` is interpolated, as k-diffusion does."""
        place = min(max(timestep, 0.0), len(self._log_sigmas) - 1.0)
        below = math.floor(place)
        above = min(below + 1, len(self._log_sigmas) - 1)
        log_sigma = self._log_sigmas[below] + (place - below) * (self._log_sigmas[above] - self._log_sigmas[below])
        picture = 1.0 / math.sqrt(1.0 + math.exp(2.0 * log_sigma))
        return picture, math.exp(log_sigma) * picture


def fixed_noise(sha256: str, shape: Sequence[int]) -> torch.Tensor:
    """Return the noise of a picture, ``shape`` in float32: the same in every job, on every device and in every batch.

    Args:
        sha256: The picture's hash, which seeds it.
        shape: Of its latent.
    """
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(noise_seed(sha256)))


def noise_seed(sha256: str) -> int:
    """Return the seed that belongs to the picture with this hash."""
    return int(sha256[:8], 16)  # 32 bits are all that the CPU's generator heeds


def with_picture_channels(noised: torch.Tensor, clean: torch.Tensor, channels: int) -> torch.Tensor:
    """Append what inpainting and editing models take beside the noised latent: a mask of nothing, the clean latent.

    Args:
        noised, clean: ``[rows, c, h, w]``.
        channels: Of the UNet's input.

    Raises:
        UnsupportedModelError: If it is neither ``c``, nor ``2c``, nor ``2c + 1``.
    """
    own = clean.shape[1]
    if channels == own:
        return noised
    if channels == 2 * own:
        return torch.cat((noised, clean), dim=1)
    if channels == 2 * own + _MASK:
        return torch.cat((noised, torch.zeros_like(clean[:, :_MASK]), clean), dim=1)
    raise UnsupportedModelError(
        f"The reference cannot be read by a UNet with {channels} input channels where a latent has {own}. Choose "
        "an SDXL base or inpainting checkpoint."
    )


def reference_size(picture: tuple[int, int], job: tuple[int, int], share: float = 1.0) -> tuple[int, int]:
    """Return width and height at which a reference is encoded: the area of the job, the aspect ratio of the picture.

    Squashed, its textures would have another scale; and the UNet knows pictures of the job's area.

    Args:
        picture, job: Widths and heights in pixels.
        share: Of the job's area; less costs less.

    Returns:
        Multiples of 64 pixels, at least one.
    """
    side = math.sqrt(job[0] * job[1] * share)
    ratio = math.sqrt(picture[0] / picture[1])
    width, height = (max(1, round(length / STEP)) * STEP for length in (side * ratio, side / ratio))
    return width, height
