"""The tensors of a style file: embeddings for adapters, and latents for self-attentions; everything is checked."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.method.latents import Latents, PictureLatent
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.pictures.crops import MAX_TILES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lib_instantstyle.library.saved_style import SavedStyle

FAMILY = "sdxl"  # whose VAEs make latents of the same kind
MAX_SIDE = 512  # of a latent: 4096 pixels
_STYLE = re.compile(r"style\.([0-7])")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_LATENT = re.compile(r"latent\.([0-7]|layout)")
_OTHERS = ("layout", "negative", "nothing")


def to_tensors(style: SavedStyle) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Return the tensors of a style by name, and the metadata that they need."""
    tensors = {name: tensor.float().contiguous() for name, tensor in _embeddings(style).items()}
    metadata = {"kind": style.kind.value} if style.kind else {}
    if latents := _named_latents(style):
        tensors |= {name: picture.latent.half().contiguous() for name, picture in latents.items()}
        hashes = {name: picture.sha256 for name, picture in latents.items()}
        metadata |= {"family": FAMILY, "pictures": json.dumps(hashes, sort_keys=True)}
    return tensors, metadata


def are_known(names: Sequence[str]) -> bool:
    """Whether ``names`` are those of a style's tensors, with a reference among them."""
    known = (name in _OTHERS or _STYLE.fullmatch(name) or _LATENT.fullmatch(name) for name in names)
    return all(known) and bool({"style.0", "latent.0"} & {*names})


def from_tensors(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> tuple[Kind | None, int, Embeddings | None, Latents | None]:
    """Return the kind and width of the embeddings, the embeddings and the latents.

    Raises:
        KeyError, TypeError, ValueError: If something is missing, or is not what it is called.
    """
    latents = {name: tensor for name, tensor in tensors.items() if _LATENT.fullmatch(name)}
    embeddings = _read_embeddings({name: t for name, t in tensors.items() if name not in latents}, metadata)
    return *embeddings, _read_latents(latents, metadata) if latents else None


def _embeddings(style: SavedStyle) -> dict[str, torch.Tensor]:
    if style.embeddings is None:
        return {}
    tensors = {f"style.{index}": tensor for index, tensor in enumerate(style.embeddings.style)}
    optional = {"layout": style.embeddings.layout, "negative": style.embeddings.negative}
    if style.kind is not Kind.LINEAR:
        optional["nothing"] = style.embeddings.nothing
    return tensors | {name: tensor for name, tensor in optional.items() if tensor is not None}


def _named_latents(style: SavedStyle) -> dict[str, PictureLatent]:
    if style.latents is None:
        return {}
    named = {f"latent.{index}": picture for index, picture in enumerate(style.latents.style)}
    return named | ({"latent.layout": style.latents.layout} if style.latents.layout else {})


def _read_embeddings(
    tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]
) -> tuple[Kind | None, int, Embeddings | None]:
    if not tensors:
        return None, 0, None
    kind = Kind(metadata["kind"])
    width = tensors["style.0"].shape[-1] if tensors["style.0"].dim() else 0
    for key, tensor in tensors.items():
        _check_tensor(key, tensor, kind, width)
    style = tuple(tensors[f"style.{index}"] for index in range(sum(key.startswith("style.") for key in tensors)))
    nothing = torch.zeros(1, width) if kind is Kind.LINEAR else tensors["nothing"]
    return kind, width, Embeddings(style, nothing, tensors.get("layout"), tensors.get("negative"))


def _read_latents(tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> Latents:
    if metadata["family"] != FAMILY:
        raise ValueError(f"its latents are of the family {quoted(metadata['family'])}, not of {FAMILY}")
    hashes = json.loads(metadata["pictures"])
    if not isinstance(hashes, dict) or not all(_SHA256.fullmatch(str(hashes.get(key))) for key in tensors):
        raise ValueError("the hashes of its pictures are no SHA-256")
    for key, tensor in tensors.items():
        _check_latent(key, tensor)
    named = {key: PictureLatent(hashes[key], tensor) for key, tensor in tensors.items()}
    layout = named.pop("latent.layout", None)
    return Latents(tuple(named[f"latent.{index}"] for index in range(len(named))), layout)


def _check_latent(key: str, tensor: torch.Tensor) -> None:
    fits = tensor.dim() == 4 and tensor.shape[:2] == (1, 4) and all(0 < side <= MAX_SIDE for side in tensor.shape[2:])
    if not (fits and tensor.dtype is torch.float16 and torch.isfinite(tensor).all()):
        raise ValueError(f"{key} is no latent (shape {list(tensor.shape)}, {tensor.dtype})")


def _check_tensor(key: str, tensor: torch.Tensor, kind: Kind, width: int) -> None:
    dimensions = 2 if kind is Kind.LINEAR else 3
    fits = tensor.dim() == dimensions and tensor.shape[-1] == width and 0 < tensor.shape[0] <= MAX_TILES
    if not (fits and tensor.numel() and tensor.dtype is torch.float32 and torch.isfinite(tensor).all()):
        raise ValueError(f"{key} is no embedding (shape {list(tensor.shape)}, {tensor.dtype})")
