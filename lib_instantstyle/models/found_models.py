"""What one look at the folders found, and the choice among it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lib_instantstyle.errors import AdapterError
from lib_instantstyle.models.adapter import Adapter, open_adapter
from lib_instantstyle.params.declared import AUTOMATIC

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lib_instantstyle.models.encoder_file import EncoderFile
    from lib_instantstyle.models.search import Problem, SearchFolders


@dataclass(frozen=True)
class FoundModels:
    """The files at one moment. Whoever answers a request looks once, and hands this on."""

    folders: SearchFolders
    adapters: Sequence[Adapter]  # usable, those that can remove content first
    encoders: Sequence[EncoderFile]  # folders with a ``config.json`` and single files, those that lack one last
    files: Sequence[str]  # all that may be models
    unsearched: Sequence[Problem]  # folders, and files in them, that could not be looked at
    refused: Sequence[Problem]  # files that cannot be read, and adapters that cannot be used

    @property
    def adapter_names(self) -> list[str]:
        """The choices of the adapter control."""
        return [AUTOMATIC, *dict.fromkeys(adapter.path.name for adapter in self.adapters)]

    def find_adapter(self, name: str, suits: Callable[[Adapter], bool] | None = None) -> Adapter:
        """Return the adapter file called ``name``, with or without suffix, or for Automatic the best that ``suits``.

        Raises:
            AdapterError: If there is none, listing what there is, or if the file is unusable, saying why.
        """
        if is_automatic(name):
            return self._automatic(suits)
        for adapter in self.adapters:
            if _is_called(adapter.path, name):
                return adapter
        for path in map(Path, self.files):
            if _is_called(path, name):
                return open_adapter(path)  # raises: it is not among the usable ones
        names = ", ".join(adapter.path.name for adapter in self.adapters) or "none"
        raise AdapterError(f"The adapter {name!r} was not found. There are: {names}.")

    def reason(self, folder: Path) -> str:
        """Return why a folder could not be searched, empty if it was."""
        return next((problem.reason for problem in self.unsearched if problem.path == str(folder)), "")

    def _automatic(self, suits: Callable[[Adapter], bool] | None) -> Adapter:
        for adapter in self.adapters:
            if suits is None or suits(adapter):
                return adapter
        if self.adapters:
            names = ", ".join(adapter.path.name for adapter in self.adapters)
            raise AdapterError(f"None of the adapters ({names}) reads the embedding of this saved style. Make it anew.")
        searched = ", ".join(map(self._described, self.folders.searched))
        raise AdapterError(
            "No IP-Adapter for SDXL was found. Press Get models in InstantStyle's tab Models, or put "
            f"ip-adapter_sdxl.safetensors into {self.folders.own}. Searched: {searched}."
        )

    def _described(self, folder: Path) -> str:
        reason = self.reason(folder)
        return f"{folder} ({reason})" if reason else str(folder)


def is_automatic(name: str) -> bool:
    """Whether ``name`` asks for the automatic choice."""
    return name.lower() in ("", AUTOMATIC.lower(), "auto")


def _is_called(path: Path, name: str) -> bool:
    return name.lower() in (path.name.lower(), path.stem.lower())
