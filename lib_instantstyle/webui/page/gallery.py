"""Galleries whose pictures can be read: gradio's own are for looking only."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
from PIL import Image

from lib_instantstyle.params.combination import MAX_PICTURES

_CAPTION = re.compile(r"Reference ([1-8])")


class PictureGallery(gr.Gallery):  # type: ignore[misc]
    """A gallery that hands its pictures to events and scripts."""

    def get_block_name(self) -> str:
        """Be drawn as the gallery that it is."""
        return "gallery"

    def preprocess(self, payload: Any) -> list[Image.Image]:
        """Open the pictures, which the page names as files that the server wrote."""
        return [picture for picture, _ in _opened(payload)]


class MaskGallery(PictureGallery):
    """A gallery of masks, whose captions say to which reference each belongs."""

    def preprocess(self, payload: Any) -> list[Image.Image | None]:
        """Return the masks at the places of their references."""
        masks: dict[int, Image.Image] = {}
        for picture, caption in _opened(payload):
            number = _CAPTION.fullmatch(caption)
            if number:
                masks[int(number[1]) - 1] = picture
        return [masks.get(index) for index in range(max(masks, default=-1) + 1)]

    def postprocess(self, masks: Any) -> list[Any]:
        """Show masks by the places of their references."""
        entries: list[Any] = super().postprocess(
            [(mask, f"Reference {number}") for number, mask in enumerate(masks or [], start=1) if mask is not None]
        )
        return entries


def with_mask(masks: list[Image.Image | None], number: int, mask: Image.Image | None) -> list[Image.Image | None]:
    """Return ``masks`` with the one of reference ``number``, from 1, exchanged."""
    padded = [*masks, *[None] * MAX_PICTURES][:MAX_PICTURES]
    padded[number - 1] = mask
    return padded


def _opened(payload: Any) -> list[tuple[Image.Image, str]]:
    from modules.infotext_utils import image_from_url_text

    entries = [entry if isinstance(entry, (list, tuple)) else (entry, "") for entry in payload or []]
    return [(image_from_url_text(file), caption or "") for file, caption in entries]
