"""From a reference to its embedding: cache first, then the encoder as a guest on the device."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lib_instantstyle.encoder import EncoderFile, VisionTower, choose_encoder
from lib_instantstyle.errors import PictureError
from lib_instantstyle.references import load_picture
from lib_instantstyle.store import DEFAULT_LIMIT, EmbeddingCache
from lib_instantstyle.webui import models

if TYPE_CHECKING:
    from collections.abc import Callable

    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.params import StyleParams
    from lib_instantstyle.webui.host import Host

logger = logging.getLogger("instantstyle")
_CROP = "centre crop"
_NOTHING = "nothing"


@dataclass(frozen=True)
class ReferenceEmbedding:
    """What the encoder saw.

    Attributes:
        picture: Embedding of the reference: ``[1, d]``, or patch features for Plus adapters.
        nothing: The same for "no picture".
        sha256: Hash of the reference.
    """

    picture: torch.Tensor
    nothing: torch.Tensor
    sha256: str


def embed_reference(params: StyleParams, adapter: Adapter, host: Host) -> ReferenceEmbedding:
    """Embed the reference of ``params`` as ``adapter`` needs it.

    Raises:
        PictureError: If there is no reference, or it cannot be used.
        EncoderError: If no encoder fits the adapter, or it is damaged.
    """
    picture = load_picture(params.image, host.fetch_picture)
    sha256 = picture.sha256 if picture else params.reference.lower()
    if not sha256:
        raise PictureError("No reference picture was given. Drop one into the accordion, or send it as 'image'.")
    guest = _Guest(choose_encoder(adapter, models.list_encoders()), adapter, host)
    if picture is None and not guest.knows(sha256):
        raise PictureError(
            f"The reference picture with SHA-256 {sha256[:12]}… is not in the embedding cache. Drop the picture again, "
            "or clear the field Reference SHA-256."
        )
    try:
        seen = guest.embedding(sha256, lambda tower: tower.encode(picture.image, adapter.kind))  # type: ignore[union-attr]
        nothing = guest.embedding(_NOTHING, lambda tower: tower.encode_nothing(adapter.kind))
    finally:
        guest.leave()
    return ReferenceEmbedding(seen, nothing, sha256)


class _Guest:
    """The vision tower, loaded only if the cache does not know the answer, and gone before sampling."""

    def __init__(self, encoder: EncoderFile, adapter: Adapter, host: Host) -> None:
        self._encoder = encoder
        self._kind = adapter.kind
        self._host = host
        self._cache = EmbeddingCache(models.cache_folder(), _cache_limit())
        self._tower: VisionTower | None = None

    def knows(self, name: str) -> bool:
        return self._cache.get(*self._key(name)) is not None

    def embedding(self, name: str, encode: Callable[[VisionTower], torch.Tensor]) -> torch.Tensor:
        known = self._cache.get(*self._key(name))
        if known is not None:
            return known
        computed = self._encoded(encode)
        self._cache.put(computed, *self._key(name))
        return computed

    def leave(self) -> None:
        from modules import devices

        if self._tower is not None:
            self._tower = None
            devices.torch_gc()

    def _key(self, name: str) -> tuple[str, ...]:
        return (self._encoder.fingerprint, self._kind.value, _CROP, name)

    def _encoded(self, encode: Callable[[VisionTower], torch.Tensor]) -> torch.Tensor:
        device = self._host.encode_device()
        try:
            return encode(self._load(device))
        except torch.cuda.OutOfMemoryError:
            logger.warning("Not enough GPU memory for the image encoder; encoding on the CPU.")
            self.leave()
            return encode(self._load(torch.device("cpu")))

    def _load(self, device: torch.device) -> VisionTower:
        if self._tower is None:
            self._tower = VisionTower(self._encoder, device)
        return self._tower


def _cache_limit() -> int:
    from modules import shared

    megabytes = getattr(shared.opts, "instantstyle_cache_megabytes", DEFAULT_LIMIT >> 20)
    return int(megabytes) << 20
