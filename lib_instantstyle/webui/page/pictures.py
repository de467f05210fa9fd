"""Gradio's picture components, changed: they hand over what the page sent, and open nothing themselves."""

from __future__ import annotations

import functools
import re
from typing import Any

import gradio as gr
from PIL import Image

from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.pictures.unopened import Unopened
from lib_instantstyle.webui.page.compat import entries, gallery_value, known, open_written

_CAPTION = re.compile(r"Reference ([1-8])")


class PictureBox(gr.Image):  # type: ignore[misc]
    """A box for a picture. Gradio's own clips 16 bits to white, and opens what no job may ever look at."""

    webui_do_not_create_gradio_pyi_thank_you = True  # gradio 4 would write a file beside this one

    # Gradio 4 tells the page what the signature names.
    @functools.wraps(gr.Image.__init__)  # type: ignore[misc]
    def __init__(self, **options: Any) -> None:
        ours = known(gr.Image, source="upload", sources=["upload"], type="pil", image_mode=None, format="png")
        super().__init__(**{**options, **ours})

    def get_block_name(self) -> str:
        """Let the page draw it as gradio's image."""
        return "image"

    def preprocess(self, payload: Any) -> Any:
        """Hand on the picture as it was sent, or the name of the file that the server made of it."""
        return Unopened(payload, _sent if isinstance(payload, str) else open_written) if payload else None

    def postprocess(self, picture: Any) -> Any:
        """Show a picture; one that came from the page goes back as it came."""
        return picture.payload if isinstance(picture, Unopened) else super().postprocess(picture)


class PictureGallery(gr.Gallery):  # type: ignore[misc]
    """A gallery whose pictures event handlers get. It only shows them: buttons add and remove."""

    webui_do_not_create_gradio_pyi_thank_you = True

    @functools.wraps(gr.Gallery.__init__)  # type: ignore[misc]
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, **known(gr.Gallery, interactive=False, format="png")})

    def get_block_name(self) -> str:
        """Let the page draw it as gradio's gallery."""
        return "gallery"

    def preprocess(self, payload: Any) -> list[Unopened]:
        """Hand on the pictures, which the page names by the files that the server wrote."""
        return [Unopened(file, open_written) for file, _ in entries(payload)]

    def postprocess(self, pictures: Any) -> Any:
        """Show pictures, with captions where they come in pairs; those that came from the page go back as they came."""
        pairs = [entry if isinstance(entry, tuple) else (entry, None) for entry in pictures or []]
        return gallery_value([(self._file(picture), caption) for picture, caption in pairs])

    def _file(self, picture: Any) -> Any:
        if isinstance(picture, Unopened):
            return picture.payload
        return next(entries(super().postprocess([picture])))[0]


class MaskGallery(PictureGallery):
    """A gallery of masks whose captions say which reference each belongs to."""

    webui_do_not_create_gradio_pyi_thank_you = True

    def preprocess(self, payload: Any) -> list[Any]:
        """Return the masks in a list indexed by reference."""
        masks: dict[int, Unopened] = {}
        for file, caption in entries(payload):
            number = _CAPTION.fullmatch(caption)
            if number:
                masks[int(number[1]) - 1] = Unopened(file, open_written)
        return [masks.get(index) for index in range(max(masks, default=-1) + 1)]

    def postprocess(self, masks: Any) -> Any:
        """Show a list of masks indexed by reference."""
        return super().postprocess(
            [(mask, f"Reference {number}") for number, mask in enumerate(masks or [], start=1) if mask is not None]
        )


def with_mask(masks: list[Any], number: int, mask: Image.Image | None) -> list[Any]:
    """Return ``masks`` with that of reference ``number``, counted from 1, replaced."""
    padded = [*masks, *[None] * MAX_PICTURES][:MAX_PICTURES]
    padded[number - 1] = mask
    return padded


def _sent(payload: Any, _name: str) -> Any:
    return payload
