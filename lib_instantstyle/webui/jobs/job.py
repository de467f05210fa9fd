"""The styling of one processing object: the accordion's style and those of its prompts."""

from __future__ import annotations

import logging
from typing import Any

from torch import nn

from lib_instantstyle import NAME
from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.params.declared import Passes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.params.tags import StyleTag
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import ImageTerm
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from lib_instantstyle.webui.jobs import infotext
from lib_instantstyle.webui.jobs.picture_record import PictureRecord
from lib_instantstyle.webui.jobs.preparation_stats import PreparationStats
from lib_instantstyle.webui.jobs.prepared_style import PreparedStyle
from lib_instantstyle.webui.jobs.requirements import left_out
from lib_instantstyle.webui.jobs.sampling_pass import Pass
from lib_instantstyle.webui.jobs.style_builder import StyleBuilder

logger = logging.getLogger("instantstyle")
_SHORT = 12  # digits of a hash


class Job:
    """Prepares the styles of one processing object and builds the injection of each of its passes.

    Attributes:
        params: The accordion's settings; None where it is off.
        record: Takes infotext entries and notes.
        warning: Why nothing acts, though a style was given; empty otherwise.
    """

    def __init__(self, record: PictureRecord, builder: StyleBuilder, memo: TensorMemo) -> None:
        self.params: StyleParams | None = None
        self.record = record
        self.warning = ""
        self._builder = builder.for_one_job()
        self._memo = memo
        self._stats = PreparationStats(memo)
        self._accordion: PreparedStyle | None = None
        self._tagged: dict[StyleTag, PreparedStyle] = {}
        self._terms: dict[StyleTag | None, tuple[ImageTerm, ...]] = {}
        self._planned_for: nn.Module | None = None
        self._saved: dict[int, dict[str, str]] = {}  # by picture: the saved styles that acted, in any of its passes
        self._reported: list[str] = []
        self._stretched: dict[int, tuple[int, int]] = {}  # masks by number of their reference, with their sizes

    def prepare(self, subject: Any, width: int, height: int) -> None:
        """Prepare the accordion's style for a picture of ``width`` × ``height``; ``subject`` is the img2img input.

        Raises:
            InstantStyleError: If its pictures, adapter or encoder cannot be used.
        """
        if self.params is not None:
            with self._stats:
                self._accordion = self._builder.from_accordion(self.params, subject, self._stats.count_embedding)
            self._stretched = self._accordion.stretched(width, height)

    def encode_contents(self, current: Pass) -> None:
        """Encode the contents that the styles of this pass remove, before the host makes room for its UNet.

        Raises:
            InstantStyleError: If a saved style cannot be used, or the checkpoint has no text tower for it.
        """
        with self._stats:
            for style in self._wanted(current).values():
                _ = style.remover

    @property
    def has_own_style(self) -> bool:
        """Whether the accordion has a style."""
        return self._accordion is not None

    def injection(self, unet: nn.Module, current: Pass) -> Injection | None:
        """Build the injection into ``unet``; None if no style takes part, or every weight is 0.

        Raises:
            InstantStyleError: If a saved style cannot be used, or ``unet`` is no SDXL base model or does not fit.
        """
        if self._planned_for is not unet:
            self._terms.clear()
            self._planned_for = unet
        with self._stats:
            styles = self._wanted(current).items()
            scheduled = {tag: self._scheduled(tag, style, unet, current) for tag, style in styles}
        for tag, group in scheduled.items():
            if not group.terms:
                name = f"<instantstyle:{tag.name}>" if tag else NAME
                self.record.note(
                    f"{name} had nothing to do: every block's weight is 0. Raise a weight, or choose another preset."
                )
        acting = [group for group in scheduled.values() if group.terms]
        return Injection(unet, acting, current.reader.read_call, current.window) if acting else None

    def write_infotext(self, current: Pass) -> None:
        """Record what acts; call it once the injection is in place."""
        acting = self._acting(current)
        accordion = acting.get(None)
        if accordion is not None:
            adapter = accordion.adapter
            # The host keeps hashes by title: another folder's file of this name has another, an older copy too.
            sha256 = self._builder.host.file_sha256(adapter.path, f"instantstyle/{adapter.fingerprint}")
            self.record.write(infotext.write(accordion, sha256, hires=current.has_hires))
            self._write_idle(accordion, current)
        for tag, style in acting.items():
            if style.saved_sha256:
                name, sha256 = tag.name if tag else style.params.style, style.saved_sha256[:_SHORT]
                for picture in current.tags[tag] if tag else current.pictures:
                    self._saved.setdefault(picture, {})[name] = sha256
        self.record.write(infotext.write_styles(self._saved, current.pictures))

    def report(self, current: Pass) -> None:
        """Log what acts and what its preparation took: one line a job, unless a later pass differs."""
        acting = self._acting(current).items()
        styles = [f"{tag.name}: {style.summary()}" if tag else style.summary() for tag, style in acting]
        if styles != self._reported:
            logger.info("%s; %s", "; ".join(styles), self._stats)
        self._reported, self._stats = styles, PreparationStats(self._memo)

    def _wanted(self, current: Pass) -> dict[StyleTag | None, PreparedStyle]:
        """Return the styles that take part in this pass: the accordion's under None, the prompt's under their tags."""
        wanted: dict[StyleTag | None, PreparedStyle] = {}
        style, this_pass = self._accordion, Passes.HIRES if current.is_hires else Passes.FIRST
        if style is not None and (not current.has_hires or style.params.passes in (Passes.BOTH, this_pass)):
            wanted[None] = style
        for tag in current.tags:
            if tag not in self._tagged:
                self._tagged[tag] = self._builder.from_prompt(tag)
            wanted[tag] = self._tagged[tag]
        return wanted

    def _acting(self, current: Pass) -> dict[StyleTag | None, PreparedStyle]:
        """Return those of them that have terms; known once the injection is built."""
        return {tag: style for tag, style in self._wanted(current).items() if self._terms[tag]}

    def _scheduled(self, tag: StyleTag | None, style: PreparedStyle, unet: nn.Module, current: Pass) -> ScheduledTerms:
        if tag not in self._terms:
            self._terms[tag] = style.terms(enumerate_sites(unet), self._memo)
        scheduled = style.scheduled(self._terms[tag], hires=current.is_hires)
        named = None if tag is None else current.tags[tag]
        return scheduled if named is None or named.issuperset(current.pictures) else scheduled._replace(pictures=named)

    def _write_idle(self, style: PreparedStyle, current: Pass) -> None:
        """Note which parts of the accordion's style could not act, or not as they were given."""
        idle = [said.note for said in left_out(style.params, style.roles, style.masks)]
        for number, size in self._stretched.items():
            painted = "×".join(map(str, size))
            idle.append(f"the mask of reference {number} is {painted} and was stretched to the picture's shape")
        if style.needs_guidance and not current.is_guided:
            idle.append("anti-layout and negative picture act through CFG only")
        for text in idle:
            self.record.note(f"{NAME}: {text}")
        if idle:
            self.record.write({infotext.NOTE: "; ".join(idle)})
