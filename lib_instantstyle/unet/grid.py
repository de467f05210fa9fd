"""The grid of an attention's positions: height and width, which only the block's own input tells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_instantstyle.errors import RegionError

if TYPE_CHECKING:
    import torch
    from torch import nn
    from torch.utils.hooks import RemovableHandle

    from lib_instantstyle.unet.sites import Site


class SiteGrid:
    """Notes height and width at one site while attached, for regions."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._noted: tuple[int, int] | None = None

    def attach(self) -> RemovableHandle:
        """Add the hook that notes them."""
        return self._site.transformer.register_forward_pre_hook(self._note)

    def forget(self) -> None:
        """Drop what was noted."""
        self._noted = None

    def of(self, positions: int) -> tuple[int, int] | None:
        """Return height and width of ``positions``; None if not attached.

        Raises:
            RegionError: If they are not the block's.
        """
        noted = self._noted
        if noted is not None and noted[0] * noted[1] != positions:
            raise RegionError(
                f"{self._site.name} has {positions} positions where its block has {noted[0]}×{noted[1]}: another "
                "extension merges or cuts them, so regions have no place. Switch it off, or remove the region masks."
            )
        return noted

    def _note(self, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        height, width = args[0].shape[-2:]
        self._noted = (height, width)
