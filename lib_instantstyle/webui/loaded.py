"""The checkpoint that is loaded now, looked at without loading any."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import UnsupportedModelError

if TYPE_CHECKING:
    from torch import nn


def check_replacement() -> None:
    """Refuse another program in the UNet's place.

    Raises:
        UnsupportedModelError: If there is one.
    """
    from modules import sd_unet

    if sd_unet.current_unet is not None:
        raise UnsupportedModelError(
            "A replacement UNet (Settings → Stable Diffusion → SD Unet) is active, which InstantStyle cannot "
            "reach. Set SD Unet to None."
        )


def loaded_unet() -> nn.Module | None:
    """Return the UNet of the checkpoint that is loaded now, without loading any."""
    from modules import sd_models

    model = getattr(sd_models.model_data.sd_model, "model", None)
    return getattr(model, "diffusion_model", None)


def text_width() -> int | None:
    """Return the dimensions of the space that content is removed in, None if no checkpoint with one is loaded."""
    from modules import sd_models

    with contextlib.suppress(UnsupportedModelError):
        return pooled_width(getattr(sd_models.model_data.sd_model, "conditioner", None))
    return None


def pooled_width(conditioner: Any) -> int:
    """Return the dimensions of the second text tower's pooled vector.

    Raises:
        UnsupportedModelError: If ``conditioner`` has no text tower with a projection.
    """
    for embedder in getattr(conditioner, "embedders", ()):
        tower = getattr(getattr(embedder, "wrapped", embedder), "model", None)
        projection = getattr(tower, "text_projection", None)
        if projection is not None:
            return int(projection.shape[1])
    raise UnsupportedModelError(
        "Content cannot be removed: the loaded checkpoint has no text tower with a projection. Choose an SDXL base "
        "checkpoint, or empty the content to remove."
    )
