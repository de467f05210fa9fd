"""Style files: safetensors with embeddings and latents as tensors, and everything else as metadata.

Files may come from anywhere, so everything is checked before it is used and nothing is ever unpickled. The
thumbnail has the metadata key under which the WebUI looks for cover pictures.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from lib_instantstyle.errors import ParameterError, StyleError
from lib_instantstyle.library.saved_style import SETTINGS, SavedStyle
from lib_instantstyle.library.style_tensors import are_known, from_tensors, to_tensors
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

SUFFIX = ".safetensors"
MAX_BYTES = 128 << 20  # eight references of a Plus adapter with eight tiles each
MAX_COVER = 2 << 20  # characters; the covers that this extension writes have about 6 000
FORMAT = "instantstyle-1"
FORMAT_2 = "instantstyle-2"  # with latents
# RecursionError is what json raises on deeply nested brackets.
_UNUSABLE = (SafetensorError, OSError, ValueError, IndexError, TypeError, RecursionError, ParameterError)
_COVER = "ssmd_cover_images"


def encode(style: SavedStyle) -> bytes:
    """Return the content of a style file."""
    tensors, metadata = to_tensors(style)
    metadata |= {
        "format": FORMAT_2 if style.latents else FORMAT,
        "settings": json.dumps(dict(style.settings), sort_keys=True),
        _COVER: json.dumps([base64.b64encode(style.thumbnail).decode()] if style.thumbnail else []),
    }
    return _sorted_header(save(tensors, metadata))


def _sorted_header(content: bytes) -> bytes:
    """Sort the header's entries, which safetensors does not, so that equal styles give equal files."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length]), sort_keys=True, separators=(",", ":")).encode()
    padded = header + b" " * (-len(header) % 8)
    return len(padded).to_bytes(8, "little") + padded + content[8 + length :]


def decode(content: bytes, name: str) -> SavedStyle:
    """Read the content of a style file; messages call it ``name``.

    Raises:
        StyleError: If it is not a style, is damaged, or holds anything that a style cannot have.
    """
    if len(content) > MAX_BYTES:
        raise StyleError(
            f"The style {name} is {len(content) >> 20} MiB large; styles are at most {MAX_BYTES >> 20} MiB."
        )
    with tempfile.TemporaryDirectory() as folder:  # safetensors reads metadata from files only
        path = Path(folder) / f"style{SUFFIX}"
        path.write_bytes(content)
        return read(path, name)


def read(path: Path, name: str) -> SavedStyle:
    """Read the style file at ``path``, as `decode` does."""
    return read_whole(path, name)[0]


def read_whole(path: Path, name: str) -> tuple[SavedStyle, dict[str, str]]:
    """Return the style in the file at ``path`` and the file's metadata; `StyleError` as in `decode`."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StyleError(f"The style {name} is too large: at most {MAX_BYTES >> 20} MiB.")
        sha256 = fingerprint(path)  # first: safetensors takes a file that may not be opened for one that is missing
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
            _check_format(metadata, name)
            tensors = {key: file.get_tensor(key) for key in _checked_names(file.keys(), name)}
        return dataclasses.replace(_style(metadata, tensors), sha256=sha256), metadata
    except OSError as error:
        raise unreadable(name, error) from error
    except SafetensorError as error:  # its own message is about headers and bytes
        raise StyleError(f"{name}{SUFFIX} is not an InstantStyle style, or is damaged: it cannot be used.") from error
    except KeyError as error:
        raise StyleError(f"The style {name} cannot be used: it lacks {error}. Save or import it again.") from error
    except _UNUSABLE as error:
        raise StyleError(f"The style {name} cannot be used: {error}. Save or import it again.") from error


def unreadable(name: str, error: OSError) -> StyleError:
    """Return the error for a style file that is there, but cannot be read."""
    return StyleError(
        f"The style {name} cannot be read: {error.strerror or error}. Check that its file is there and may be read."
    )


def read_metadata(path: Path) -> dict[str, str]:
    """Return the metadata of a style file: format, settings and cover picture.

    Raises:
        StyleError: If it is not a style file, or its cover cannot be used.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = dict(file.metadata() or {})
        _check_format(metadata, path.stem)
        _cover(metadata.get(_COVER, "[]"))
    except _UNUSABLE as error:  # OSError too
        raise StyleError(f"The style {path.stem} cannot be used: {error}. Save or import it again.") from error
    return metadata


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a style file, or an empty text if it is too large to be one."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.stat().st_size <= MAX_BYTES else ""


def _check_format(metadata: Mapping[str, str], name: str) -> None:
    if metadata.get("format") not in (FORMAT, FORMAT_2):
        found = quoted(metadata.get("format"))
        raise StyleError(f"{name} is no style saved by this extension (its format is {found}).")


def _checked_names(names: Any, name: str) -> list[str]:
    found = list(names)
    if not are_known(found):
        raise StyleError(f"The style {name} holds other tensors than embeddings. Save or import it again.")
    return found


def _style(metadata: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> SavedStyle:
    kind, width, embeddings, latents = from_tensors(tensors, metadata)
    settings, cover = _settings(metadata["settings"]), _cover(metadata.get(_COVER, "[]"))
    saved = SavedStyle(kind, width, embeddings, settings, cover, latents)
    saved.params()  # validates the settings now rather than in the middle of a job
    return saved


def _settings(text: str) -> dict[str, Any]:
    settings = json.loads(text)
    if not isinstance(settings, dict):
        raise TypeError("its settings are no dict")
    foreign = sorted(set(settings) - set(SETTINGS))
    if foreign:
        raise ValueError(f"its settings hold {quoted(foreign[0])}, which no style has")
    return settings


def _cover(text: str) -> bytes:
    covers = json.loads(text)
    if not isinstance(covers, list) or not all(isinstance(cover, str) for cover in covers):
        raise TypeError("its cover pictures are no list of texts")
    if len(text) > MAX_COVER:
        raise ValueError("its cover picture is too large")
    try:
        return base64.b64decode(covers[0], validate=True) if covers else b""
    except binascii.Error as error:
        raise ValueError(f"its cover picture is damaged ({error})") from error
