"""From pictures to their embeddings: cache first, then the image encoder."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import torch

from lib_instantstyle.errors import PictureError
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Adapter, Kind
from lib_instantstyle.models.embedding_cache import EmbeddingCache
from lib_instantstyle.models.encoder_file import EncoderFile, choose_encoder
from lib_instantstyle.models.vision_tower import VisionTower
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.params.picture_hashes import SHORT
from lib_instantstyle.webui.encoding.cache import keep_thumbnail, open_cache, whole_hash
from lib_instantstyle.webui.encoding.encoder_holder import EncoderHolder
from lib_instantstyle.webui.encoding.job_pictures import JobPicture, JobPictures
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.setup.settings import current_settings

Count = Callable[[bool], None]
Acquire = Callable[[EncoderFile, torch.device | None], contextlib.AbstractContextManager[VisionTower]]

logger = logging.getLogger("instantstyle")
_NOTHING = "nothing"


class PictureEncoder:
    """Embeds the pictures of jobs; ``holder`` keeps an encoder loaded between them."""

    def __init__(self, host: Host, holder: EncoderHolder) -> None:
        self._host = host
        self._holder = holder

    def embed(
        self,
        pictures: JobPictures,
        crop: Crop,
        adapter: Adapter,
        encoders: Sequence[EncoderFile],
        count: Count = lambda _known: None,
    ) -> Embeddings:
        """Embed ``pictures`` as ``adapter`` needs them; ``count`` is called for each with whether the cache had it.

        Raises:
            PictureError: If a picture is known by its hash only and not in the cache.
            EncoderError: If no encoder fits the adapter, or it is damaged.
        """
        encoder = self._cached(crop, adapter, encoders, count)
        for picture in (*pictures.style, *pictures.others.values()):
            encoder.require(picture)  # before the tower is loaded for the others
        with encoder.held:
            style = tuple(encoder.embed(picture) for picture in pictures.style)
            others = {role: encoder.embed(picture) for role, picture in pictures.others.items()}
            return Embeddings(style, encoder.nothing(), **others)

    def require(
        self, pictures: Iterable[JobPicture], crop: Crop, adapter: Adapter, encoders: Sequence[EncoderFile]
    ) -> None:
        """Refuse ``pictures`` of which only the hash is known, as `embed` does, without loading anything."""
        encoder = self._cached(crop, adapter, encoders, lambda _known: None)
        for picture in pictures:
            encoder.require(picture)

    def _cached(self, crop: Crop, adapter: Adapter, encoders: Sequence[EncoderFile], count: Count) -> _CachedEncoder:
        return _CachedEncoder(choose_encoder(adapter, encoders), adapter.kind, crop, self._acquire, count)

    def _acquire(
        self, file: EncoderFile, device: torch.device | None
    ) -> contextlib.AbstractContextManager[VisionTower]:
        settings = current_settings()
        chosen = device or self._host.encode_device(file.bytes, on_cpu=settings.encode_on_cpu)
        return self._holder.acquire(file, chosen, 60.0 * settings.encoder_minutes)


@dataclass
class _CachedEncoder:
    """Embeds the pictures of one job. Only what the cache lacks acquires the tower, and ``held`` releases it."""

    file: EncoderFile
    kind: Kind
    crop: Crop
    acquire: Acquire
    count: Count
    cache: EmbeddingCache = field(default_factory=open_cache)
    held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    tower: VisionTower | None = None

    def require(self, picture: JobPicture) -> None:
        """Refuse a picture of which only the hash is known and no embedding is cached."""
        if picture.decoded is None and self._get(self._hash(picture)) is None:
            raise PictureError(
                f"The {picture.name} with SHA-256 {picture.sha256[:SHORT]}… is not in the embedding cache (crop "
                f"{self.crop.value}). Drop the picture again, or remove it from the pictures from earlier."
            )

    def embed(self, picture: JobPicture) -> torch.Tensor:
        """Return the embedding of a picture."""
        if picture.decoded is not None and not picture.is_input:
            keep_thumbnail(self.cache, picture.decoded)
        return self._cached(lambda tower: self._encode(tower, picture), self._hash(picture))

    def nothing(self) -> torch.Tensor:
        """Return the embedding of "no picture": zeros for linear adapters, which need no tower for it."""
        if self.kind is Kind.LINEAR:
            return torch.zeros(1, self.file.projection_width)
        return self._cached(lambda tower: tower.encode_nothing(), _NOTHING)

    def _cached(self, encode: Callable[[VisionTower], torch.Tensor], name: str) -> torch.Tensor:
        known = self._get(name)
        self.count(known is not None)
        if known is not None:
            return known
        computed = self._computed(encode)
        self.cache.put(computed, name, *self._key(name))
        return computed

    def _get(self, name: str) -> torch.Tensor | None:
        return self.cache.get(name, *self._key(name))

    def _encode(self, tower: VisionTower, picture: JobPicture) -> torch.Tensor:
        self.require(picture)
        return tower.encode(picture.decoded.image, self.kind, self.crop)  # type: ignore[union-attr]

    def _hash(self, picture: JobPicture) -> str:
        """Return the whole hash of a picture of which only the beginning may be known."""
        if picture.decoded is not None:
            return picture.sha256
        return whole_hash(self.cache, picture.sha256, picture.name, *self._key(picture.sha256)) or picture.sha256

    def _key(self, name: str) -> tuple[str, ...]:
        return (self.file.fingerprint, self.kind.value, "" if name == _NOTHING else self.crop.value)

    def _computed(self, encode: Callable[[VisionTower], torch.Tensor]) -> torch.Tensor:
        try:
            return encode(self.tower or self._hold(None))
        except RuntimeError as error:  # MPS raises this; CUDA's OutOfMemoryError derives from it
            if "out of memory" not in str(error).lower():
                raise
            self.held.__exit__(type(error), error, error.__traceback__)
        logger.warning("Not enough GPU memory for the image encoder; encoding on the CPU.")
        return encode(self._hold(torch.device("cpu")))

    def _hold(self, device: torch.device | None) -> VisionTower:
        self.tower = self.held.enter_context(self.acquire(self.file, device))
        self.held.callback(setattr, self, "tower", None)  # runs first: the device is freed only of unreferenced towers
        return self.tower
