"""Small pictures, by which people know a saved style or a picture from earlier again."""

from __future__ import annotations

import io

from PIL import Image


def thumbnail(image: Image.Image, side: int, quality: int) -> bytes:
    """Return ``image`` as a WebP file of ``quality`` 0 to 100, at most ``side`` pixels high and wide."""
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=quality)
    return buffer.getvalue()
