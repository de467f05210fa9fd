"""Tensors in a file, read one by one: ``.safetensors`` through its header, ``.bin`` weights-only."""

from __future__ import annotations

import contextlib
import pickle
import struct
import zipfile
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError, safe_open

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SUFFIXES = (".safetensors", ".bin")
# What the readers raise on damaged files; torch's restricted unpickler walks into whatever is on its stack.
_UNREADABLE = (
    SafetensorError,
    pickle.UnpicklingError,
    struct.error,
    OSError,
    RuntimeError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
)


class TensorFileError(Exception):
    """The file is damaged or not a tensor file."""


class TensorFile:
    """The names and shapes of a file's tensors, and a way to read some of them.

    Constructing reads the header of a ``.safetensors`` file and holds on to nothing but names and shapes. A
    ``.bin`` file is memory-mapped where its format allows, so that here too only what is asked for is read.

    Raises:
        TensorFileError: If the file is missing, truncated, or holds anything but tensors.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            if self._is_pickle:
                self.shapes = {key: tuple(tensor.shape) for key, tensor in self._pickled().items()}
            else:
                with safe_open(str(path), framework="pt") as file:
                    self.shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
        except _UNREADABLE as error:
            raise TensorFileError(f"{path.name} cannot be read: {_first_line(error)}") from error

    def read(self, keys: Iterable[str]) -> dict[str, torch.Tensor]:
        """Return the tensors called ``keys``, on the CPU, as stored.

        Raises:
            TensorFileError: If one is missing or cannot be read.
        """
        return dict(self.stream(keys))

    def stream(self, keys: Iterable[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield the tensors called ``keys`` one by one, so that the caller holds no more than it wants.

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
        return self.path.suffix != ".safetensors"

    def _pickled(self) -> dict[str, torch.Tensor]:
        mappable = zipfile.is_zipfile(self.path) or None  # only the zip format of torch.save can be mapped
        # Hosts of the Forge family wrap torch.load so that a file it cannot read is renamed; the original is beside it.
        load = getattr(torch, "load_origin", torch.load)
        return _flattened(load(str(self.path), map_location="cpu", weights_only=True, mmap=mappable))


@contextlib.contextmanager
def failing_as(made: Callable[[TensorFileError], Exception]) -> Iterator[None]:
    """Raise what ``made`` makes of a `TensorFileError` in its place."""
    try:
        yield
    except TensorFileError as error:
        raise made(error) from error


def state_of(path: Path) -> str:
    """Return a text that changes whenever the file does: size in bytes and time in nanoseconds.

    Raises:
        TensorFileError: If the file is gone.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise TensorFileError(f"{path.name} cannot be read: {_first_line(error)}") from error
    return f"{status.st_size}:{status.st_mtime_ns}"


def _flattened(loaded: object, prefix: str = "") -> dict[str, torch.Tensor]:
    if loaded is None:  # the host's restricted loader answers a refused file with None
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


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
