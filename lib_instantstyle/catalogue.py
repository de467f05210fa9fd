"""What may be fetched, from where, and how it is recognised: all read from ``downloads.json``. No host."""

from __future__ import annotations

import contextlib
import functools
import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lib_instantstyle.checkpoint import Kind, open_adapter
from lib_instantstyle.controls import quoted
from lib_instantstyle.encoder import open_encoder
from lib_instantstyle.errors import DownloadError, InstantStyleError

if TYPE_CHECKING:
    from collections.abc import Iterable

DATA = Path(__file__).with_name("downloads.json")


class Content(str, Enum):
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
        content: What it holds.
        bytes: Its size, None where it was not found out.
        sha256: Its hash, None where none is published.
    """

    path: str
    target: str
    content: Content
    bytes: int | None
    sha256: str | None


@dataclass(frozen=True)
class ModelSet:
    """An adapter and the image encoder it needs.

    Attributes:
        name: In the API.
        label: What it is good for.
        kind: Of the adapter.
        embedding_width: That the adapter reads.
        adapter: Its files.
        encoder: The encoder's files.
    """

    name: str
    label: str
    kind: Kind
    embedding_width: int
    adapter: tuple[RemoteFile, ...]
    encoder: tuple[RemoteFile, ...]

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """All of them."""
        return self.adapter + self.encoder


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
        RemoteFile(entry["path"], entry["target"], Content(entry["content"]), entry["bytes"], entry["sha256"])
        for entry in data["files"]
    )
    files = {file.path: file for file in entries}
    sets = tuple(
        ModelSet(
            entry["name"],
            entry["label"],
            Kind(entry["kind"]),
            entry["embedding_width"],
            *(tuple(files[path] for path in entry[part]) for part in ("adapter", "encoder")),
        )
        for entry in data["sets"]
    )
    return Catalogue(data["base"], data["repository"], data["revision"], sets)


def check_content(path: Path, file: RemoteFile) -> None:
    """Make sure that ``path`` holds what ``file`` should.

    Raises:
        InstantStyleError: If it does not.
    """
    if file.content is Content.ADAPTER:
        open_adapter(path)
    elif file.content is Content.ENCODER:
        open_encoder(path)
    else:
        _check_config(path)


def is_here(path: Path, file: RemoteFile) -> bool:
    """Whether ``path`` is ``file`` already, as far as size and structure tell."""
    if not path.is_file() or file.bytes not in (None, path.stat().st_size):
        return False
    with contextlib.suppress(InstantStyleError):
        check_content(path, file)
        return True
    return False


def _check_config(path: Path) -> None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DownloadError(f"it is no configuration of an image encoder ({error}).") from error
    if not isinstance(values, dict) or not isinstance(values.get("hidden_size"), int):
        raise DownloadError("it is no configuration of an image encoder (hidden_size is missing).")
