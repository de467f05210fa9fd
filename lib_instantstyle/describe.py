"""Adapters and encoders in plain words: what each is, how large, and what it can do. No host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_instantstyle.catalogue import bytes_of
from lib_instantstyle.checkpoint import BIGG_WIDTH, Kind

if TYPE_CHECKING:
    from lib_instantstyle.catalogue import ModelSet
    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.encoder import EncoderFile

_TOWERS = {1280: "ViT-bigG", 1024: "ViT-H", 768: "ViT-L"}  # by the width of their projection
_HIDDEN = {1664: "ViT-bigG", 1280: "ViT-H", 1024: "ViT-L"}  # by the width of their hidden states
_UNITS = (("GB", 10**9, 1), ("MB", 10**6, 0), ("KB", 10**3, 0))


def size_text(count: int) -> str:
    """Return a number of bytes as people say it: ``703 MB``, ``3.7 GB``."""
    for unit, factor, digits in _UNITS:
        if count >= factor:
            return f"{count / factor:.{digits}f} {unit}"
    return f"{count} bytes"


def adapter_kind(adapter: Adapter) -> str:
    """Return what ``adapter`` is: ``IP-Adapter Plus for ViT-H``."""
    towers = _TOWERS if adapter.kind is Kind.LINEAR else _HIDDEN
    tower = towers.get(adapter.embedding_width, f"an encoder {adapter.embedding_width} wide")
    return f"{'IP-Adapter' if adapter.kind is Kind.LINEAR else 'IP-Adapter Plus'} for {tower}"


def adapter_abilities(adapter: Adapter, text_width: int = BIGG_WIDTH) -> str:
    """Return what ``adapter`` can do, with a checkpoint whose text tower's space has so many dimensions."""
    return (
        "style, layout and content removal"
        if adapter.shares_space(text_width)
        else "style and layout; no content removal"
    )


def adapter_text(adapter: Adapter, *, has_encoder: bool) -> str:
    """Return what ``adapter`` is and can do; the name of its encoder follows where it has one."""
    seen_by = "sees through" if has_encoder else "its image encoder is missing"
    return f"{adapter_kind(adapter)}: {adapter_abilities(adapter)}; {seen_by}"


def set_text(models: ModelSet) -> str:
    """Return what a set of models is good for and how large it is: ``… content removal (4.4 GB)``."""
    return f"{models.label} ({size_text(bytes_of(models.files))})"


def encoder_kind(encoder: EncoderFile) -> str:
    """Return what ``encoder`` is."""
    return _TOWERS.get(encoder.projection_width, f"a CLIP tower {encoder.projection_width} wide")
