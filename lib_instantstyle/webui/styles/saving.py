"""Saves the current settings as a style: the embeddings of the pictures, not the pictures."""

from __future__ import annotations

from pathlib import Path

from lib_instantstyle.library.saved_style import SavedStyle, settings_of
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.decoding import load_picture
from lib_instantstyle.pictures.thumbnails import thumbnail
from lib_instantstyle.webui.encoding.job_pictures import given_references, style_alone
from lib_instantstyle.webui.styles.style_builder import StyleBuilder

_SIDE = 192  # pixels, the longer side of a thumbnail
_QUALITY = 70  # of WebP; about 4 KB
_SIZE = (1024, 1024)  # pixels, SDXL's own area, at which references are kept for self-attentions


def save_style(name: str, params: StyleParams, builder: StyleBuilder, *, replace: bool = False) -> Path:
    """Save the style that ``params`` describe under ``name`` and return its file.

    Region masks and the subject picture stay out: they belong to one picture, not to a style.

    Raises:
        InstantStyleError: If the name is taken or cannot be one, or the pictures cannot be embedded.
    """
    builder.library.path_for(name, replace=replace)  # refuses a bad or taken name before the encoder is loaded
    shown = _thumbnail(params, builder)
    style = builder.for_one_job().from_accordion(style_alone(params))
    adapter, embeddings = style.encoded or (None, None)
    kind, width = (adapter.kind, adapter.embedding_width) if adapter else (None, 0)
    latents = style.reading.latents(_SIZE) if style.reading else None
    saved = SavedStyle(kind, width, embeddings, settings_of(params), shown, latents)
    return builder.library.keep(name, saved, replace=replace)


def _thumbnail(params: StyleParams, builder: StyleBuilder) -> bytes:
    if params.style:
        return builder.library.find(params.style).thumbnail
    given = enumerate(given_references(params), start=1)
    pictures = (load_picture(entry, builder.host.fetch_picture, f"style reference {number}") for number, entry in given)
    picture = next((loaded for loaded in pictures if loaded), None)
    return thumbnail(picture.image, _SIDE, _QUALITY) if picture else b""
