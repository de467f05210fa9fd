"""Prepares styles from the accordion's pictures, or from the style library."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from lib_instantstyle.errors import ParameterError, StyleError
from lib_instantstyle.library.saved_style import PICTURES, SavedStyle
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.method.latents import Latents
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.models.found_models import FoundModels
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.picture_hashes import ROLES
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.params.tags import StyleTag
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.webui.encoding.job_pictures import (
    JobPicture,
    JobPictures,
    known_others,
    known_style,
    take_masks,
    take_pictures,
)
from lib_instantstyle.webui.encoding.picture_encoder import Count, PictureEncoder
from lib_instantstyle.webui.encoding.picture_latents import PictureLatents
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.styles.prepared_reading import PreparedReading
from lib_instantstyle.webui.styles.prepared_style import Encoded, PreparedStyle
from lib_instantstyle.webui.styles.requirements import GivenPictures, check_requirements


class StyleBuilder:
    """Makes a `PreparedStyle` of the accordion's settings or of a tag in the prompt; ``look`` finds the models."""

    def __init__(
        self, host: Host, look: Callable[[], FoundModels], library: StyleLibrary, encoder: PictureEncoder
    ) -> None:
        self.host = host
        self.library = library
        self.look = look
        self._encoder = encoder
        self._latents = PictureLatents(host)

    def for_one_job(self) -> StyleBuilder:
        """Return a builder that looks for models once at most, however many styles it makes."""
        return StyleBuilder(self.host, functools.cache(self.look), self.library, self._encoder)

    def require_files(self, params: StyleParams) -> None:
        """Raise an `InstantStyleError` if the adapter or the saved style that ``params`` name is not there."""
        if params.method.has_adapter:
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
        adapter = self._required(params, len(pictures.style), pictures.others.keys())
        encoded = reading = None
        if adapter:
            found = self.look().encoders
            encoded = Encoded(adapter, self._encoder.embed(pictures, params.crop, adapter, found, count))
        if params.method.has_reading:
            reading = self._reading(params, pictures)
        roles = frozenset(pictures.others)
        return PreparedStyle(
            params, self.host, encoded, reading, _with_subject(roles, params), pictures.masks, hashes=pictures.hashes
        )

    def from_prompt(self, tag: StyleTag) -> PreparedStyle:
        """Prepare a saved style with its own settings.

        Raises:
            InstantStyleError: If there is no such style, or no adapter reads it.
        """
        saved = self.library.find(tag.name)
        params = saved.params()
        adapter = self._required(params, saved.references, saved.roles, saved)
        encoded = Encoded(adapter, saved.embeddings) if adapter and saved.embeddings else None
        reading = _saved_reading(params, saved, self.host, factor=tag.weight)
        return PreparedStyle(
            params, self.host, encoded, reading, saved.roles, factor=tag.weight, saved_sha256=saved.sha256
        )

    def _from_library(self, params: StyleParams, subject: Any, count: Count) -> PreparedStyle:
        """Use what was saved; regions and the subject picture are the job's own."""
        saved = self._saved(params, GivenPictures())
        pictures = take_pictures(params, self.host.fetch_picture, subject, saved.references)
        adapter = self._required(params, saved.references, saved.roles | pictures.others.keys(), saved)
        embeddings = saved.embeddings
        if pictures.others and adapter and embeddings:
            own = self._encoder.embed(pictures, params.crop, adapter, self.look().encoders, count)
            embeddings = replace(embeddings, subject=own.subject)
        encoded = Encoded(adapter, embeddings) if adapter and embeddings else None
        reading = _saved_reading(params, saved, self.host, masks=pictures.masks)
        roles = saved.roles | pictures.others.keys()
        return PreparedStyle(
            params,
            self.host,
            encoded,
            reading,
            _with_subject(roles, params),
            pictures.masks,
            hashes=pictures.hashes,
            saved_sha256=saved.sha256,
        )

    def _reading(self, params: StyleParams, pictures: JobPictures) -> PreparedReading:
        def latents(size: tuple[int, int]) -> Latents:
            return self._latents.encode(pictures, size, params.reference_area)

        return PreparedReading(params, self.host, latents, pictures.masks)

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
        references = (saved.references if saved else len(known)) or given.references or MAX_PICTURES
        pasted: dict[str, JobPicture] = {}
        roles: Collection[str] | None = None
        if given.roles is not None:
            pasted = known_others(params, hashes, {"subject"} - given.roles if saved else {*ROLES} - given.roles)
            others = ["subject"] * given.has_input
            roles = {*given.roles, *pasted, *others, *(saved.roles if saved else ())}
        adapter = self._required(params, references, roles, saved)
        unopened = [*known, *pasted.values()]
        if adapter and unopened:
            self._encoder.require(unopened, params.crop, adapter, self.look().encoders)
        take_masks(params, hashes, self.host.fetch_picture, references)

    def _required(
        self, params: StyleParams, references: int, roles: Collection[str] | None, saved: SavedStyle | None = None
    ) -> Adapter | None:
        """Return the adapter of a style whose settings fit it and its pictures; None if it needs none."""
        if saved:
            _check_saved(saved, params)
        adapter = None
        if params.method.has_adapter:
            found = self.look()
            adapter = _adapter_for(saved, params.adapter, found) if saved else found.find_adapter(params.adapter)
        check_requirements(params, adapter, references, self.host.text_width(), roles)
        return adapter

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
        kind = saved.kind.value if saved.kind else "missing"
        raise StyleError(
            f"{adapter.path.name} cannot read this saved style: it was made for a {kind} adapter with "
            f"{saved.width}-wide embeddings. Choose the adapter Automatic, or save the style anew."
        )
    return adapter


def _check_saved(saved: SavedStyle, params: StyleParams) -> None:
    """Refuse a method for which the style was not saved."""
    lacks = {
        "an adapter": params.method.has_adapter and saved.embeddings is None,
        "reading without an adapter": params.method.has_reading and saved.latents is None,
    }
    for purpose, is_missing in lacks.items():
        if is_missing:
            raise StyleError(
                f"This saved style holds nothing for {purpose}. Choose the method that it was saved with, or save it "
                f"anew with the method {params.method.value}."
            )


def _saved_reading(params: StyleParams, saved: SavedStyle, host: Host, **options: Any) -> PreparedReading | None:
    latents = saved.latents
    if latents is None or not params.method.has_reading:
        return None
    return PreparedReading(params, host, lambda _size: latents, **options)


def _with_subject(roles: frozenset[str], params: StyleParams) -> frozenset[str]:
    """Return ``roles`` with the subject's, where its picture was given and left where it was, at the weight 0."""
    return roles | frozenset(["subject"] * (not is_empty(params.subject_image)))
