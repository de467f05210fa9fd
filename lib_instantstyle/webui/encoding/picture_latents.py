"""From pictures to the latents that self-attentions read: cache first, then the loaded VAE."""

from __future__ import annotations

import torch

from lib_instantstyle.errors import PictureError
from lib_instantstyle.method.latents import Latents, PictureLatent, noise_seed, reference_size
from lib_instantstyle.models.embedding_cache import EmbeddingCache
from lib_instantstyle.params.picture_hashes import SHORT
from lib_instantstyle.pictures.pixels import pixels
from lib_instantstyle.webui.encoding.cache import keep_thumbnail, open_cache, whole_hash
from lib_instantstyle.webui.encoding.job_pictures import JobPicture, JobPictures
from lib_instantstyle.webui.hosts.host import Host

_LATENT = "latent"


class PictureLatents:
    """Encodes the pictures of jobs with the VAE that ``host`` has loaded."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def encode(self, pictures: JobPictures, job: tuple[int, int], share: float = 1.0) -> Latents:
        """Return the latents of references and layout picture, in half precision as they are kept.

        Args:
            pictures: Those of a job.
            job: Width and height that is sampled.
            share: Of this area, at which a picture is encoded.

        Raises:
            PictureError: If a picture is known by its hash only and not in the cache at that size.
            UnsupportedModelError: If the VAE makes nothing usable of it.
        """
        cache, vae = open_cache(), self._host.vae_fingerprint()
        layout = pictures.others.get("layout")
        style = tuple(self._encoded(cache, vae, picture, job, share) for picture in pictures.style)
        return Latents(style, self._encoded(cache, vae, layout, job, share) if layout else None)

    def _encoded(
        self, cache: EmbeddingCache, vae: str, picture: JobPicture, job: tuple[int, int], share: float
    ) -> PictureLatent:
        area = f"{job[0] * job[1] * share:.0f}"  # the picture's own shape says the rest
        if picture.decoded is None:
            return _known(cache, picture, _LATENT, vae, area)
        latent = cache.get(picture.sha256, _LATENT, vae, area)
        if latent is None:
            size = reference_size(picture.decoded.image.size, job, share)
            latent = self._host.picture_latent(pixels(picture.decoded.image, size), noise_seed(picture.sha256)).half()
            cache.put(latent, picture.sha256, _LATENT, vae, area)
        keep_thumbnail(cache, picture.decoded)
        return PictureLatent(picture.sha256, latent)


def _known(cache: EmbeddingCache, picture: JobPicture, *key: str) -> PictureLatent:
    """Return the latent of a picture of which only the hash was pasted."""
    sha256 = whole_hash(cache, picture.sha256, picture.name, *key)
    latent: torch.Tensor | None = None if sha256 is None else cache.get(sha256, *key)
    if sha256 is None or latent is None:
        raise PictureError(
            f"The {picture.name} with SHA-256 {picture.sha256[:SHORT]}… is not in the cache for this VAE and picture "
            "size. Drop the picture again, or remove it from the pictures from earlier."
        )
    return PictureLatent(sha256, latent)
