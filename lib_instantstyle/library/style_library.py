"""The style library: named styles in one folder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lib_instantstyle.errors import StyleError, UnknownStyleError
from lib_instantstyle.library.saved_style import SavedStyle, check_name, is_name
from lib_instantstyle.library.style_file import MAX_BYTES, SUFFIX, decode, encode, fingerprint, read
from lib_instantstyle.models.tensor_file import write_atomically
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from pathlib import Path

_COMPANIONS = (".png", ".preview.png", ".json", ".txt")  # files that the WebUI writes beside a card's file
logger = logging.getLogger("instantstyle")


class StyleLibrary:
    """The styles in ``folder``, which is created when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """Return the names of all styles, sorted."""
        files = self.folder.glob(f"*{SUFFIX}") if self.folder.is_dir() else []
        return sorted((path.stem for path in files if is_name(path.stem) and self._holds(path)), key=str.lower)

    def path_of(self, name: str) -> Path:
        """Return the file of the style ``name``, existing or not; `StyleError` if it is no valid name."""
        return self.folder / f"{check_name(name)}{SUFFIX}"

    def find(self, name: str) -> SavedStyle:
        """Return the style ``name``, whatever its case.

        Raises:
            StyleError: If there is none, listing what there is, or if its file is damaged.
        """
        path = self.existing(name)
        return read(path, path.stem)

    def existing(self, name: str) -> Path:
        """Return the file of the style ``name``, whatever its case.

        Raises:
            UnknownStyleError: If there is none, listing what there is.
        """
        found = self._taken(check_name(name))
        if found is None:
            names = ", ".join(self.names()) or "none"
            raise UnknownStyleError(f"There is no saved style {quoted(name)}. There are: {names}.")
        return self.folder / f"{found}{SUFFIX}"

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

    def import_path(self, path: Path, *, replace: bool = False) -> Path:
        """Add the style file at ``path`` under its own name, as `import_file` does."""
        return self.import_file(path.stem, content_of(path), replace=replace)

    def delete(self, name: str) -> None:
        """Delete the style ``name``; `UnknownStyleError` if there is none."""
        path = self.existing(name)
        for companion in (path, *(path.with_suffix(suffix) for suffix in _COMPANIONS)):
            companion.unlink(missing_ok=True)

    def hash_of(self, name: str) -> str:
        """Return the start of the SHA-256 of the style's file, for the infotext."""
        return fingerprint(self.existing(name))[:12]

    def _holds(self, path: Path) -> bool:
        """Whether a file is in the folder itself: routes must not show or copy what a link points to."""
        return path.is_file() and path.resolve().parent == self.folder.resolve()

    def _taken(self, name: str) -> str | None:
        return next((known for known in self.names() if known.lower() == name.lower()), None)

    def _write(self, name: str, content: bytes, *, replace: bool) -> Path:
        path = self.path_of(name)
        taken = self._taken(path.stem)
        if taken and not replace:
            raise StyleError(
                f"There is a style {quoted(taken)} already. Choose another name, or allow replacing it.", 409
            )
        try:
            path = path.with_name(f"{taken or path.stem}{SUFFIX}")
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, content)
        except OSError as error:
            raise StyleError(
                f"The style {quoted(name)} cannot be written to {path.parent}: {error.strerror}."
            ) from error
        logger.info("Saved the style %s (%d bytes)", path.stem, len(content))
        return path


def content_of(path: Path) -> bytes:
    """Return the bytes of a style file; `StyleError` if it is too large to be one."""
    if path.stat().st_size > MAX_BYTES:
        raise StyleError(f"The style {path.stem} is too large: at most {MAX_BYTES >> 20} MiB.")
    return path.read_bytes()
