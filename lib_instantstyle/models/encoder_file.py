"""Image encoders on disk: CLIP vision towers, recognised by keys and shapes without reading their weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import EncoderError
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.models.tensor_file import TensorFile, TensorFileError, failing_as, state_of
from lib_instantstyle.models.towers import by_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lib_instantstyle.models.adapter import Adapter

_CLASS_EMBEDDING = "vision_model.embeddings.class_embedding"
_PROJECTION = "visual_projection.weight"
CONFIG = "config.json"
_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_LAYERS = "vision_model.encoder.layers."


@dataclass(frozen=True)
class EncoderFile:
    """A recognised vision tower on disk."""

    path: Path  # a folder with ``config.json``, or a single file
    weights: Path  # the file that holds the tensors
    hidden_width: int  # of its hidden states
    projection_width: int  # of the space it shares with text
    config: Path | None = None  # its configuration; None where it follows from the tensors
    bytes: int = 0  # size of the weights

    def suits(self, adapter: Adapter) -> bool:
        """Whether ``adapter`` can read this tower's output."""
        return self.serves(adapter.kind, adapter.embedding_width)

    def serves(self, kind: Kind, embedding_width: int) -> bool:
        """Whether adapters of this kind and embedding width can read this tower's output."""
        return embedding_width == (self.projection_width if kind is Kind.LINEAR else self.hidden_width)

    @property
    def problem(self) -> str:
        """Why it cannot be used as it lies there; empty if nothing speaks against it."""
        tower = by_hidden(self.hidden_width)
        if self.config is not None or (tower and tower.activation):
            return ""
        return _undescribed_message(self.path.name, self.hidden_width, is_known=tower is not None)

    @property
    def fingerprint(self) -> str:
        """Changes whenever the file does; part of the key of cached embeddings.

        Raises:
            EncoderError: If the file is gone.
        """
        with failing_as(_unreadable):
            # With another configuration the same weights see something else.
            state = ":".join(state_of(file) for file in (self.weights, self.config) if file)
        return f"{self.weights.name}:{state}:{self.hidden_width}"


def open_encoder(path: Path) -> EncoderFile:
    """Recognise the vision tower in the folder or file ``path`` without reading its weights.

    Raises:
        EncoderError: If it is not a vision tower, or cannot be read.
    """
    weights = path if path.is_file() else _weights_in(path)
    with failing_as(_unreadable):
        file = TensorFile(weights)
    beside = weights.with_name(CONFIG)
    return encoder_in(file, beside if beside.is_file() else None)


def encoder_in(file: TensorFile, beside: Path | None) -> EncoderFile:
    """Recognise the vision tower in an opened file; ``beside`` is the ``config.json`` in its folder, if there is one.

    That may be anything's: it counts if it describes this tower, or if nothing else does.

    Raises:
        EncoderError: If it is not a vision tower.
    """
    path, shapes = file.path, file.shapes
    is_in_folder = beside is not None and path.name in _WEIGHT_FILES
    if not shapes.get(_CLASS_EMBEDDING) or not shapes.get(_PROJECTION):
        name = path.parent.name if is_in_folder else path.name
        raise EncoderError(f"{name} is not a CLIP vision tower with projection (no {_PROJECTION}).")
    hidden, projection = shapes[_CLASS_EMBEDDING][0], shapes[_PROJECTION][0]
    layers = len({key.split(".")[3] for key in shapes if key.startswith(_LAYERS)})
    if beside is not None and not _describes(beside, hidden, layers) and (by_hidden(hidden) or not is_in_folder):
        beside = None
    whole = path.parent if is_in_folder and beside else path
    return EncoderFile(whole, path, hidden, projection, beside, file.bytes)


def _undescribed_message(name: str, width: int, *, is_known: bool) -> str:
    if is_known:
        return (
            f"The image encoder {name} is {width} wide. Towers of this width differ in their activation, which the "
            "file does not tell. Put it into a folder together with its config.json."
        )
    return (
        f"The image encoder {name} is {width} wide, which fits no known ViT. Put it into a folder together with its "
        "config.json."
    )


def read_config(path: Path) -> dict[str, Any]:
    """Return the vision tower's part of a ``config.json``.

    Raises:
        OSError, ValueError, AttributeError: If it cannot be read, or is no configuration.
    """
    values = json.loads(path.read_text(encoding="utf-8"))
    vision: dict[str, Any] = values.get("vision_config", values)
    return vision


def _describes(config: Path, hidden: int, layers: int) -> bool:
    try:
        vision = read_config(config)
        return (vision["hidden_size"], vision.get("num_hidden_layers", layers)) == (hidden, layers)
    except (OSError, ValueError, AttributeError, LookupError, TypeError, RecursionError):
        return False


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
        EncoderError: If there is none; the message names what to download. Or if it lacks its configuration.
    """
    if encoder := first_suitable(adapter, encoders):
        if encoder.problem:
            raise EncoderError(encoder.problem)
        return encoder
    needed = (adapter.tower and adapter.tower.download) or "another image encoder"
    found = ", ".join(f"{encoder.path.name} ({encoder.projection_width})" for encoder in encoders) or "none"
    raise EncoderError(
        f"The adapter {adapter.name} needs an image encoder with {adapter.embedding_width}-wide "
        f"{'embeddings' if adapter.kind is Kind.LINEAR else 'hidden states'}: {needed}. Press Get models in "
        f"InstantStyle's tab Models, or put it into models/clip_vision or models/InstantStyle. Found: {found}."
    )
