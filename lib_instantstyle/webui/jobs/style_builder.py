"""Prepares styles from the accordion's pictures, or from the style library."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from lib_instantstyle.errors import ParameterError, StyleError
from lib_instantstyle.library.saved_style import PICTURES, SavedStyle
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.models.found_models import FoundModels
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.picture_hashes import ROLES
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.params.tags import StyleTag
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.webui.encoding.job_pictures import (
    JobPicture,
    known_others,
    known_style,
    take_masks,
    take_pictures,
)
from lib_instantstyle.webui.encoding.picture_encoder import Count, PictureEncoder
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.jobs.prepared_style import PreparedStyle
from lib_instantstyle.webui.jobs.requirements import GivenPictures, check_requirements


class StyleBuilder:
    """Makes a `PreparedStyle` of the accordion's settings or of a tag in the prompt; ``look`` finds the models."""

    def __init__(
        self, host: Host, look: Callable[[], FoundModels], library: StyleLibrary, encoder: PictureEncoder
    ) -> None:
        self.host = host
        self.library = library
        self.look = look
        self._encoder = encoder

    def for_one_job(self) -> StyleBuilder:
        """Return a builder that looks for models once at most, however many styles it makes."""
        return StyleBuilder(self.host, functools.cache(self.look), self.library, self._encoder)

    def require_files(self, params: StyleParams) -> None:
        """Raise an `InstantStyleError` if the adapter or the saved style that ``params`` name is not there."""
        self.look().find_adapter(params.adapter)
        if params.style:
            self.library.existing(params.style)

    def from_accordion(
        self, params: StyleParams, subject: Any = None, count: Count = lambda _known: None
    ) -> PreparedStyle:
        """Prepare the accordion's style: its pictures, or the saved style that it names.

        Args:
            params: The accordion's settings.
            subject: The img2img input, used where no subject picture is given.
            count: Called for each embedding with whether the cache had it.

        Raises:
            InstantStyleError: If pictures, adapter, encoder or style cannot be used.
        """
        if params.style:
            return self._from_library(params, subject, count)
        pictures = take_pictures(params, self.host.fetch_picture, subject)
        found, adapter = self._required(params, len(pictures.style), pictures.others.keys())
        embeddings = self._encoder.embed(pictures, params.crop, adapter, found.encoders, count)
        return PreparedStyle(params, adapter, embeddings, self.host, pictures.masks, hashes=pictures.hashes)

    def from_prompt(self, tag: StyleTag) -> PreparedStyle:
        """Prepare a saved style with its own settings.

        Raises:
            InstantStyleError: If there is no such style, or no adapter reads it.
        """
        saved = self.library.find(tag.name)
        params = saved.params()
        _found, adapter = self._required(params, len(saved.embeddings.style), saved.embeddings.roles, saved)
        return PreparedStyle(params, adapter, saved.embeddings, self.host, factor=tag.weight, saved_sha256=saved.sha256)

    def _from_library(self, params: StyleParams, subject: Any, count: Count) -> PreparedStyle:
        """Use the saved embeddings; regions and the subject picture are the job's own."""
        saved = self._saved(params, GivenPictures())
        references = len(saved.embeddings.style)
        pictures = take_pictures(params, self.host.fetch_picture, subject, references)
        found, adapter = self._required(params, references, saved.embeddings.roles | pictures.others.keys(), saved)
        embeddings = saved.embeddings
        if pictures.others:
            own = self._encoder.embed(pictures, params.crop, adapter, found.encoders, count)
            embeddings = replace(embeddings, subject=own.subject)
        return PreparedStyle(
            params, adapter, embeddings, self.host, pictures.masks, hashes=pictures.hashes, saved_sha256=saved.sha256
        )

    def check(self, params: StyleParams, given: GivenPictures) -> None:
        """Refuse what `from_accordion` refuses, as far as it shows with no reference opened and no encoder loaded.

        Args:
            params: The accordion's settings, whose pictures but for the masks may have stayed where they are.
            given: What is known of them.

        Raises:
            InstantStyleError: As `from_accordion` does.
        """
        hashes = given.pasted(params)
        saved = self._saved(params, given) if params.style else None
        known = () if saved else known_style(hashes)
        references = len(saved.embeddings.style if saved else known) or given.references or MAX_PICTURES
        pasted: dict[str, JobPicture] = {}
        roles: Collection[str] | None = None
        if given.roles is not None:
            pasted = known_others(params, hashes, {"subject"} - given.roles if saved else {*ROLES} - given.roles)
            roles = {*given.roles, *pasted, *(saved.embeddings.roles if saved else ())}
        found, adapter = self._required(params, references, roles, saved)
        if unopened := [*known, *pasted.values()]:
            self._encoder.require(unopened, params.crop, adapter, found.encoders)
        take_masks(params, hashes, self.host.fetch_picture, references)

    def _required(
        self, params: StyleParams, references: int, roles: Collection[str] | None, saved: SavedStyle | None = None
    ) -> tuple[FoundModels, Adapter]:
        """Return the models found, and the adapter of a style whose settings fit it and its pictures."""
        found = self.look()
        adapter = _adapter_for(saved, params.adapter, found) if saved else found.find_adapter(params.adapter)
        check_requirements(params, adapter, references, self.host.text_width(), roles)
        return found, adapter

    def _saved(self, params: StyleParams, given: GivenPictures) -> SavedStyle:
        """Return the saved style in the place of the pictures; ``given`` says which of them stayed where they are."""
        names = {"image": given.references, **{f"{role}_image": role in (given.roles or ()) for role in ROLES}}
        taken = [name for name in PICTURES if names.get(name) or not is_empty(getattr(params, name))]
        if taken:
            raise ParameterError(
                f"The saved style {params.style!r} stands in the place of pictures, but {', '.join(taken)} is given "
                "too. Remove the picture, or choose no saved style."
            )
        return self.library.find(params.style)


def _adapter_for(saved: SavedStyle, name: str, found: FoundModels) -> Adapter:
    """Return the adapter called ``name``, or for Automatic the first that reads the style's embeddings."""
    adapter = found.find_adapter(name, saved.suits)
    if not saved.suits(adapter):
        raise StyleError(
            f"{adapter.path.name} cannot read this saved style: it was made for a {saved.kind.value} adapter with "
            f"{saved.width}-wide embeddings. Choose the adapter Automatic, or save the style anew."
        )
    return adapter
