"""One style at work in a job: the accordion's, or a saved one from the prompt."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from lib_instantstyle.checkpoint import Kind
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.layers import Styling
from lib_instantstyle.plan import image_terms
from lib_instantstyle.references import is_empty
from lib_instantstyle.sources import Sources
from lib_instantstyle.styles import PICTURES
from lib_instantstyle.subtraction import Remover, parse_contents
from lib_instantstyle.webui import library, models
from lib_instantstyle.webui.embedding import embed
from lib_instantstyle.webui.pictures import take_pictures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.embeddings import Embeddings
    from lib_instantstyle.memo import TensorMemo
    from lib_instantstyle.params import StyleParams
    from lib_instantstyle.plan import ImageTerm
    from lib_instantstyle.recall import Recalled
    from lib_instantstyle.sites import Site
    from lib_instantstyle.subtraction import Content
    from lib_instantstyle.webui.effort import Effort
    from lib_instantstyle.webui.host import Host


@dataclasses.dataclass(frozen=True)
class Stylist:
    """What one style needs, ready before sampling.

    Attributes:
        params: Its settings.
        adapter: Reads its embeddings.
        embeddings: Of its pictures.
        host: Gives text vectors.
        factor: Its weight among several.
        recalled: Hashes of its pictures; None for a style from the prompt.
        saved_sha256: Of the saved style that it was read from; empty where there is none.
    """

    params: StyleParams
    adapter: Adapter
    embeddings: Embeddings
    host: Host
    factor: float = 1.0
    recalled: Recalled | None = None
    saved_sha256: str = ""

    def __post_init__(self) -> None:
        """Refuse what could only fail later, in the middle of the job."""
        if self.contents and self.adapter.kind is Kind.PLUS:
            raise ParameterError(
                f"Content ({self.params.content!r}) cannot be removed with {self.adapter.path.name}: Plus adapters "
                "see patches of the picture, not one embedding that words could be subtracted from. Choose "
                "ip-adapter_sdxl, or empty the content to remove."
            )

    @property
    def contents(self) -> list[Content]:
        """What is removed."""
        return parse_contents(self.params.content) if self.params.content_strength else []

    @property
    def needs_guidance(self) -> bool:
        """Whether something acts through the unconditional rows alone."""
        return bool(self.params.anti_layout) or self.embeddings.negative is not None

    @property
    def ignores_layout(self) -> bool:
        """Whether there is a layout picture, but no block for it."""
        return self.embeddings.layout is not None and not self.params.takes_layout

    def remover(self) -> Remover | None:
        """Return what removes the contents, None where nothing is to be removed."""
        if not self.contents:
            return None
        vectors = self.host.text_vectors([content.words for content in self.contents])
        return Remover(self.contents, vectors, self.params.content_strength, self.params.removal)

    def terms(self, sites: Sequence[Site], memo: TensorMemo | None = None) -> tuple[ImageTerm, ...]:
        """Compute the image terms at ``sites``, or take from ``memo`` what an earlier job computed.

        Raises:
            InstantStyleError: If the adapter does not fit the UNet, or the wishes contradict each other.
        """
        self.adapter.check_fits(sites)
        sources = Sources(self.params, self.embeddings, self.adapter, self.remover(), self.factor, memo)
        return image_terms(sources.all(), sites, self.adapter, memo)

    def styling(self, terms: tuple[ImageTerm, ...], *, hires: bool) -> Styling:
        """Return the terms with the schedule of a pass."""
        return Styling(terms, self.params.schedule(hires=hires), self.params.prompt_colours)

    def check_shape(self, width: int, height: int) -> None:
        """Refuse masks that were painted for a picture of another shape."""
        for index, mask in self.embeddings.masks.items():
            mask.check_aspect(width, height, f"reference {index + 1}")

    def summary(self) -> str:
        """Return what acts, for the log."""
        weights = [f"{target.name} {weight * self.factor:g}" for target, weight in self.params.block_weights.items()]
        removed = [f"{self.params.removal.value.lower()} {content.words}" for content in self.contents]
        return ", ".join([*weights, *removed, self.adapter.path.name, f"{self.adapter.tokens} tokens"])


def from_accordion(params: StyleParams, host: Host, subject: Any = None, effort: Effort | None = None) -> Stylist:
    """Prepare the accordion's style: its pictures, or the saved style that it names. ``effort`` notes what it takes.

    Raises:
        InstantStyleError: If pictures, adapter, encoder or style cannot be used.
    """
    if params.style:
        return _from_library(params, host, subject, effort)
    given = take_pictures(params, host, subject)
    adapter = models.find_adapter(params.adapter)
    embeddings = embed(given, params, adapter, host, effort)
    return Stylist(params, adapter, embeddings, host, recalled=given.recalled)


def _from_library(params: StyleParams, host: Host, subject: Any, effort: Effort | None) -> Stylist:
    """Take the style's embeddings; regions and the subject picture belong to the occasion and come from outside."""
    taken = [name for name in PICTURES if not is_empty(getattr(params, name))]
    if taken:
        raise ParameterError(
            f"The saved style {params.style!r} stands in the place of pictures, but {', '.join(taken)} is given too. "
            "Remove the picture, or choose no saved style."
        )
    saved = library.find(params.style)
    adapter = library.adapter_for(saved, params.adapter)
    given = take_pictures(params, host, subject, references=len(saved.embeddings.style))
    seen = embed(given, params, adapter, host, effort) if given.others else None
    embeddings = dataclasses.replace(saved.embeddings, masks=given.masks, subject=seen.subject if seen else None)
    return Stylist(params, adapter, embeddings, host, recalled=given.recalled, saved_sha256=saved.sha256)


def from_prompt(name: str, weight: float, host: Host) -> Stylist:
    """Prepare a saved style with its own settings.

    Raises:
        InstantStyleError: If there is no style ``name``, or no adapter reads it.
    """
    saved = library.find(name)
    adapter = library.adapter_for(saved)
    return Stylist(saved.params(), adapter, saved.embeddings, host, weight, saved_sha256=saved.sha256)
