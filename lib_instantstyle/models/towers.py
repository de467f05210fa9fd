"""The vision towers that adapters are made for: their widths, heads and names."""

from __future__ import annotations

from typing import NamedTuple

BIGG_WIDTH = 1280  # of OpenCLIP ViT-bigG's projection space, which SDXL's second text tower shares


class Tower(NamedTuple):
    """One architecture of CLIP."""

    name: str
    hidden: int  # width of its hidden states, which Plus adapters read
    projection: int  # width of the space it shares with text, which linear adapters read
    heads: int  # attention heads; the tensors' shapes do not give them, nor the activation
    activation: str = ""  # as transformers calls it; empty where towers of this width differ (OpenAI's from OpenCLIP's)
    download: str = ""  # where to get it; empty for towers that no SDXL adapter reads


_BIGG = "OpenCLIP ViT-bigG-14 (h94/IP-Adapter, folder sdxl_models/image_encoder)"
_H = "OpenCLIP ViT-H-14 (h94/IP-Adapter, folder models/image_encoder)"
TOWERS = (
    Tower("ViT-bigG", 1664, BIGG_WIDTH, 16, "gelu", _BIGG),
    Tower("ViT-H", 1280, 1024, 16, "gelu", _H),
    Tower("ViT-L", 1024, 768, 16),
    Tower("ViT-B", 768, 512, 12),
)


def by_projection(width: int) -> Tower | None:
    """Return the tower whose projection is ``width`` wide."""
    return next((tower for tower in TOWERS if tower.projection == width), None)


def by_hidden(width: int) -> Tower | None:
    """Return the tower whose hidden states are ``width`` wide."""
    return next((tower for tower in TOWERS if tower.hidden == width), None)
