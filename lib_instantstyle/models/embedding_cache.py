"""Embeddings on disk, so that a picture seen before needs neither encoder nor picture.

Each embedding is a small safetensors file, named by the hash of what it depends on. Files appear by an atomic
rename, so two processes may write at once; when the folder is full, the least recently used are deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from lib_instantstyle.models.tensor_file import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT_LIMIT = 256 * 1024 * 1024  # bytes
_SUFFIX = ".safetensors"


class EmbeddingCache:
    """A folder of embeddings, at most ``limit`` bytes in all; created when the first one is kept."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def get(self, *key: str) -> torch.Tensor | None:
        """Return the embedding kept under ``key``, or None. A damaged file counts as absent and is removed.

        A file that cannot be read now, because of its permissions or its disk, is absent too, but stays.
        """
        path = self._path(key)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        embedding = _decoded(content)
        with contextlib.suppress(OSError):  # the folder may be another account's, or its disk read-only
            if embedding is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)
        return embedding

    def put(self, embedding: torch.Tensor, *key: str) -> None:
        """Keep ``embedding`` under ``key``. A full or read-only disk is not an error: this is only a cache."""
        if embedding.nbytes > self._limit:
            return
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._path(key)
            write_atomically(path, save({"embedding": embedding.contiguous()}))
            self._make_room_for(path)

    def _path(self, key: tuple[str, ...]) -> Path:
        return self._folder / (hashlib.sha256("\n".join(key).encode()).hexdigest() + _SUFFIX)

    def _make_room_for(self, kept: Path) -> None:
        """Delete the least recently used files, but not ``kept``, until the limit is kept to or nothing can be done."""
        files = []
        for path in self._folder.glob(f"*{_SUFFIX}"):
            with contextlib.suppress(OSError):  # another process deleted it
                files.append((path, path.stat()))
        total = sum(status.st_size for _, status in files)
        for path, status in sorted(files, key=lambda entry: entry[1].st_mtime):
            if total <= self._limit:
                return
            if path != kept:
                with contextlib.suppress(OSError):  # another account's, which only that account may delete
                    path.unlink(missing_ok=True)
                    total -= status.st_size


def _decoded(content: bytes) -> torch.Tensor | None:
    try:
        embedding: torch.Tensor = load(content)["embedding"].clone()
    except (SafetensorError, KeyError, ValueError):
        return None
    return embedding if torch.isfinite(embedding).all() else None
