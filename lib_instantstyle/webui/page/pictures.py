"""Gradio's picture components, changed: boxes hand over files as they are, and galleries can be read by handlers."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
from PIL import Image

from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.pictures.decoding import DECODE_ERRORS

_CAPTION = re.compile(r"Reference ([1-8])")


class PictureBox(gr.Image):  # type: ignore[misc]
    """A box for a picture. Gradio's own clips 16 bits to white, and fails silently on what is no picture."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="upload", type="pil", image_mode=None, **options)

    def get_block_name(self) -> str:
        """Let the page draw it as gradio's image."""
        return "image"

    def preprocess(self, payload: Any) -> Any:
        """Open the picture; hand on what cannot be opened, for `load_picture` to name the reason."""
        try:
            return super().preprocess(payload)
        except DECODE_ERRORS:
            return payload


class Canvas(PictureBox):
    """A box for a picture to paint on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(tool="sketch", **options)

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """Return ``image`` and ``mask`` as texts; a picture without a stroke may come alone."""
        return payload if isinstance(payload, dict) else {"image": payload, "mask": None}


class PictureGallery(gr.Gallery):  # type: ignore[misc]
    """A gallery whose pictures event handlers get; gradio's own is for display only."""

    def get_block_name(self) -> str:
        """Let the page draw it as gradio's gallery."""
        return "gallery"

    def preprocess(self, payload: Any) -> list[Image.Image]:
        """Open the pictures, which the page names by the files that the server wrote."""
        return [picture for picture, _ in _opened(payload)]


class MaskGallery(PictureGallery):
    """A gallery of masks whose captions say which reference each belongs to."""

    def preprocess(self, payload: Any) -> list[Image.Image | None]:
        """Return the masks in a list indexed by reference."""
        masks: dict[int, Image.Image] = {}
        for picture, caption in _opened(payload):
            number = _CAPTION.fullmatch(caption)
            if number:
                masks[int(number[1]) - 1] = picture
        return [masks.get(index) for index in range(max(masks, default=-1) + 1)]

    def postprocess(self, masks: Any) -> list[Any]:
        """Show a list of masks indexed by reference."""
        entries: list[Any] = super().postprocess(
            [(mask, f"Reference {number}") for number, mask in enumerate(masks or [], start=1) if mask is not None]
        )
        return entries


def with_mask(masks: list[Image.Image | None], number: int, mask: Image.Image | None) -> list[Image.Image | None]:
    """Return ``masks`` with that of reference ``number``, counted from 1, replaced."""
    padded = [*masks, *[None] * MAX_PICTURES][:MAX_PICTURES]
    padded[number - 1] = mask
    return padded


def _opened(payload: Any) -> list[tuple[Image.Image, str]]:
    from modules.infotext_utils import image_from_url_text

    entries = [entry if isinstance(entry, (list, tuple)) else (entry, "") for entry in payload or []]
    return [(image_from_url_text(file), caption or "") for file, caption in entries]
