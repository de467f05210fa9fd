"""One style of a job, prepared before sampling: the accordion's, or a saved one from the prompt."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.method.removal import Remover
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.contents import Content
from lib_instantstyle.params.picture_hashes import PictureHashes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.regions import Mask
from lib_instantstyle.unet.image_projection import ImageProjection
from lib_instantstyle.unet.plan import ImageTerm, check_fits, image_terms
from lib_instantstyle.unet.sites import Site
from lib_instantstyle.unet.sources import Sources
from lib_instantstyle.unet.terms import ScheduledTerms
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.styles.prepared_reading import PreparedReading


class Encoded(NamedTuple):
    """The embeddings of a style's pictures, and the adapter that reads them."""

    adapter: Adapter
    embeddings: Embeddings


@dataclass(frozen=True)
class PreparedStyle:
    """A style with its settings and what its pictures have been made into; ``host`` gives text vectors.

    Attributes:
        encoded: For the adapter; None without one.
        reading: For the self-attentions; None where they read nothing.
        roles: Which of "layout", "negative" and "subject" there are pictures of.
        masks: Regions by the index of their reference.
        factor: The weight of its tag; 1 for the accordion's style.
        hashes: The hashes of its pictures; None for a style from the prompt.
        saved_sha256: The hash of the saved style's file; empty where there is none.
    """

    params: StyleParams
    host: Host
    encoded: Encoded | None = None
    reading: PreparedReading | None = None
    roles: frozenset[str] = frozenset()
    masks: Mapping[int, Mask] = field(default_factory=dict)
    factor: float = 1.0
    hashes: PictureHashes | None = None
    saved_sha256: str = ""

    @property
    def contents(self) -> tuple[Content, ...]:
        """The contents to remove; none at strength 0, or without an adapter."""
        return self.params.removed if self.encoded else ()

    @property
    def for_adapter(self) -> Encoded:
        """What an adapter reads of it.

        Raises:
            ParameterError: If it was prepared without one.
        """
        if self.encoded is None:
            raise ParameterError("Without an adapter there are no embeddings. Choose the method Adapter.")
        return self.encoded

    @functools.cached_property
    def remover(self) -> Remover | None:
        """The content removal, or None where nothing is to be removed.

        Reading it runs the text tower, so it is read before sampling: hosts that move models between devices have made
        room for the UNet alone once its loop begins.
        """
        if not self.contents:
            return None
        vectors = self.host.text_vectors([content.words for content in self.contents])
        return Remover(self.contents, vectors, self.params.content_strength, self.params.removal)

    def terms(self, sites: Sequence[Site], memo: TensorMemo | None = None) -> tuple[ImageTerm, ...]:
        """Compute the image terms at ``sites``, or take from ``memo`` what an earlier job computed.

        Raises:
            InstantStyleError: If the adapter does not fit the UNet, or the settings contradict each other.
        """
        if self.encoded is None:
            return ()
        adapter, embeddings = self.encoded
        check_fits(adapter, sites)
        project = ImageProjection(adapter, memo)
        sources = Sources(self.params, embeddings, project, self.remover, self.masks, self.factor)
        return image_terms(sources.all(), sites, adapter, memo)

    def scheduled(self, terms: tuple[ImageTerm, ...], *, hires: bool) -> ScheduledTerms:
        """Return ``terms`` with the strength schedule of the first or the hires pass."""
        return ScheduledTerms(terms, Schedule.of_pass(self.params, hires=hires), self.params.prompt_colours)

    def summary(self) -> str:
        """Return what acts, for the log."""
        parts = []
        if self.encoded:
            weights = self.params.block_weights.items()
            parts += [f"{target.name} {weight * self.factor:g}" for target, weight in weights]
            parts += [f"{self.params.removal.value.lower()} {content.words}" for content in self.contents]
            parts += [self.encoded.adapter.path.name, f"{self.encoded.adapter.tokens} tokens"]
        if self.reading:
            parts.append(f"{self.params.reading.value.lower()} in self-attentions, {self.params.reach.value.lower()}")
        return ", ".join(parts)

    def stretched(self, width: int, height: int) -> dict[int, tuple[int, int]]:
        """Return the sizes of the masks that were painted for another shape, by the number of their reference."""
        return {
            index + 1: mask.size for index, mask in self.masks.items() if mask.size and not mask.fits(width, height)
        }
