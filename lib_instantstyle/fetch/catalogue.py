"""The models that may be fetched, with their addresses, sizes and hashes, read from ``downloads.json``."""

from __future__ import annotations

import functools
import json
import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lib_instantstyle.errors import DownloadError
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).with_name("downloads.json")
_VARIABLE = "HF_ENDPOINT"  # where Hugging Face's own tools look for a mirror
_UNITS = (("GB", 10**9, 1), ("MB", 10**6, 0), ("KB", 10**3, 0))  # name, bytes, decimals


class FileKind(str, Enum):
    """What a file must contain."""

    ADAPTER = "adapter"
    ENCODER = "encoder"
    CONFIG = "config"


@dataclass(frozen=True)
class RemoteFile:
    """One file of the repository."""

    path: str  # in the repository
    target: str  # relative to the folder that it is fetched into
    kind: FileKind
    bytes: int | None  # None if unknown
    sha256: str | None  # None if not published


@dataclass(frozen=True)
class ModelSet:
    """An adapter and the image encoder it needs."""

    name: str  # the key in the API
    label: str  # what it is good for
    kind: str  # of the adapter: "linear" or "plus"
    embedding_width: int  # of the adapter's input
    adapter: tuple[RemoteFile, ...]
    encoder: tuple[RemoteFile, ...]

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The files of adapter and encoder."""
        return self.adapter + self.encoder

    @property
    def text(self) -> str:
        """The label and the size: ``… content removal (4.4 GB)``."""
        return f"{self.label} ({size_text(bytes_of(self.files))})"


@dataclass(frozen=True)
class Catalogue:
    """All sets, and the repository that holds their files."""

    base: str
    repository: str
    revision: str
    sets: tuple[ModelSet, ...]

    def address(self, file: RemoteFile, mirror: str = "") -> str:
        """Return the address of ``file``: on ``mirror``, on the one that ``HF_ENDPOINT`` names, or else on `base`.

        Raises:
            DownloadError: If the mirror is not an HTTP address.
        """
        chosen, general = mirror.strip(), os.environ.get(_VARIABLE, "").strip()
        base = (chosen or general or self.base).rstrip("/")
        if not _is_address(base):
            if chosen:
                raise DownloadError(
                    f"The mirror {quoted(base)} is no address. Give one such as {self.base} in Settings → "
                    "InstantStyle, or none."
                )
            raise DownloadError(
                f"The environment variable {_VARIABLE} is {quoted(base)}, which is no address. Give one such as "
                f"{self.base}, or none; a mirror in Settings → InstantStyle comes before it."
            )
        return f"{base}/{self.repository}/resolve/{self.revision}/{file.path}"

    def find(self, name: object) -> ModelSet:
        """Return the set called ``name``, or raise a `DownloadError`."""
        for candidate in self.sets:
            if candidate.name == name:
                return candidate
        names = ", ".join(candidate.name for candidate in self.sets)
        raise DownloadError(f"There is no set {quoted(name)} of models. There are: {names}.")


@functools.cache
def catalogue() -> Catalogue:
    """Return the content of ``downloads.json``."""
    data = json.loads(DATA.read_text(encoding="utf-8"))
    entries = (
        RemoteFile(entry["path"], entry["target"], FileKind(entry["content"]), entry["bytes"], entry["sha256"])
        for entry in data["files"]
    )
    files = {file.path: file for file in entries}
    sets = tuple(
        ModelSet(
            entry["name"],
            entry["label"],
            entry["kind"],
            entry["embedding_width"],
            *(tuple(files[path] for path in entry[part]) for part in ("adapter", "encoder")),
        )
        for entry in data["sets"]
    )
    return Catalogue(data["base"], data["repository"], data["revision"], sets)


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  raises where it is no number
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def bytes_of(files: Iterable[RemoteFile]) -> int:
    """Add up the sizes of ``files``; unknown ones count as 0."""
    return sum(file.bytes or 0 for file in files)


def size_text(count: int) -> str:
    """Format a number of bytes: ``703 MB``, ``3.7 GB``."""
    for unit, factor, digits in _UNITS:
        if count >= factor:
            return f"{count / factor:.{digits}f} {unit}"
    return f"{count} bytes"
