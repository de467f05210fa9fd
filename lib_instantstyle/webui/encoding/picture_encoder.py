"""From pictures to their embeddings: cache first, then the image encoder."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

import torch

from lib_instantstyle.errors import PictureError
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Adapter, Kind
from lib_instantstyle.models.encoder_file import EncoderFile, choose_encoder
from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.models.vision_tower import VisionTower
from lib_instantstyle.params.crop import Crop
from lib_instantstyle.webui.encoding.cache import open_cache
from lib_instantstyle.webui.encoding.encoder_holder import EncoderHolder
from lib_instantstyle.webui.encoding.job_pictures import JobPicture, JobPictures
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.setup.settings import current_settings

Count = Callable[[bool], None]

logger = logging.getLogger("instantstyle")
_NOTHING = "nothing"


class PictureEncoder:
    """Embeds the pictures of jobs.

    Args:
        host: Gives the device.
        models: Know the encoders on disk.
        holder: Loads them and keeps one between jobs.
    """

    def __init__(self, host: Host, models: ModelFiles, holder: EncoderHolder) -> None:
        self._host = host
        self._models = models
        self._holder = holder

    def embed(
        self, pictures: JobPictures, crop: Crop, adapter: Adapter, count: Count = lambda _known: None
    ) -> Embeddings:
        """Embed ``pictures`` as ``adapter`` needs them; ``count`` is told of each whether the cache knew it.

        Raises:
            PictureError: If a picture is known by its hash only and not in the cache.
            EncoderError: If no encoder fits the adapter, or it is damaged.
        """
        run = _Run(choose_encoder(adapter, self._models.encoders()), adapter.kind, crop, self._acquire, count)
        for picture in (*pictures.style, *pictures.others.values()):
            run.require(picture)  # before the encoder is loaded for the others
        with run:
            style = tuple(run.embed(picture) for picture in pictures.style)
            others = {role: run.embed(picture) for role, picture in pictures.others.items()}
            return Embeddings(style, run.nothing(), **others)

    def _acquire(
        self, file: EncoderFile, device: torch.device | None
    ) -> contextlib.AbstractContextManager[VisionTower]:
        settings = current_settings()
        chosen = device or self._host.encode_device(on_cpu=settings.encode_on_cpu)
        return self._holder.acquire(file, chosen, 60.0 * settings.encoder_minutes)


class _Run:
    """The pictures of one job. The tower is acquired only if the cache does not know an answer."""

    def __init__(
        self,
        file: EncoderFile,
        kind: Kind,
        crop: Crop,
        acquire: Callable[[EncoderFile, torch.device | None], contextlib.AbstractContextManager[VisionTower]],
        count: Count,
    ) -> None:
        self._cache = open_cache()
        self._file = file
        self._kind = kind
        self._crop = crop
        self._acquire = acquire
        self._count = count
        self._held = contextlib.ExitStack()
        self._tower: VisionTower | None = None

    def __enter__(self) -> None:
        """Begin; nothing is loaded yet."""

    def __exit__(self, *exception: Any) -> None:
        """Send the tower off the device, if it came."""
        self._tower = None
        self._held.__exit__(*exception)

    def require(self, picture: JobPicture) -> None:
        """Refuse a picture that is neither here nor in the cache."""
        if picture.decoded is None and self._cache.get(*self._key(picture.sha256)) is None:
            raise PictureError(
                f"The {picture.name} with SHA-256 {picture.sha256[:12]}… is not in the embedding cache (crop "
                f"{self._crop.value}). Drop the picture again, or clear the field Reference SHA-256."
            )

    def embed(self, picture: JobPicture) -> torch.Tensor:
        """Return the embedding of a picture."""
        return self._cached(lambda tower: self._encode(tower, picture), picture.sha256)

    def nothing(self) -> torch.Tensor:
        """Return what stands for "no picture": known for linear adapters, without any tower."""
        if self._kind is Kind.LINEAR:
            return torch.zeros(1, self._file.projection_width)
        return self._cached(lambda tower: tower.encode_nothing(), _NOTHING)

    def _cached(self, encode: Callable[[VisionTower], torch.Tensor], name: str) -> torch.Tensor:
        known = self._cache.get(*self._key(name))
        self._count(known is not None)
        if known is not None:
            return known
        computed = self._computed(encode)
        self._cache.put(computed, *self._key(name))
        return computed

    def _encode(self, tower: VisionTower, picture: JobPicture) -> torch.Tensor:
        self.require(picture)
        return tower.encode(picture.decoded.image, self._kind, self._crop)  # type: ignore[union-attr]

    def _key(self, name: str) -> tuple[str, ...]:
        crop = "" if name == _NOTHING else self._crop.value
        return (self._file.fingerprint, self._kind.value, crop, name)

    def _computed(self, encode: Callable[[VisionTower], torch.Tensor]) -> torch.Tensor:
        try:
            return encode(self._tower or self._hold(None))
        except RuntimeError as error:  # which MPS raises; CUDA's own error is one of them
            if "out of memory" not in str(error).lower():
                raise
            self.__exit__(type(error), error, error.__traceback__)
        logger.warning("Not enough GPU memory for the image encoder; encoding on the CPU.")
        return encode(self._hold(torch.device("cpu")))

    def _hold(self, device: torch.device | None) -> VisionTower:
        self._tower = self._held.enter_context(self._acquire(self._file, device))
        return self._tower
