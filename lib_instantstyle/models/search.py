"""The search for files that may hold models: each folder once, and what cannot be entered is told, not raised."""

# Thousands of files are looked at in each search, where texts cost a tenth of what paths do.
# ruff: noqa: PTH118, PTH119, PTH122

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.models.encoder_file import CONFIG
from lib_instantstyle.models.tensor_file import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Sequence

_ENCODERS_OF_CONTROLNET = ("clip_vision", ".pth")  # folder and suffix
_REASONS: dict[type[Exception], str] = {  # where the system's words depend on its language
    PermissionError: "it may not be read by this account",
    FileNotFoundError: "it does not exist",
    NotADirectoryError: "it is no folder",
}


class SearchFolders(NamedTuple):
    """Where models may be."""

    chosen: Sequence[Path]  # named by the user, the most specific first
    usual: Sequence[Path]  # searched after them, and often not there
    hidden: Sequence[Path]  # folders within these that are left out
    own: Path  # where messages tell users to put models

    @property
    def searched(self) -> list[Path]:
        """All of them in the order of the search."""
        return [*self.chosen, *self.usual]


class Problem(NamedTuple):
    """A folder or file that cannot be used."""

    path: str
    reason: str


class FileSeen(NamedTuple):
    """A file that may hold a model."""

    path: str
    state: tuple[int, ...]  # size and mtime, its configuration's too: it is another file when they differ
    config: str | None  # ``config.json`` in the same folder


class Search:
    """One walk through ``folders``, in the order of the folders and of the names in them.

    Attributes:
        files: Found, each under one path.
        problems: Folders and files that could not be looked at.
    """

    def __init__(self, folders: SearchFolders) -> None:
        self.files: list[FileSeen] = []
        self.problems: list[Problem] = []
        self._may_be_absent = set(map(str, folders.usual))
        self._visited = {_identity(str(folder)) for folder in folders.hidden}  # which leaves them out
        for folder in folders.searched:
            self._walk(str(folder))

    def _walk(self, root: str) -> None:
        waiting: list[str | FileSeen] = [root]
        while waiting:
            entry = waiting.pop()
            if isinstance(entry, FileSeen):
                self.files.append(entry)
            else:
                waiting += self._within(entry)

    def _within(self, folder: str) -> list[str | FileSeen]:
        """Return the folders and the possible models in ``folder``, the last name first; nothing the second time."""
        try:
            identity = _identity(folder)
            if not self._is_new(identity):
                return []
            with os.scandir(folder) as listed:
                entries = sorted(listed, key=lambda entry: entry.name, reverse=True)
        except (OSError, ValueError) as error:  # ValueError: no name that a file system knows
            self._note(folder, error)
            return []
        config = next((entry for entry in entries if entry.name == CONFIG), None)
        return list(filter(None, (self._seen(entry, identity, config) for entry in entries)))

    def _seen(self, entry: os.DirEntry[str], folder: str, config: os.DirEntry[str] | None) -> str | FileSeen | None:
        try:
            if entry.is_dir():
                return entry.path
            if not _may_be_model(entry.path):
                return None
            status = entry.stat()
            identity = (
                _identity(entry.path) if entry.is_symlink() else os.path.join(folder, os.path.normcase(entry.name))
            )
            if not stat.S_ISREG(status.st_mode) or not self._is_new(identity):
                return None
        except OSError as error:
            self._note(entry.path, error)
            return None
        beside = _state(config)
        return FileSeen(entry.path, (*_numbers(status), *beside), config.path if config and beside else None)

    def _is_new(self, identity: str) -> bool:
        is_new = identity not in self._visited
        self._visited.add(identity)
        return is_new

    def _note(self, path: str, error: OSError | ValueError) -> None:
        if not (isinstance(error, FileNotFoundError) and path in self._may_be_absent):
            self.problems.append(Problem(path, _REASONS.get(type(error)) or _words_of(error)))


def _state(config: os.DirEntry[str] | None) -> tuple[int, ...]:
    """Return the state of a configuration, empty if there is none that can be looked at."""
    try:
        return _numbers(config.stat()) if config and config.is_file() else ()
    except OSError:
        return ()


def _numbers(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _identity(path: str) -> str:
    """Return what all paths to one folder or file have in common; links that lead to themselves end here."""
    return os.path.normcase(os.path.realpath(path))


def _may_be_model(path: str) -> bool:
    folder, name = os.path.split(path)
    suffix = os.path.splitext(name)[1].lower()
    return suffix in SUFFIXES or (os.path.basename(folder), suffix) == _ENCODERS_OF_CONTROLNET


def _words_of(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
