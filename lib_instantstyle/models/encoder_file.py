"""Image encoders on disk: CLIP vision towers, recognised by keys and shapes without reading their weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_instantstyle.errors import EncoderError
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.tensor_file import TensorFile, TensorFileError, failing_as, state_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lib_instantstyle.models.adapter import Adapter

_CLASS_EMBEDDING = "vision_model.embeddings.class_embedding"
_PROJECTION = "visual_projection.weight"
_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")


@dataclass(frozen=True)
class EncoderFile:
    """A recognised vision tower on disk."""

    path: Path  # a folder with ``config.json``, or a single file
    weights: Path  # the file that holds the tensors
    hidden_width: int  # of its hidden states
    projection_width: int  # of the space it shares with text

    def suits(self, adapter: Adapter) -> bool:
        """Whether ``adapter`` can read this tower's output."""
        return self.serves(adapter.kind, adapter.embedding_width)

    def serves(self, kind: Kind, embedding_width: int) -> bool:
        """Whether adapters of this kind and embedding width can read this tower's output."""
        return embedding_width == (self.projection_width if kind is Kind.LINEAR else self.hidden_width)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file does; part of the key of cached embeddings.

        Raises:
            EncoderError: If the file is gone.
        """
        with failing_as(_unreadable):
            state = state_of(self.weights)
        return f"{self.weights.name}:{state}:{self.hidden_width}"


def open_encoder(path: Path) -> EncoderFile:
    """Recognise the vision tower in the folder or file ``path`` without reading its weights.

    Raises:
        EncoderError: If it is not a vision tower, or cannot be read.
    """
    weights = path if path.is_file() else _weights_in(path)
    with failing_as(_unreadable):
        shapes = TensorFile(weights).shapes
    if not shapes.get(_CLASS_EMBEDDING) or not shapes.get(_PROJECTION):
        raise EncoderError(f"{path.name} is not a CLIP vision tower with projection (no {_PROJECTION}).")
    return EncoderFile(path, weights, shapes[_CLASS_EMBEDDING][0], shapes[_PROJECTION][0])


def _unreadable(error: TensorFileError) -> EncoderError:
    return EncoderError(f"Image encoder: {error}. Download it again.")


def _weights_in(folder: Path) -> Path:
    for name in _WEIGHT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise EncoderError(f"The image encoder folder {folder.name} holds neither {' nor '.join(_WEIGHT_FILES)}.")


def first_suitable(adapter: Adapter, encoders: Sequence[EncoderFile]) -> EncoderFile | None:
    """Return the first tower that ``adapter`` can read, None if there is none."""
    return next((encoder for encoder in encoders if encoder.suits(adapter)), None)


def choose_encoder(adapter: Adapter, encoders: Sequence[EncoderFile]) -> EncoderFile:
    """Return the first tower that ``adapter`` can read.

    Raises:
        EncoderError: If there is none; the message names what to download.
    """
    if encoder := first_suitable(adapter, encoders):
        return encoder
    needed = (adapter.tower and adapter.tower.download) or "another image encoder"
    found = ", ".join(f"{encoder.path.name} ({encoder.projection_width})" for encoder in encoders) or "none"
    raise EncoderError(
        f"The adapter {adapter.name} needs an image encoder with {adapter.embedding_width}-wide "
        f"{'embeddings' if adapter.kind is Kind.LINEAR else 'hidden states'}: {needed}. Press Get models in "
        f"InstantStyle's tab Models, or put it into models/clip_vision or models/InstantStyle. Found: {found}."
    )
