"""Saved styles: embedding, settings and thumbnail in one small safetensors file. Knows torch only.

A style needs no picture and no encoder later. Its settings are keys of `StyleParams`; the thumbnail lies where
the WebUI looks for cover pictures of model files. Files come from anywhere, so everything is checked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from lib_instantstyle.checkpoint import Kind
from lib_instantstyle.controls import quoted
from lib_instantstyle.errors import ParameterError, StyleError
from lib_instantstyle.params import MAX_PICTURES, StyleParams, controls, default_of
from lib_instantstyle.sources import Embeddings

if TYPE_CHECKING:
    from collections.abc import Mapping

SUFFIX = ".safetensors"
MAX_BYTES = 32 << 20  # eight references of a Plus adapter, tiled, with room to spare
FORMAT = "instantstyle-1"
# What belongs to a picture, to a machine or to the occasion, and not to a style.
_LEFT_OUT = frozenset(("enabled", "adapter", "passes", "reference", "style", "subject_weight"))
SETTINGS = tuple(name for name, declared in controls().items() if name not in _LEFT_OUT and not declared.pictures)
_NAME = re.compile(r"[^\W_][\w .()'-]{0,63}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # device names of Windows
_STYLE = re.compile(r"style\.([0-7])")
_COVER = "ssmd_cover_images"


@dataclass(frozen=True)
class SavedStyle:
    """A style without its pictures.

    Attributes:
        kind: Of the adapters that read its embeddings.
        width: Of its embeddings.
        embeddings: Without masks and subject, which belong to one picture.
        settings: Values by key of `StyleParams`, those that differ from their defaults.
        thumbnail: An encoded picture, or nothing.
    """

    kind: Kind
    width: int
    embeddings: Embeddings
    settings: Mapping[str, Any]
    thumbnail: bytes = b""

    def params(self) -> StyleParams:
        """Return the saved settings, validated.

        Raises:
            ParameterError: If they cannot be used.
        """
        return StyleParams.from_dict({"enabled": True, **self.settings})


def settings_of(params: StyleParams) -> dict[str, Any]:
    """Return what a style keeps of ``params``."""
    values = {name: getattr(params, name) for name in SETTINGS}
    return {name: getattr(value, "value", value) for name, value in values.items() if value != default_of(name)}


def check_name(name: str) -> str:
    """Return ``name`` without surrounding space.

    Raises:
        StyleError: If it could leave its folder, break a prompt, or is no file name somewhere.
    """
    stripped = name.strip()
    if not _NAME.fullmatch(stripped) or stripped.endswith(".") or _RESERVED.fullmatch(stripped):
        raise StyleError(
            f"{quoted(name)} cannot be the name of a style. Use up to 64 letters, digits, spaces and - _ . ( ) ', "
            "beginning with a letter or digit."
        )
    return stripped


def encode(style: SavedStyle) -> bytes:
    """Return the content of a style file."""
    tensors = {f"style.{index}": tensor for index, tensor in enumerate(style.embeddings.style)}
    optional = {"layout": style.embeddings.layout, "negative": style.embeddings.negative}
    if style.kind is not Kind.LINEAR:
        optional["nothing"] = style.embeddings.nothing
    tensors |= {name: tensor for name, tensor in optional.items() if tensor is not None}
    metadata = {
        "format": FORMAT,
        "kind": style.kind.value,
        "settings": json.dumps(dict(style.settings), sort_keys=True),
        _COVER: json.dumps([base64.b64encode(style.thumbnail).decode()] if style.thumbnail else []),
    }
    content: bytes = save({name: tensor.float().contiguous() for name, tensor in tensors.items()}, metadata)
    return content


def decode(content: bytes, name: str) -> SavedStyle:
    """Read a style file.

    Args:
        content: Of the file.
        name: For messages.

    Raises:
        StyleError: If it is none, damaged, or holds anything that a style cannot have.
    """
    if len(content) > MAX_BYTES:
        raise StyleError(
            f"The style {name} is {len(content) >> 20} MiB large; styles are at most {MAX_BYTES >> 20} MiB."
        )
    with tempfile.TemporaryDirectory() as folder:  # the library reads metadata from files only
        path = Path(folder) / f"style{SUFFIX}"
        path.write_bytes(content)
        return read(path, name)


def read(path: Path, name: str) -> SavedStyle:
    """Read the style file at ``path``, as `decode` does."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StyleError(f"The style {name} is too large: at most {MAX_BYTES >> 20} MiB.")
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise StyleError(
                    f"{name} is no style saved by this extension (its format is {quoted(metadata.get('format'))})."
                )
            tensors = {key: file.get_tensor(key) for key in _checked_names(file.keys(), name)}
        return _style(metadata, tensors)
    except (SafetensorError, OSError, ValueError, KeyError, TypeError, ParameterError) as error:
        raise StyleError(f"The style {name} cannot be used: {error}. Save or import it again.") from error


def fingerprint(path: Path) -> str:
    """Return the SHA-256 of a style file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _checked_names(names: Any, name: str) -> list[str]:
    known = [key for key in names if _STYLE.fullmatch(key) or key in ("layout", "negative", "nothing")]
    if len(known) != len(list(names)) or "style.0" not in known:
        raise StyleError(f"The style {name} holds other tensors than embeddings. Save or import it again.")
    return known


def _style(metadata: Mapping[str, str], tensors: Mapping[str, torch.Tensor]) -> SavedStyle:
    kind = Kind(metadata["kind"])
    width = tensors["style.0"].shape[-1]
    for key, tensor in tensors.items():
        _check_tensor(key, tensor, kind, width)
    style = tuple(tensors[f"style.{index}"] for index in range(sum(key.startswith("style.") for key in tensors)))
    nothing = torch.zeros(1, width) if kind is Kind.LINEAR else tensors["nothing"]
    embeddings = Embeddings(style, nothing, tensors.get("layout"), tensors.get("negative"))
    saved = SavedStyle(kind, width, embeddings, _settings(metadata["settings"]), _cover(metadata.get(_COVER, "[]")))
    saved.params()  # settings that cannot be used are found here, not in the middle of a job
    return saved


def _check_tensor(key: str, tensor: torch.Tensor, kind: Kind, width: int) -> None:
    dimensions = 2 if kind is Kind.LINEAR else 3
    fits = tensor.dim() == dimensions and tensor.shape[-1] == width and 0 < tensor.shape[0] <= MAX_PICTURES
    if not fits or tensor.dtype is not torch.float32 or not torch.isfinite(tensor).all():
        raise ValueError(f"{key} is no embedding (shape {list(tensor.shape)}, {tensor.dtype})")


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
    try:
        return base64.b64decode(covers[0], validate=True) if covers else b""
    except binascii.Error as error:
        raise ValueError(f"its cover picture is damaged ({error})") from error
