"""Gradio's picture components, changed: they hand over what the page sent, and open nothing themselves."""

from __future__ import annotations

import re
from typing import Any

import gradio as gr
from PIL import Image

from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.pictures.unopened import Unopened

_CAPTION = re.compile(r"Reference ([1-8])")


class PictureBox(gr.Image):  # type: ignore[misc]
    """A box for a picture. Gradio's own clips 16 bits to white, and opens what no job may ever look at."""

    def __init__(self, **options: Any) -> None:
        super().__init__(source="upload", type="pil", image_mode=None, **options)

    def get_block_name(self) -> str:
        """Let the page draw it as gradio's image."""
        return "image"

    def preprocess(self, payload: Any) -> Any:
        """Hand on the picture as it was sent."""
        return Unopened(payload, _sent) if payload else None

    def postprocess(self, picture: Any) -> Any:
        """Show a picture; one that came from the page goes back as it came."""
        return picture.payload if isinstance(picture, Unopened) else super().postprocess(picture)


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

    def preprocess(self, payload: Any) -> list[Unopened]:
        """Hand on the pictures, which the page names by the files that the server wrote."""
        return [picture for picture, _ in _named(payload)]

    def postprocess(self, pictures: Any) -> list[Any]:
        """Show pictures, with captions where they come in pairs; those that came from the page go back as they came."""
        pairs = [entry if isinstance(entry, tuple) else (entry, None) for entry in pictures or []]
        return [self._shown(*pair) for pair in pairs]

    def _shown(self, picture: Any, caption: str | None) -> Any:
        if isinstance(picture, Unopened):
            return picture.payload if caption is None else [picture.payload, caption]
        return super().postprocess([(picture, caption)])[0]


class MaskGallery(PictureGallery):
    """A gallery of masks whose captions say which reference each belongs to."""

    def preprocess(self, payload: Any) -> list[Any]:
        """Return the masks in a list indexed by reference."""
        masks: dict[int, Unopened] = {}
        for picture, caption in _named(payload):
            number = _CAPTION.fullmatch(caption)
            if number:
                masks[int(number[1]) - 1] = picture
        return [masks.get(index) for index in range(max(masks, default=-1) + 1)]

    def postprocess(self, masks: Any) -> list[Any]:
        """Show a list of masks indexed by reference."""
        return super().postprocess(
            [(mask, f"Reference {number}") for number, mask in enumerate(masks or [], start=1) if mask is not None]
        )


def with_mask(masks: list[Any], number: int, mask: Image.Image | None) -> list[Any]:
    """Return ``masks`` with that of reference ``number``, counted from 1, replaced."""
    padded = [*masks, *[None] * MAX_PICTURES][:MAX_PICTURES]
    padded[number - 1] = mask
    return padded


def _named(payload: Any) -> list[tuple[Unopened, str]]:
    entries = [entry if isinstance(entry, (list, tuple)) else (entry, "") for entry in payload or []]
    return [(Unopened(file, _written), caption or "") for file, caption in entries]


def _sent(payload: Any, _name: str) -> Any:
    return payload


def _written(file: Any, _name: str) -> Any:
    """Open a file that the server wrote, and no other."""
    from modules.infotext_utils import image_from_url_text

    return image_from_url_text(file)
