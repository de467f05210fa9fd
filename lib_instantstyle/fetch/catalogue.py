"""What may be fetched, from where, and how it is recognised: all read from ``downloads.json``."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lib_instantstyle.errors import DownloadError
from lib_instantstyle.fetch.sizes import size_text
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).with_name("downloads.json")


class FileKind(str, Enum):
    """What a file must turn out to be."""

    ADAPTER = "adapter"
    ENCODER = "encoder"
    CONFIG = "config"


@dataclass(frozen=True)
class RemoteFile:
    """One file.

    Attributes:
        path: In the repository.
        target: Below our folder, where it goes.
        kind: What it holds.
        bytes: Its size, None where it was not found out.
        sha256: Its hash, None where none is published.
    """

    path: str
    target: str
    kind: FileKind
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class ModelSet:
    """An adapter and the image encoder it needs.

    Attributes:
        name: In the API.
        label: What it is good for.
        kind: Of the adapter: "linear" or "plus".
        embedding_width: That the adapter reads.
        adapter: Its files.
        encoder: The encoder's files.
    """

    name: str
    label: str
    kind: str
    embedding_width: int
    adapter: tuple[RemoteFile, ...]
    encoder: tuple[RemoteFile, ...]

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All of them."""
        return self.adapter + self.encoder

    @property
    def text(self) -> str:
        """What it is good for and how large it is: ``… content removal (4.4 GB)``."""
        return f"{self.label} ({size_text(bytes_of(self.files))})"


@dataclass(frozen=True)
class Catalogue:
    """All sets, and the place that they come from."""

    base: str
    repository: str
    revision: str
    sets: tuple[ModelSet, ...]

    def address(self, file: RemoteFile, mirror: str = "") -> str:
        """Return where ``file`` is fetched; a mirror has it below the same path.

        Raises:
            DownloadError: If ``mirror`` is no address.
        """
        base = (mirror.strip() or self.base).rstrip("/")
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise DownloadError(
                f"The mirror {quoted(base)} is no address. Give one such as {self.base} in Settings → InstantStyle, or "
                "none."
            )
        return f"{base}/{self.repository}/resolve/{self.revision}/{file.path}"

    def find(self, name: object) -> ModelSet:
        """Return the set called ``name``.

        Raises:
            DownloadError: If there is none, naming those there are.
        """
        for candidate in self.sets:
            if candidate.name == name:
                return candidate
        names = ", ".join(candidate.name for candidate in self.sets)
        raise DownloadError(f"There is no set {quoted(name)} of models. There are: {names}.")


@functools.cache
def catalogue() -> Catalogue:
    """Return what ``downloads.json`` says."""
    return read_catalogue(DATA)


def bytes_of(files: Iterable[RemoteFile]) -> int:
    """Return the bytes of ``files`` in all, as far as sizes are known."""
    return sum(file.bytes or 0 for file in files)


def read_catalogue(path: Path) -> Catalogue:
    """Read a file as ``downloads.json`` is."""
    data = json.loads(path.read_text(encoding="utf-8"))
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
