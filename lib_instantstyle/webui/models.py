"""Adapters and encoders on disk: which are there, what they can do, and their hashes."""

from __future__ import annotations

import contextlib
import functools
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from lib_instantstyle.checkpoint import Adapter, Kind, open_adapter
from lib_instantstyle.declared import AUTOMATIC
from lib_instantstyle.describe import adapter_abilities, adapter_kind, size_text
from lib_instantstyle.encoder import EncoderFile, open_encoder
from lib_instantstyle.errors import AdapterError, InstantStyleError
from lib_instantstyle.tensorfile import SUFFIXES, TensorFileError, state_of
from lib_instantstyle.webui import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Found = TypeVar("Found", Adapter, EncoderFile)
logger = logging.getLogger("instantstyle")
_ENCODERS_OF_CONTROLNET = ("clip_vision", ".pth")  # folder and suffix
_CACHED_FILES = 1024


def list_adapters() -> list[Adapter]:
    """Return the usable adapters, those that can remove content first."""
    found = [_recognise(open_adapter, path, path) for path in _tensor_files()]
    adapters = [adapter for adapter in found if adapter]
    return sorted(
        adapters,
        key=lambda a: (
            not a.removes_content,
            a.kind is Kind.PLUS,
            a.path.suffix != ".safetensors",
            a.path.name.lower(),
        ),
    )


def adapter_names() -> list[str]:
    """Return the choices of the adapter control."""
    return [AUTOMATIC, *dict.fromkeys(adapter.path.name for adapter in list_adapters())]


def find_adapter(name: str, suits: Callable[[Adapter], bool] | None = None) -> Adapter:
    """Return the adapter file called ``name``, with or without suffix, or the best one for Automatic.

    Args:
        name: Of the file, or Automatic.
        suits: Narrows the automatic choice.

    Raises:
        AdapterError: If there is none of that name, saying what there is, or if the file is unusable, saying why.
    """
    adapters = list_adapters()
    if is_automatic(name):
        suitable = [adapter for adapter in adapters if suits is None or suits(adapter)]
        if suitable:
            return suitable[0]
        if adapters:
            names = ", ".join(adapter.path.name for adapter in adapters)
            raise AdapterError(f"None of the adapters ({names}) reads the embedding of this saved style. Make it anew.")
        searched = ", ".join(map(str, folders.model_folders()))
        raise AdapterError(
            "No IP-Adapter for SDXL was found. Press Get models in InstantStyle's tab Models, or put "
            f"ip-adapter_sdxl.safetensors into {folders.own_folder()}. Searched: {searched}."
        )
    for adapter in adapters:
        if name.lower() in (adapter.path.name.lower(), adapter.path.stem.lower()):
            return adapter
    for path in _tensor_files():  # a file that was named but is unusable tells why
        if name.lower() in (path.name.lower(), path.stem.lower()):
            return open_adapter(path)
    names = ", ".join(adapter.path.name for adapter in adapters) or "none"
    raise AdapterError(f"The adapter {name!r} was not found. There are: {names}.")


def is_automatic(name: str) -> bool:
    """Whether ``name`` asks for the automatic choice."""
    return name.lower() in ("", AUTOMATIC.lower(), "auto")


def list_encoders() -> list[EncoderFile]:
    """Return the vision towers found: folders with a ``config.json``, and single files."""
    found = {path.parent if (path.parent / "config.json").is_file() else path: path for path in _tensor_files()}
    encoders = [_recognise(open_encoder, path, weights) for path, weights in found.items()]
    return [encoder for encoder in encoders if encoder]


def adapter_sha256(adapter: Adapter) -> str | None:
    """Return the file's SHA-256 from the host's hash cache, computing it once; None under ``--no-hashing``."""
    from modules import hashes

    digest: str | None = hashes.sha256(str(adapter.path), f"instantstyle/{adapter.path.name}")
    return digest


def describe_adapter(adapter: Adapter) -> dict[str, Any]:
    """Return what the API tells of an adapter; of the encoders that suit it the first is the one that is used."""
    suitable = [encoder.path.name for encoder in list_encoders() if encoder.suits(adapter)]
    size = adapter.path.stat().st_size
    return {
        "name": adapter.path.name,
        "description": f"{adapter_kind(adapter)}, {size_text(size)}: {adapter_abilities(adapter)}",
        "folder": str(adapter.path.parent),
        "kind": adapter.kind.value,
        "embedding_width": adapter.embedding_width,
        "tokens": adapter.tokens,
        "sites": len(adapter.widths),
        "removes_content": adapter.removes_content,
        "bytes": size,
        "encoders": suitable,
    }


def _tensor_files() -> Iterator[Path]:
    seen = set()
    hidden = folders.hidden_folders()
    for folder in folders.model_folders():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            is_model = _may_be_model(path) and path.is_file() and not any(folder in path.parents for folder in hidden)
            if is_model and path.resolve() not in seen:
                seen.add(path.resolve())
                yield path


def _may_be_model(path: Path) -> bool:
    return path.suffix in SUFFIXES or (path.parent.name, path.suffix) == _ENCODERS_OF_CONTROLNET


def _recognise(opener: Callable[[Path], Found], path: Path, file: Path) -> Found | None:
    """Open ``path`` once and remember the answer until ``file`` changes."""
    with contextlib.suppress(TensorFileError):  # it went while we looked
        answer: Found | None = _recognise_unchanged(opener, path, state_of(file))
        return answer
    return None


@functools.lru_cache(maxsize=_CACHED_FILES)
def _recognise_unchanged(opener: Callable[[Path], Any], path: Path, _state: str) -> Any:
    try:
        return opener(path)
    except InstantStyleError as reason:
        logger.debug("Not offered: %s", reason)
        return None
