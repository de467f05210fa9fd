"""The embedding cache as the user configured it, and the region masks in it."""

from __future__ import annotations

from lib_instantstyle.models.embedding_cache import EmbeddingCache
from lib_instantstyle.pictures.regions import Mask
from lib_instantstyle.webui.setup.folders import cache_folder
from lib_instantstyle.webui.setup.settings import current_settings

_MASK = "mask"


def open_cache() -> EmbeddingCache:
    """Open the embedding cache, in the folder and with the size that the user set."""
    return EmbeddingCache(cache_folder(), int(current_settings().cache_megabytes) << 20)


def keep_mask(mask: Mask) -> None:
    """Keep a region, so that pasted parameters find it again."""
    cache = open_cache()
    if cache.get(_MASK, mask.sha256) is None:
        cache.put(mask.values, _MASK, mask.sha256)


def find_mask(sha256: str) -> Mask | None:
    """Return the region with this hash, if it is known."""
    values = open_cache().get(_MASK, sha256)
    return None if values is None else Mask(values)
