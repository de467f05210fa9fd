"""The style library: named styles in one folder."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

from lib_instantstyle.errors import StyleError, UnknownStyleError
from lib_instantstyle.library.style_file import MAX_BYTES, SUFFIX, decode, encode, read, unreadable
from lib_instantstyle.library.style_index import StyleEntry, StyleFacts, StyleIndex
from lib_instantstyle.library.style_name import check_name, composed, folded
from lib_instantstyle.models.tensor_file import write_atomically
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from pathlib import Path

    from lib_instantstyle.library.saved_style import SavedStyle

_COMPANIONS = (".png", ".preview.png", ".json", ".txt")  # files that the WebUI writes beside a card's file
logger = logging.getLogger("instantstyle")


class StyleLibrary:
    """The styles in ``folder``, which is created when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = StyleIndex(folder)

    def names(self) -> list[str]:
        """Return the names of all styles, sorted."""
        return [entry.name for entry in self.entries()]

    def entries(self) -> list[StyleEntry]:
        """Return the files of all styles, sorted by name."""
        try:
            return self._entries()
        except StyleError as error:  # the page must still come
            logger.warning(str(error))
            return []

    def facts(self, entry: StyleEntry) -> StyleFacts:
        """Return what lists and cards show of a style; nothing is read again while its file stays the same."""
        return self._index.facts(entry)

    def snapshot(self) -> frozenset[tuple[str, int, int, int]]:
        """Return what is equal as long as nothing in the folder changes, previews and notes of styles included."""
        return self._index.snapshot()

    def path_for(self, name: str, *, replace: bool) -> Path:
        """Return the file that a style called ``name`` would be written to.

        Raises:
            StyleError: If it is no valid name, or is taken and ``replace`` is not set.
        """
        path = self.folder / f"{check_name(name)}{SUFFIX}"
        taken = _called(name, self._entries())
        if taken and not replace:
            raise StyleError(
                f"There is a style {quoted(taken.name)} already. Choose another name, or allow replacing it.", 409
            )
        return taken.path if taken else path

    def find(self, name: str) -> SavedStyle:
        """Return the style ``name``, whatever its case.

        Raises:
            StyleError: If there is none, listing what there is, or if its file is damaged.
        """
        entry = self.existing(name)
        return read(entry.path, entry.name)

    def existing(self, name: str) -> StyleEntry:
        """Return the file of the style ``name``, whatever its case, as long as that leaves no choice.

        Raises:
            UnknownStyleError: If there is none, listing what there is.
        """
        check_name(name)
        entries = self._entries()
        found = _called(name, entries)
        if found is None:
            raise _unknown(name, entries)
        return found

    def called(self, name: str) -> str:
        """Return the name of the style that ``name`` finds, or ``name`` itself if it finds none."""
        found = _called(name, self.entries())
        return found.name if found else name

    def sha256_of(self, name: str) -> str:
        """Return the hash of the style ``name``; empty if there is none."""
        found = _called(name, self.entries())
        return self.facts(found).sha256 if found else ""

    def keep(self, name: str, style: SavedStyle, *, replace: bool = False) -> Path:
        """Write ``style`` under ``name``.

        Raises:
            StyleError: If the name is taken and ``replace`` is not set, or the file is too large or cannot be written.
        """
        content = encode(style)
        if len(content) > MAX_BYTES:
            raise StyleError(
                f"The style {quoted(name)} is {len(content) >> 20} MiB large; {MAX_BYTES >> 20} are the limit."
            )
        return self._write(name, content, replace=replace)

    def import_file(self, name: str, content: bytes, *, replace: bool = False) -> Path:
        """Add a style file that came from elsewhere, once all of it has been read and checked.

        Raises:
            StyleError: If it is not a style, or as in `keep`.
        """
        check_name(name)
        decode(content, name)
        return self._write(name, content, replace=replace)

    def import_path(self, path: Path, name: str = "", *, replace: bool = False) -> Path:
        """Add the style file at ``path`` under ``name``, or under its own, as `import_file` does."""
        return self.import_file(name.removesuffix(SUFFIX) or path.stem, content_of(path), replace=replace)

    def delete(self, name: str) -> None:
        """Delete the style ``name``, in this very case: ``Ink`` is not ``ink``.

        Raises:
            StyleError: If there is none, listing what there is, or it cannot be deleted.
        """
        found = self.existing(name)
        if found.name not in (name, composed(name)):
            raise _unknown(name, self._entries())
        try:
            found.path.unlink(missing_ok=True)
        except OSError as error:
            raise StyleError(
                f"The style {quoted(found.name)} cannot be deleted from {self.folder}: {error.strerror or error}."
            ) from error
        self._index.forget(found.path)
        for companion in (found.path.with_suffix(suffix) for suffix in _COMPANIONS):
            if not companion.with_suffix(SUFFIX).exists():  # Ink.preview.png may belong to a style Ink.preview
                with contextlib.suppress(OSError):
                    companion.unlink(missing_ok=True)

    def _entries(self) -> list[StyleEntry]:
        try:
            return self._index.entries()
        except OSError as error:
            raise StyleError(
                f"The style library {self.folder} cannot be read: {error.strerror or error}. Allow this account to "
                "read the folder, and to write to it."
            ) from error

    def _write(self, name: str, content: bytes, *, replace: bool) -> Path:
        path = self.path_for(name, replace=replace)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
        except OSError as error:
            raise StyleError(
                f"The style {quoted(name)} cannot be written to {path.parent}: {error.strerror}."
            ) from error
        self._index.forget(path)
        logger.info("Saved the style %s (%d bytes)", path.stem, len(content))
        return path


def content_of(path: Path) -> bytes:
    """Return the bytes of a style file; `StyleError` if it is too large to be one, or cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StyleError(f"The style {path.stem} is too large: at most {MAX_BYTES >> 20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise unreadable(path.stem, error) from error


def _called(name: str, entries: list[StyleEntry]) -> StyleEntry | None:
    """Return the style of this spelling; else of this name; else the only one that differs in case."""
    by_name = {entry.name: entry for entry in entries}
    for spelling in (name, composed(name)):
        if spelling in by_name:
            return by_name[spelling]
    others = [entry for entry in entries if folded(entry.name) == folded(name)]
    return others[0] if len(others) == 1 else None


def _unknown(name: str, entries: list[StyleEntry]) -> UnknownStyleError:
    names = ", ".join(entry.name for entry in entries) or "none"
    return UnknownStyleError(f"There is no saved style {quoted(name)}. There are: {names}.")
