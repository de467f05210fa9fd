"""Replacement UNets: while ``current_unet`` is set, nothing inside the checkpoint's UNet runs."""

from __future__ import annotations

from typing import Any

from sgm.modules.diffusionmodules.openaimodel import UNetModel

current_unet: Any = None
current_unet_option: Any = None
unet_options: list[Any] = []
_original_forward = UNetModel.forward


def list_unets() -> None:
    from modules import script_callbacks

    unet_options[:] = script_callbacks.list_unets_callback()


def apply_unet(_option: str | None = None) -> None:
    """There is nothing to choose from unless a test sets ``current_unet``."""


def unet_forward(self: UNetModel, x: Any, timesteps: Any = None, context: Any = None, *args: Any, **kwargs: Any) -> Any:
    if current_unet is not None:
        return current_unet.forward(x, timesteps, context, *args, **kwargs)
    return _original_forward(self, x, timesteps, context, *args, **kwargs)


def install() -> None:
    """Put the switch in front of every UNet."""
    UNetModel.forward = unet_forward
