"""From pictures to their embeddings: cache first, then the encoder as a guest on the device."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

import torch

from lib_instantstyle.checkpoint import Kind
from lib_instantstyle.embeddings import Embeddings
from lib_instantstyle.encoder import EncoderFile, VisionTower, choose_encoder
from lib_instantstyle.errors import PictureError
from lib_instantstyle.webui import models
from lib_instantstyle.webui.cache import open_cache
from lib_instantstyle.webui.guest import DEFAULT_MINUTES, GUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.params import StyleParams
    from lib_instantstyle.webui.effort import Effort
    from lib_instantstyle.webui.host import Host
    from lib_instantstyle.webui.pictures import Given, Seen

logger = logging.getLogger("instantstyle")
_NOTHING = "nothing"


def embed(given: Given, params: StyleParams, adapter: Adapter, host: Host, effort: Effort | None = None) -> Embeddings:
    """Embed the pictures as ``adapter`` needs them, and note in ``effort`` which of them the cache knew.

    Raises:
        PictureError: If a picture is known by its hash only and not in the cache.
        EncoderError: If no encoder fits the adapter, or it is damaged.
    """
    looks = _Looks(choose_encoder(adapter, models.list_encoders()), adapter, host, params, effort)
    for seen in (*given.style, *given.others.values()):
        looks.require(seen)  # before the encoder is loaded for the others
    with looks:
        style = tuple(looks.look(seen) for seen in given.style)
        others = {role: looks.look(seen) for role, seen in given.others.items()}
        nothing = looks.nothing()
    return Embeddings(style, nothing, masks=given.masks, **others)


class _Looks:
    """Looks at the pictures of one job. The tower comes only if the cache does not know an answer."""

    def __init__(
        self, encoder: EncoderFile, adapter: Adapter, host: Host, params: StyleParams, effort: Effort | None
    ) -> None:
        self._cache = open_cache()
        self._encoder = encoder
        self._kind = adapter.kind
        self._crop = params.crop
        self._host = host
        self._effort = effort
        self._visit = contextlib.ExitStack()
        self._tower: VisionTower | None = None

    def __enter__(self) -> None:
        """Begin; nothing is loaded yet."""

    def __exit__(self, *exception: Any) -> None:
        """Send the tower off the device, if it came."""
        self._tower = None
        self._visit.__exit__(*exception)

    def require(self, seen: Seen) -> None:
        """Refuse a picture that is neither here nor in the cache."""
        if seen.picture is None and self._cache.get(*self._key(seen.sha256)) is None:
            raise PictureError(
                f"The {seen.name} with SHA-256 {seen.sha256[:12]}… is not in the embedding cache (crop "
                f"{self._crop.value}). Drop the picture again, or clear the field Reference SHA-256."
            )

    def look(self, seen: Seen) -> torch.Tensor:
        """Return the embedding of a picture."""
        return self.embedding(lambda tower: self._encode(tower, seen), seen.sha256)

    def nothing(self) -> torch.Tensor:
        """Return what stands for "no picture": known for linear adapters, without any tower."""
        if self._kind is Kind.LINEAR:
            return torch.zeros(1, self._encoder.projection_width)
        return self.embedding(lambda tower: tower.encode_nothing(), _NOTHING)

    def embedding(self, encode: Callable[[VisionTower], torch.Tensor], name: str) -> torch.Tensor:
        """Return what is cached under ``name``, or encode it."""
        known = self._cache.get(*self._key(name))
        if self._effort is not None:
            self._effort.looked_up_embedding(known=known is not None)
        if known is not None:
            return known
        computed = self._encoded(encode)
        self._cache.put(computed, *self._key(name))
        return computed

    def _encode(self, tower: VisionTower, seen: Seen) -> torch.Tensor:
        self.require(seen)
        return tower.encode(seen.picture.image, self._kind, self._crop)  # type: ignore[union-attr]

    def _key(self, name: str) -> tuple[str, ...]:
        crop = "" if name == _NOTHING else self._crop.value
        return (self._encoder.fingerprint, self._kind.value, crop, name)

    def _encoded(self, encode: Callable[[VisionTower], torch.Tensor]) -> torch.Tensor:
        try:
            return encode(self._tower or self._invite(self._host.encode_device()))
        except RuntimeError as error:  # which MPS raises; CUDA's own error is one of them
            if "out of memory" not in str(error).lower():
                raise
            self.__exit__(type(error), error, error.__traceback__)
        logger.warning("Not enough GPU memory for the image encoder; encoding on the CPU.")
        return encode(self._invite(torch.device("cpu")))

    def _invite(self, device: torch.device) -> VisionTower:
        from modules import shared

        minutes = getattr(shared.opts, "instantstyle_encoder_minutes", DEFAULT_MINUTES)
        self._tower = self._visit.enter_context(GUEST.looking(self._encoder, device, 60.0 * minutes))
        return self._tower
