"""The adapters and encoders in the searched folders, and the choice among them."""

from __future__ import annotations

import contextlib
import functools
import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from lib_instantstyle.errors import AdapterError, EncoderError, InstantStyleError
from lib_instantstyle.models.adapter import Adapter, Kind, open_adapter
from lib_instantstyle.models.encoder_file import EncoderFile, open_encoder
from lib_instantstyle.models.tensor_file import SUFFIXES, TensorFileError, state_of
from lib_instantstyle.params.declared import AUTOMATIC

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Found = TypeVar("Found", Adapter, EncoderFile)
logger = logging.getLogger("instantstyle")
_ENCODERS_OF_CONTROLNET = ("clip_vision", ".pth")  # folder and suffix
_CACHED_FILES = 1024


class SearchFolders(NamedTuple):
    """Where models may be."""

    searched: list[Path]  # existing or not, the most specific first
    hidden: list[Path]  # folders within them that are left out
    own: Path  # where messages tell users to put models


class ModelFiles:
    """The usable files; a file is opened once and remembered until it changes.

    Args:
        folders: Returns where to search, since settings may change at any time.
    """

    def __init__(self, folders: Callable[[], SearchFolders]) -> None:
        self._folders = folders
        self._recognise_unchanged = functools.lru_cache(maxsize=_CACHED_FILES)(_recognise)

    def adapters(self) -> list[Adapter]:
        """Return the usable adapters, those that can remove content first."""
        found = (self._recognise(open_adapter, path, path) for path in self._tensor_files())
        return sorted(filter(None, found), key=_preference)

    def adapter_names(self) -> list[str]:
        """Return the choices of the adapter control."""
        return [AUTOMATIC, *dict.fromkeys(adapter.path.name for adapter in self.adapters())]

    def find_adapter(self, name: str, suits: Callable[[Adapter], bool] | None = None) -> Adapter:
        """Return the adapter file called ``name``, with or without suffix, or for Automatic the best that ``suits``.

        Raises:
            AdapterError: If there is none, listing what there is, or if the file is unusable, saying why.
        """
        adapters = self.adapters()
        if is_automatic(name):
            return self._automatic(adapters, suits)
        for adapter in adapters:
            if _is_called(adapter.path, name):
                return adapter
        for path in self._tensor_files():
            if _is_called(path, name):
                return open_adapter(path)  # raises: it is not among the usable ones
        names = ", ".join(adapter.path.name for adapter in adapters) or "none"
        raise AdapterError(f"The adapter {name!r} was not found. There are: {names}.")

    def encoders(self) -> list[EncoderFile]:
        """Return the vision towers found: folders with a ``config.json``, and single files."""
        files = list(self._tensor_files())
        found = {path.parent if (path.parent / "config.json").is_file() else path: path for path in files}
        encoders = (self._recognise(open_encoder, path, weights) for path, weights in found.items())
        return list(filter(None, encoders))

    def _automatic(self, adapters: list[Adapter], suits: Callable[[Adapter], bool] | None) -> Adapter:
        for adapter in adapters:
            if suits is None or suits(adapter):
                return adapter
        if adapters:
            names = ", ".join(adapter.path.name for adapter in adapters)
            raise AdapterError(f"None of the adapters ({names}) reads the embedding of this saved style. Make it anew.")
        folders = self._folders()
        raise AdapterError(
            "No IP-Adapter for SDXL was found. Press Get models in InstantStyle's tab Models, or put "
            f"ip-adapter_sdxl.safetensors into {folders.own}. Searched: {', '.join(map(str, folders.searched))}."
        )

    def _tensor_files(self) -> Iterator[Path]:
        seen = set()
        folders = self._folders()
        for folder in folders.searched:
            for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
                is_hidden = any(hidden in path.parents for hidden in folders.hidden)
                if _may_be_model(path) and path.is_file() and not is_hidden and path.resolve() not in seen:
                    seen.add(path.resolve())
                    yield path

    def _recognise(self, opener: Callable[[Path], Found], path: Path, file: Path) -> Found | None:
        """Open ``path`` once and remember the answer until ``file`` changes."""
        with contextlib.suppress(TensorFileError):  # deleted since the folder was listed
            answer: Found | None = self._recognise_unchanged(opener, path, state_of(file))
            return answer
        return None


def is_automatic(name: str) -> bool:
    """Whether ``name`` asks for the automatic choice."""
    return name.lower() in ("", AUTOMATIC.lower(), "auto")


def _preference(a: Adapter) -> tuple[bool, bool, bool, str]:
    return not a.removes_content, a.kind is Kind.PLUS, a.path.suffix != ".safetensors", a.path.name.lower()


def _is_called(path: Path, name: str) -> bool:
    return name.lower() in (path.name.lower(), path.stem.lower())


def _may_be_model(path: Path) -> bool:
    return path.suffix in SUFFIXES or (path.parent.name, path.suffix) == _ENCODERS_OF_CONTROLNET


def _recognise(opener: Callable[[Path], Any], path: Path, _state: str) -> Any:
    try:
        return opener(path)
    except InstantStyleError as reason:
        logger.debug("Not offered: %s", reason)
        return None


def check_file(path: Path, kind: str) -> None:
    """Check that a downloaded file is an ``"adapter"``, an ``"encoder"`` or the ``"config"`` of an encoder.

    Raises:
        InstantStyleError: If it is not.
    """
    checks = {"adapter": open_adapter, "encoder": open_encoder, "config": _check_config}
    checks[kind](path)


def _check_config(path: Path) -> None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"it is no configuration of an image encoder ({error}).") from error
    if not isinstance(values, dict) or not isinstance(values.get("hidden_size"), int):
        raise EncoderError("it is no configuration of an image encoder (hidden_size is missing).")
