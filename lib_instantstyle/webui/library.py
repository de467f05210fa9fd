"""The style library: named styles in one folder of the models folder."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from lib_instantstyle.controls import quoted
from lib_instantstyle.declared import AUTOMATIC
from lib_instantstyle.errors import StyleError, UnknownStyleError
from lib_instantstyle.store import write_whole
from lib_instantstyle.stylefile import MAX_BYTES, SUFFIX, decode, encode, fingerprint, read
from lib_instantstyle.styles import SavedStyle, check_name, is_name
from lib_instantstyle.webui import folders, models

if TYPE_CHECKING:
    from pathlib import Path

    from lib_instantstyle.checkpoint import Adapter

_COMPANIONS = (".png", ".preview.png", ".json", ".txt")  # what the WebUI keeps beside a card's file
logger = logging.getLogger("instantstyle")


def names() -> list[str]:
    """Return the names of all styles, sorted."""
    folder = folders.styles_folder()
    files = folder.glob(f"*{SUFFIX}") if folder.is_dir() else []
    return sorted((path.stem for path in files if is_name(path.stem) and _lies_in(folder, path)), key=str.lower)


def path_of(name: str) -> Path:
    """Return the file of the style ``name``, whether it exists or not.

    Raises:
        StyleError: If the name could leave the folder.
    """
    return folders.styles_folder() / f"{check_name(name)}{SUFFIX}"


def find(name: str) -> SavedStyle:
    """Return the style ``name``, whatever its case.

    Raises:
        StyleError: If there is none, saying which there are, or if its file is damaged.
    """
    path = existing(name)
    return read(path, path.stem)


def existing(name: str) -> Path:
    """Return the file of the style ``name``, whatever its case.

    Raises:
        UnknownStyleError: If there is none, saying which there are.
    """
    wanted = check_name(name).lower()
    found = next((known for known in names() if known.lower() == wanted), None)
    if found is None:
        raise UnknownStyleError(f"There is no saved style {quoted(name)}. There are: {', '.join(names()) or 'none'}.")
    return folders.styles_folder() / f"{found}{SUFFIX}"


def keep(name: str, style: SavedStyle, *, replace: bool = False) -> Path:
    """Write ``style`` under ``name``.

    Raises:
        StyleError: If the name is taken and ``replace`` is not set, or the folder cannot be written.
    """
    content = encode(style)
    if len(content) > MAX_BYTES:
        raise StyleError(
            f"The style {quoted(name)} is {len(content) >> 20} MiB large; {MAX_BYTES >> 20} are the limit."
        )
    return _write(name, content, replace=replace)


def import_file(name: str, content: bytes, *, replace: bool = False) -> Path:
    """Keep a style file that came from elsewhere, once it has been read completely.

    Raises:
        StyleError: If it is no style, or as in `keep`.
    """
    check_name(name)
    decode(content, name)
    return _write(name, content, replace=replace)


def import_path(path: Path, *, replace: bool = False) -> Path:
    """Keep the style file at ``path`` under its own name, as `import_file` does."""
    return import_file(path.stem, content_of(path), replace=replace)


def content_of(path: Path) -> bytes:
    """Return what is in a style file.

    Raises:
        StyleError: If it is too large to be one.
    """
    if path.stat().st_size > MAX_BYTES:
        raise StyleError(f"The style {path.stem} is too large: at most {MAX_BYTES >> 20} MiB.")
    return path.read_bytes()


def delete(name: str) -> None:
    """Remove the style ``name``.

    Raises:
        UnknownStyleError: If there is none.
    """
    path = existing(name)
    for companion in (path, *(path.with_suffix(suffix) for suffix in _COMPANIONS)):
        companion.unlink(missing_ok=True)


def adapter_for(style: SavedStyle, name: str = AUTOMATIC) -> Adapter:
    """Return the adapter called ``name``, or the first that reads the style's embeddings.

    Raises:
        StyleError: If that adapter reads other embeddings.
        AdapterError: If there is none.
    """
    adapter = models.find_adapter(name, lambda candidate: _suits(candidate, style))
    if not _suits(adapter, style):
        raise StyleError(
            f"{adapter.path.name} cannot read this saved style: it was made for a {style.kind.value} adapter with "
            f"{style.width}-wide embeddings. Choose the adapter Automatic, or save the style anew."
        )
    return adapter


def hash_of(name: str) -> str:
    """Return the start of the SHA-256 of the style's file, for the infotext."""
    return fingerprint(existing(name))[:12]


def _lies_in(folder: Path, path: Path) -> bool:
    """Whether a file is in the folder itself: through a link, the routes would show and copy what lies elsewhere."""
    return path.is_file() and path.resolve().parent == folder.resolve()


def _suits(adapter: Adapter, style: SavedStyle) -> bool:
    return (adapter.kind, adapter.embedding_width) == (style.kind, style.width)


def _write(name: str, content: bytes, *, replace: bool) -> Path:
    path = path_of(name)
    taken = next((known for known in names() if known.lower() == path.stem.lower()), None)
    if taken and not replace:
        raise StyleError(f"There is a style {quoted(taken)} already. Choose another name, or allow replacing it.", 409)
    try:
        path = path.with_name(f"{taken or path.stem}{SUFFIX}")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise StyleError(f"The style {quoted(name)} cannot be written to {path.parent}: {error.strerror}.") from error
    logger.info("Saved the style %s (%d bytes)", path.stem, len(content))
    return path
