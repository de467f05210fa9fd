"""Makes a saved style of what is set: the pictures are looked at once more, and left behind."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image

from lib_instantstyle.references import load_picture
from lib_instantstyle.styles import SavedStyle, settings_of
from lib_instantstyle.webui import library
from lib_instantstyle.webui.host import A1111Host
from lib_instantstyle.webui.pictures import style_alone
from lib_instantstyle.webui.stylist import from_accordion

if TYPE_CHECKING:
    from pathlib import Path

    from lib_instantstyle.params import StyleParams

_THUMBNAIL = 192  # pixels, the longer side
_QUALITY = 70  # of WebP; about 4 KB


def save(name: str, params: StyleParams, *, replace: bool = False) -> Path:
    """Keep what ``params`` describe under ``name`` and return the file.

    Region masks and the subject picture stay out: they belong to one picture, not to a style.

    Raises:
        InstantStyleError: If the name is taken or cannot be one, or the pictures cannot be embedded.
    """
    library.path_of(name)  # refuses a bad name before the encoder is loaded
    host = A1111Host()
    thumbnail = _thumbnail(params, host)
    stylist = from_accordion(style_alone(params), host)
    kind, width = stylist.adapter.kind, stylist.adapter.embedding_width
    style = SavedStyle(kind, width, stylist.embeddings, settings_of(params), thumbnail)
    return library.keep(name, style, replace=replace)


def _thumbnail(params: StyleParams, host: A1111Host) -> bytes:
    if params.style:
        return library.find(params.style).thumbnail
    dropped = [params.image, *(params.images if isinstance(params.images, (list, tuple)) else [params.images])]
    picture = next((loaded for entry in dropped if (loaded := load_picture(entry, host.fetch_picture))), None)
    if picture is None:
        return b""
    small = picture.image.copy()
    small.thumbnail((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()
