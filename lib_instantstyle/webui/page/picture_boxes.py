"""Boxes that hand over what was dropped: gradio's own clip 16 bits to white, and fail silently on other files."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_instantstyle.pictures.decoding import DECODE_ERRORS


class PictureBox(gr.Image):  # type: ignore[misc]
    """A picture as it was stored, or the text that arrived, of which `load_picture` says what is wrong."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="upload", type="pil", image_mode=None, **options)

    def get_block_name(self) -> str:
        """Be drawn as the image that it is."""
        return "image"

    def preprocess(self, payload: Any) -> Any:
        """Open the picture."""
        try:
            return super().preprocess(payload)
        except DECODE_ERRORS:
            return payload


class Canvas(PictureBox):
    """A picture to paint on."""

    def __init__(self, **options: Any) -> None:
        super().__init__(tool="sketch", **options)

    def preprocess(self, payload: Any) -> dict[str, Any]:
        """Return ``image`` and ``mask`` as texts; a picture without a stroke may come alone."""
        return payload if isinstance(payload, dict) else {"image": payload, "mask": None}
