"""The files of the style library: which there are, and what each says of itself, read once as long as it stays."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lib_instantstyle.errors import StyleError
from lib_instantstyle.library.style_file import SUFFIX, fingerprint, read_metadata, read_whole
from lib_instantstyle.library.style_name import composed, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping


class StyleEntry(NamedTuple):
    """A file of the library."""

    name: str  # no other file of the library has it
    path: Path
    size: int  # bytes
    changed: int  # its mtime in nanoseconds


@dataclass(frozen=True)
class StyleFacts:
    """What lists and cards show of a style file; of one that cannot be used, the ``error`` and what could be read."""

    sha256: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    kind: str = ""
    width: int = 0
    references: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""


class StyleIndex:
    """What is known of the files in ``folder``; an answer counts as long as the file's size and time are the same."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[StyleEntry, StyleFacts]] = {}

    def entries(self) -> list[StyleEntry]:
        """Return the styles in the folder, sorted by name.

        Raises:
            OSError: If the folder cannot be read; one that does not exist is empty.
        """
        try:
            with os.scandir(self._folder) as files:
                found = dict(filter(None, map(self._status, files)))
        except FileNotFoundError:
            return []
        entries: dict[str, StyleEntry] = {}
        # First the files whose names are composed; a twin that a Mac wrote keeps its own spelling.
        for stem in sorted(found, key=lambda stem: (composed(stem) != stem, stem)):
            name, status = composed(stem), found[stem]
            if is_name(name):
                name = stem if name in entries else name
                entries[name] = StyleEntry(name, self._folder / f"{stem}{SUFFIX}", status.st_size, status.st_mtime_ns)
        paths = {entry.path for entry in entries.values()}
        self._known = {path: known for path, known in self._known.items() if path in paths}
        return sorted(entries.values(), key=lambda entry: (entry.name.lower(), entry.name))

    def snapshot(self) -> frozenset[tuple[str, int, int, int]]:
        """Return name, size and times of everything in the folder, what lies beside the styles included."""
        found = []
        with contextlib.suppress(OSError), os.scandir(self._folder) as files:
            for file in files:
                with contextlib.suppress(OSError):
                    status = file.stat(follow_symlinks=False)
                    found.append((file.name, status.st_size, status.st_mtime_ns, status.st_ctime_ns))
        return frozenset(found)

    def facts(self, entry: StyleEntry) -> StyleFacts:
        """Return what the file says of itself, remembered or read."""
        known, facts = self._known.get(entry.path, (None, StyleFacts()))
        if known == entry:
            return facts
        facts, lasting = _read(entry)
        if lasting:
            self._known[entry.path] = entry, facts
        return facts

    def forget(self, path: Path) -> None:
        """Read a file anew: within the clock's resolution it may change without looking changed."""
        self._known.pop(path, None)

    def _status(self, file: os.DirEntry[str]) -> tuple[str, os.stat_result] | None:
        """Return a file's stem and status, or None: routes must not show or copy what a link points to elsewhere."""
        if not file.name.endswith(SUFFIX):
            return None
        try:
            if file.is_symlink() and Path(file.path).resolve().parent != self._folder.resolve():
                return None
            return (file.name.removesuffix(SUFFIX), file.stat()) if file.is_file() else None
        except (OSError, RuntimeError):  # gone since, or links in a circle
            return None


def _read(entry: StyleEntry) -> tuple[StyleFacts, bool]:
    """Return what a file says, and whether that lasts until the file changes: permissions and disks come back."""
    try:
        style, metadata = read_whole(entry.path, entry.name)
    except StyleError as error:
        return _of_unusable(entry, str(error)), not isinstance(error.__cause__, OSError)
    kind = style.kind.value if style.kind else ""
    return StyleFacts(style.sha256, metadata, kind, style.width, style.references, style.settings), True


def _of_unusable(entry: StyleEntry, error: str) -> StyleFacts:
    try:
        sha256 = fingerprint(entry.path)
        metadata = read_metadata(entry.path)
    except OSError:
        sha256, metadata = "", {}
    except StyleError:
        metadata = {}
    return StyleFacts(sha256, metadata, error=error)
