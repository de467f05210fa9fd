"""Embeddings on disk, so that a picture seen before needs neither encoder nor picture.

Each embedding is a small safetensors file. Its name begins with the picture's hash, so that the beginning of a hash
finds it, and ends with a hash of what else it depends on. Beside it lies a thumbnail, by which people know the picture
again. Files appear by an atomic rename, so two processes may write at once; when the folder is full, the least recently
used are deleted.
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
    from collections.abc import Callable
    from pathlib import Path

DEFAULT_LIMIT = 256 * 1024 * 1024  # bytes
_SUFFIX = ".safetensors"
_THUMBNAIL = ".webp"


class EmbeddingCache:
    """A folder of embeddings and thumbnails, at most ``limit`` bytes in all; created when the first one is kept.

    A name, of letters and digits, is a picture's SHA-256 hash or stands for what is no picture; ``key`` is what else an
    embedding depends on.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self._folder = folder
        self._limit = limit

    def find(self, beginning: str, *key: str) -> list[str]:
        """Return the names that start with ``beginning`` under which embeddings with ``key`` are kept."""
        ending = _ending(key)
        if (self._folder / f"{beginning}{ending}").is_file():
            return [beginning]
        return sorted(path.name.removesuffix(ending) for path in self._folder.glob(f"{beginning}*{ending}"))

    def get(self, name: str, *key: str) -> torch.Tensor | None:
        """Return the embedding kept under ``name`` and ``key``, or None. A damaged file counts as absent and goes.

        A file that cannot be read now, because of its permissions or its disk, is absent too, but stays.
        """
        path = self._folder / f"{name}{_ending(key)}"
        content = _read(path)
        if content is None:
            return None
        embedding = _decoded(content)
        with contextlib.suppress(OSError):  # the folder may be another account's, or its disk read-only
            if embedding is None:
                path.unlink(missing_ok=True)
            else:
                os.utime(path)
        return embedding

    def put(self, embedding: torch.Tensor, name: str, *key: str) -> None:
        """Keep ``embedding`` under ``name`` and ``key``. A full or read-only disk is no error: this is only a cache."""
        if embedding.nbytes <= self._limit:
            self._write(f"{name}{_ending(key)}", save({"embedding": embedding.contiguous()}))

    def thumbnail(self, beginning: str) -> bytes | None:
        """Return the thumbnail of the one picture whose name starts with ``beginning``, or None."""
        found = list(self._folder.glob(f"{beginning}*{_THUMBNAIL}"))
        return _read(found[0]) if len(found) == 1 else None

    def put_thumbnail(self, make: Callable[[], bytes], name: str) -> None:
        """Keep the thumbnail, a WebP file, that ``make`` returns; it is not called where one is known."""
        path = self._folder / f"{name}{_THUMBNAIL}"
        with contextlib.suppress(OSError):
            os.utime(path)
            return
        if self._limit and not path.exists():
            self._write(path.name, make())

    def _write(self, name: str, content: bytes) -> None:
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._folder / name, content)
            self._make_room_for(self._folder / name)

    def _make_room_for(self, kept: Path) -> None:
        """Delete the least recently used files, but not ``kept``, until the limit is kept to or nothing can be done."""
        files = []
        for path in (*self._folder.glob(f"*{_SUFFIX}"), *self._folder.glob(f"*{_THUMBNAIL}")):
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


def _ending(key: tuple[str, ...]) -> str:
    digest = hashlib.sha256("\n".join(key).encode()).hexdigest()
    return f".{digest[:16]}{_SUFFIX}"


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _decoded(content: bytes) -> torch.Tensor | None:
    try:
        embedding: torch.Tensor = load(content)["embedding"].clone()
    except (SafetensorError, KeyError, ValueError):
        return None
    return embedding if torch.isfinite(embedding).all() else None
