"""Fetching models into the WebUI, only at the user's request: what is missing, where it goes, and the progress."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.fetch.catalogue import bytes_of, catalogue
from lib_instantstyle.fetch.fetcher import Fetcher, Order
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.model_files import check_file
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.webui.setup.folders import download_folder
from lib_instantstyle.webui.setup.settings import current_settings

if TYPE_CHECKING:
    from lib_instantstyle.fetch.catalogue import ModelSet, RemoteFile
    from lib_instantstyle.fetch.fetcher import Progress
    from lib_instantstyle.models.found_models import FoundModels
    from lib_instantstyle.models.model_files import ModelFiles

_SECONDS_TO_CANCEL = 2.0


class ModelFetching:
    """The one fetcher of the process, and what it should fetch."""

    def __init__(self, models: ModelFiles) -> None:
        self.fetcher = Fetcher(check_file)
        self._models = models

    @property
    def progress(self) -> Progress:
        """The progress of the current or last download."""
        return self.fetcher.progress

    def look(self) -> FoundModels:
        """Return what is on disk now."""
        return self._models.look()

    def request(self, values: dict[str, Any]) -> dict[str, Any]:
        """Begin to fetch the set that ``values["set"]`` names and return `report`.

        Raises:
            InstantStyleError: If a key is unknown, or as in `start`.
        """
        if unknown := sorted(set(values) - {"set"}):
            raise ParameterError(f"Unknown key {quoted(unknown[0])}. Known key: set.")
        found = self.look()
        self.start(values.get("set"), found)
        return self.report(found)

    def cancel(self) -> dict[str, Any]:
        """Stop fetching and return `report`."""
        self.stop()
        return self.report()

    def stop(self) -> None:
        """Stop fetching; the received bytes are kept."""
        self.fetcher.cancel()
        self.fetcher.wait(_SECONDS_TO_CANCEL)

    def start(self, name: object, found: FoundModels) -> None:
        """Begin to fetch the files of the set ``name`` that are missing among ``found``.

        Raises:
            DownloadError: If there is no such set, nothing is missing, or it cannot begin.
        """
        wanted, mirror = catalogue().find(name), str(current_settings().mirror)
        files = tuple((catalogue().address(file, mirror), file) for file in missing(wanted, found))
        self.fetcher.start(Order(download_folder(), files, wanted.label))

    def report(self, found: FoundModels | None = None) -> dict[str, Any]:
        """Return the progress and what could be fetched, for the API; looks again unless ``found`` is given."""
        progress, found = self.progress, found or self.look()
        return {
            **dataclasses.asdict(progress),
            "state": progress.state.value,
            "by_hand": list(progress.by_hand),
            "folder": str(download_folder()),
            "sets": [_set_report(entry, missing(entry, found)) for entry in catalogue().sets],
        }


def missing(wanted: ModelSet, found: FoundModels) -> tuple[RemoteFile, ...]:
    """Return the files of ``wanted`` that nothing on disk replaces, whatever its name and folder."""
    kind, width = Kind(wanted.kind), wanted.embedding_width
    has_adapter = any((adapter.kind, adapter.embedding_width) == (kind, width) for adapter in found.adapters)
    has_encoder = any(encoder.serves(kind, width) and not encoder.problem for encoder in found.encoders)
    return (() if has_adapter else wanted.adapter) + (() if has_encoder else wanted.encoder)


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
