"""Adapters and encoders described for users: what each is, and what it can do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.towers import BIGG_WIDTH, by_projection

if TYPE_CHECKING:
    from lib_instantstyle.models.adapter import Adapter
    from lib_instantstyle.models.encoder_file import EncoderFile


def adapter_kind(adapter: Adapter) -> str:
    """Return what ``adapter`` is, such as ``IP-Adapter Plus for ViT-H``."""
    tower = adapter.tower.name if adapter.tower else f"an encoder {adapter.embedding_width} wide"
    return f"{'IP-Adapter' if adapter.kind is Kind.LINEAR else 'IP-Adapter Plus'} for {tower}"


def adapter_abilities(adapter: Adapter, text_width: int = BIGG_WIDTH) -> str:
    """Return what ``adapter`` can do with a checkpoint whose text vectors have ``text_width`` dimensions.

    Where that is not known, and the adapter's encoder is none of those for SDXL, it may be made for another text tower.
    """
    if adapter.shares_space(text_width):
        return "style, layout and content removal"
    if adapter.has_text_space and not adapter.tower:
        return f"style and layout; content removal where text vectors are {adapter.embedding_width} wide too"
    return "style and layout; no content removal"


def adapter_text(adapter: Adapter, *, has_encoder: bool) -> str:
    """Return what ``adapter`` is and can do; the caller appends the encoder's name where there is one."""
    seen_by = "sees through" if has_encoder else "its image encoder is missing"
    return f"{adapter_kind(adapter)}: {adapter_abilities(adapter)}; {seen_by}"


def encoder_kind(encoder: EncoderFile) -> str:
    """Return the name of ``encoder``'s architecture."""
    tower = by_projection(encoder.projection_width)
    return tower.name if tower else f"a CLIP tower {encoder.projection_width} wide"
