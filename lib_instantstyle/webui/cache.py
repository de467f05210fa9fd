"""The embedding cache under the user's settings, and the region masks in it."""

from __future__ import annotations

from lib_instantstyle.regions import Mask
from lib_instantstyle.store import DEFAULT_LIMIT, EmbeddingCache
from lib_instantstyle.webui import folders

_MASK = "mask"


def open_cache() -> EmbeddingCache:
    """Return the embedding cache under the user's settings."""
    from modules import shared

    megabytes = getattr(shared.opts, "instantstyle_cache_megabytes", DEFAULT_LIMIT >> 20)
    return EmbeddingCache(folders.cache_folder(), int(megabytes) << 20)


def keep_mask(mask: Mask) -> None:
    """Keep a region, so that pasted parameters find it again."""
    cache = open_cache()
    if cache.get(_MASK, mask.sha256) is None:
        cache.put(mask.values, _MASK, mask.sha256)


def find_mask(sha256: str) -> Mask | None:
    """Return the region with this hash, if it is known."""
    values = open_cache().get(_MASK, sha256)
    return None if values is None else Mask(values)
