"""Tensor files: read tensor by tensor (``.safetensors`` by its header, ``.bin`` weights-only), written atomically."""

from __future__ import annotations

import contextlib
import pickle
import struct
import uuid
import zipfile
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open

from lib_instantstyle.models.safetensors_header import read_shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SUFFIXES = (".safetensors", ".bin")
# What the readers raise on damaged files; torch's restricted unpickler fails on whatever it finds on its stack.
_UNREADABLE = (
    *(SafetensorError, pickle.UnpicklingError, struct.error, OSError, RuntimeError, ValueError, EOFError, LookupError),
    *(TypeError, AttributeError, ArithmeticError, AssertionError, MemoryError),
)


class TensorFileError(Exception):
    """The file is damaged or not a tensor file."""


class TensorFile:
    """The names and shapes of a file's tensors, and a way to read some of them.

    The constructor keeps only names and shapes. A ``.bin`` file is memory-mapped where its format allows, so
    that of both formats only the requested tensors are read.

    Attributes:
        path: Of the file.
        bytes: Its size.
        shapes: Of its tensors, by name.

    Raises:
        TensorFileError: If the file is missing, truncated, or holds anything but tensors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.bytes = path.stat().st_size
            if self._is_pickle:
                self.shapes = {key: tuple(tensor.shape) for key, tensor in self._pickled().items()}
            else:
                self.shapes = read_shapes(path)
        except _UNREADABLE as error:
            raise TensorFileError(f"{path.name} cannot be read: {_first_line(error)}") from error

    def read(self, keys: Iterable[str]) -> dict[str, torch.Tensor]:
        """Return the tensors called ``keys``, on the CPU, as stored; raises as `stream` does."""
        return dict(self.stream(keys))

    def stream(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield the tensors called ``keys`` one by one, so that the caller need not hold all of them.

        Raises:
            TensorFileError: If one is missing or cannot be read.
        """
        try:
            if self._is_pickle:
                tensors = self._pickled()
                yield from ((key, tensors[key]) for key in keys)
            else:
                with safe_open(str(self.path), framework="pt") as file:
                    yield from ((key, file.get_tensor(key)) for key in keys)
        except _UNREADABLE as error:
            raise TensorFileError(f"{self.path.name} cannot be read: {_first_line(error)}") from error

    @property
    def _is_pickle(self) -> bool:
        return self.path.suffix.lower() != ".safetensors"

    def _pickled(self) -> dict[str, torch.Tensor]:
        mappable = zipfile.is_zipfile(self.path) or None  # only the zip format of torch.save can be mapped
        # The Forge family wraps torch.load to rename files that it cannot read, and keeps the original as load_origin.
        load = getattr(torch, "load_origin", torch.load)
        try:
            loaded = load(str(self.path), map_location="cpu", weights_only=True, mmap=mappable)
        except _UNREADABLE as error:
            if "weights_only" not in str(error):
                raise
            loaded = None  # torch's own words advise to load it all the same
        return _flattened(loaded)


@contextlib.contextmanager
def failing_as(made: Callable[[TensorFileError], Exception]) -> Iterator[None]:
    """Turn a `TensorFileError` into the error that ``made`` returns for it."""
    try:
        yield
    except TensorFileError as error:
        raise made(error) from error


def state_of(path: Path) -> str:
    """Return a text that changes whenever the file does: its size in bytes and its mtime in nanoseconds.

    Raises:
        TensorFileError: If the file is gone.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise TensorFileError(f"{path.name} cannot be read: {_first_line(error)}") from error
    return f"{status.st_size}:{status.st_mtime_ns}"


def _flattened(loaded: object, prefix: str = "") -> dict[str, torch.Tensor]:
    if loaded is None:  # refused; the host's restricted loader has no other answer
        raise ValueError("it holds more than tensors, or is damaged")
    if not isinstance(loaded, dict):
        raise ValueError(f"it holds a {type(loaded).__name__} where tensors by name were expected")  # noqa: TRY004
    tensors: dict[str, torch.Tensor] = {}
    for key, value in loaded.items():
        if isinstance(value, torch.Tensor):
            tensors[f"{prefix}{key}"] = value
        elif isinstance(value, dict):
            tensors.update(_flattened(value, f"{prefix}{key}."))
    return tensors


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all, with the permissions that any new file has.

    Raises:
        OSError: If it cannot be written; nothing is left behind.
    """
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
