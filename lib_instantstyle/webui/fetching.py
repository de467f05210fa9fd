"""Fetching models into the WebUI: what is missing, where it goes, and the one fetcher. Only when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.catalogue import bytes_of, catalogue
from lib_instantstyle.controls import quoted
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.fetcher import Fetcher, Order
from lib_instantstyle.webui import folders, models

if TYPE_CHECKING:
    from lib_instantstyle.catalogue import ModelSet, RemoteFile

_SECONDS_TO_CANCEL = 2.0
FETCHER = Fetcher()


class Shelf:
    """The models that are here; constructing looks."""

    def __init__(self) -> None:
        self._adapters = {(adapter.kind, adapter.embedding_width) for adapter in models.list_adapters()}
        self._encoders = models.list_encoders()

    def missing(self, wanted: ModelSet) -> tuple[RemoteFile, ...]:
        """Return the files of a set that nothing here can stand in for, whatever its name and folder."""
        has_adapter = (wanted.kind, wanted.embedding_width) in self._adapters
        has_encoder = any(encoder.suits(wanted) for encoder in self._encoders)
        return (() if has_adapter else wanted.adapter) + (() if has_encoder else wanted.encoder)


def missing(wanted: ModelSet) -> tuple[RemoteFile, ...]:
    """Return the files of a set that are missing now."""
    return Shelf().missing(wanted)


def request(values: dict[str, Any]) -> dict[str, Any]:
    """Begin to fetch the ``set`` that is named; return how far it is. Without a name nothing is fetched.

    Raises:
        InstantStyleError: If a key is unknown, or it cannot begin.
    """
    if unknown := sorted(set(values) - {"set"}):
        raise ParameterError(f"Unknown key {quoted(unknown[0])}. Known key: set.")
    start(values.get("set"))
    return describe()


def cancel() -> dict[str, Any]:
    """Stop fetching and return how far it was; what was received is kept."""
    FETCHER.cancel()
    FETCHER.wait(_SECONDS_TO_CANCEL)
    return describe()


def start(name: object) -> None:
    """Begin to fetch what is missing of the set ``name``.

    Raises:
        DownloadError: If there is no such set, nothing is missing, or it cannot begin.
    """
    FETCHER.start(_order(catalogue().find(name)))


def describe() -> dict[str, Any]:
    """Return how far it is and what could be fetched, for the API."""
    progress, shelf = FETCHER.progress, Shelf()
    return {
        "state": progress.state.value,
        "label": progress.label,
        "file": progress.file,
        "received": progress.received,
        "total": progress.total,
        "message": progress.message,
        "by_hand": list(progress.by_hand),
        "folder": str(folders.download_folder()),
        "sets": [_described(entry, shelf.missing(entry)) for entry in catalogue().sets],
    }


def _described(entry: ModelSet, absent: tuple[RemoteFile, ...]) -> dict[str, Any]:
    return {
        "name": entry.name,
        "label": entry.label,
        "bytes_to_fetch": bytes_of(absent),
        "files": [
            {
                "path": file.path,
                "bytes": file.bytes,
                "sha256": file.sha256,
                "checked_by": "SHA-256" if file.sha256 else "structure",
                "missing": file in absent,
            }
            for file in entry.files
        ],
    }


def _order(entry: ModelSet) -> Order:
    from modules import shared

    mirror = str(getattr(shared.opts, "instantstyle_mirror", ""))
    files = tuple((catalogue().address(file, mirror), file) for file in missing(entry))
    return Order(folders.download_folder(), files, entry.label)
