"""The embedding cache as the user configured it, with region masks and thumbnails in it."""

from __future__ import annotations

from PIL import Image

from lib_instantstyle.errors import PictureError
from lib_instantstyle.models.embedding_cache import EmbeddingCache
from lib_instantstyle.pictures.decoding import Picture
from lib_instantstyle.pictures.regions import Mask
from lib_instantstyle.pictures.thumbnails import thumbnail
from lib_instantstyle.webui.setup.folders import cache_folder
from lib_instantstyle.webui.setup.settings import current_settings

_MASK = "mask"
_SIDE = 96  # pixels, the longer side of a thumbnail: some 2 KB
_QUALITY = 60  # of WebP


def open_cache() -> EmbeddingCache:
    """Open the embedding cache, in the folder and with the size that the user set."""
    return EmbeddingCache(cache_folder(), int(current_settings().cache_megabytes) << 20)


def whole_hash(cache: EmbeddingCache, beginning: str, name: str, *key: str) -> str | None:
    """Return the one hash with this beginning under which something is kept with ``key``; None if there is none.

    Raises:
        PictureError: If there are several; ``name`` is what it calls the picture.
    """
    found = cache.find(beginning, *key)
    if len(found) > 1:
        raise PictureError(
            f"{len(found)} entries of the embedding cache have hashes that begin with {beginning}, so the {name} could "
            f"be any of them: {', '.join(found)}. Give the picture again, or its whole hash as 'reference'."
        )
    return found[0] if found else None


def keep_mask(mask: Mask) -> None:
    """Keep a region, so that pasted parameters find it again."""
    cache = open_cache()
    if cache.get(mask.sha256, _MASK) is None:
        cache.put(mask.values, mask.sha256, _MASK)


def find_mask(sha256: str, name: str) -> Mask | None:
    """Return the region with this hash, or the one whose hash begins so, if it is known.

    Raises:
        PictureError: If several begin so; ``name`` is what it calls the mask.
    """
    cache = open_cache()
    found = whole_hash(cache, sha256, name, _MASK)
    values = None if found is None else cache.get(found, _MASK)
    return None if values is None else Mask(values)


def keep_thumbnail(cache: EmbeddingCache, picture: Picture) -> None:
    """Keep a thumbnail, so that people know the picture again whose parameters they paste."""
    cache.put_thumbnail(lambda: thumbnail(picture.image, _SIDE, _QUALITY), picture.sha256)


def find_thumbnail(sha256: str) -> bytes | None:
    """Return a WebP file that shows the picture or region with this hash, or the one whose hash begins so."""
    cache = open_cache()
    masks = cache.find(sha256, _MASK)
    values = cache.get(masks[0], _MASK) if len(masks) == 1 else None
    if values is None:
        return cache.thumbnail(sha256)
    return thumbnail(Image.fromarray(values.numpy()), _SIDE, _QUALITY)
