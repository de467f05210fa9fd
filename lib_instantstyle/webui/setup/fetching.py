"""Fetching models into the WebUI: what is missing, where it goes, and how far it is. Only when somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.fetch.catalogue import bytes_of, catalogue
from lib_instantstyle.fetch.fetcher import Fetcher, Order
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.recognition import check_file
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.webui.setup.folders import download_folder
from lib_instantstyle.webui.setup.settings import current_settings

if TYPE_CHECKING:
    from lib_instantstyle.fetch.catalogue import ModelSet, RemoteFile
    from lib_instantstyle.fetch.fetcher import Progress
    from lib_instantstyle.models.model_files import ModelFiles

_SECONDS_TO_CANCEL = 2.0


class PresentModels:
    """The models that are here; constructing looks."""

    def __init__(self, models: ModelFiles) -> None:
        self._adapters = {(adapter.kind, adapter.embedding_width) for adapter in models.adapters()}
        self._encoders = models.encoders()

    def missing(self, wanted: ModelSet) -> tuple[RemoteFile, ...]:
        """Return the files of a set that nothing here can stand in for, whatever its name and folder."""
        kind, width = Kind(wanted.kind), wanted.embedding_width
        has_adapter = (kind, width) in self._adapters
        has_encoder = any(encoder.serves(kind, width) for encoder in self._encoders)
        return (() if has_adapter else wanted.adapter) + (() if has_encoder else wanted.encoder)


class ModelFetching:
    """The one fetcher of the process, and what it should fetch.

    Args:
        models: Tells what is here.
    """

    def __init__(self, models: ModelFiles) -> None:
        self.fetcher = Fetcher(check_file)
        self._models = models

    @property
    def progress(self) -> Progress:
        """How far it is."""
        return self.fetcher.progress

    def missing(self, wanted: ModelSet) -> tuple[RemoteFile, ...]:
        """Return the files of a set that are missing now."""
        return PresentModels(self._models).missing(wanted)

    def request(self, values: dict[str, Any]) -> dict[str, Any]:
        """Begin to fetch the ``set`` that is named; return how far it is. Without a name nothing is fetched.

        Raises:
            InstantStyleError: If a key is unknown, or it cannot begin.
        """
        if unknown := sorted(set(values) - {"set"}):
            raise ParameterError(f"Unknown key {quoted(unknown[0])}. Known key: set.")
        self.start(values.get("set"))
        return self.report()

    def cancel(self) -> dict[str, Any]:
        """Stop fetching and return how far it was; what was received is kept."""
        self.fetcher.cancel()
        self.fetcher.wait(_SECONDS_TO_CANCEL)
        return self.report()

    def start(self, name: object) -> None:
        """Begin to fetch what is missing of the set ``name``.

        Raises:
            DownloadError: If there is no such set, nothing is missing, or it cannot begin.
        """
        wanted, mirror = catalogue().find(name), str(current_settings().mirror)
        files = tuple((catalogue().address(file, mirror), file) for file in self.missing(wanted))
        self.fetcher.start(Order(download_folder(), files, wanted.label))

    def report(self) -> dict[str, Any]:
        """Return how far it is and what could be fetched, for the API."""
        progress, present = self.progress, PresentModels(self._models)
        return {
            "state": progress.state.value,
            "label": progress.label,
            "file": progress.file,
            "received": progress.received,
            "total": progress.total,
            "message": progress.message,
            "by_hand": list(progress.by_hand),
            "folder": str(download_folder()),
            "sets": [_set_report(entry, present.missing(entry)) for entry in catalogue().sets],
        }


def _set_report(entry: ModelSet, absent: tuple[RemoteFile, ...]) -> dict[str, Any]:
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
