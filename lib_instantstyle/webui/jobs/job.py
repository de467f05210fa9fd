"""The styling of one processing object: the accordion's style and those of its prompts."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import nn

from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.params.declared import Passes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.params.tags import StyleTag
from lib_instantstyle.self_attention.reading import Keeping, ReferenceReading, Way
from lib_instantstyle.self_attention.records import KeptRecords
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import ImageTerm
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from lib_instantstyle.webui.jobs import infotext
from lib_instantstyle.webui.jobs.idle_notes import IdleNotes
from lib_instantstyle.webui.jobs.picture_record import PictureRecord
from lib_instantstyle.webui.jobs.preparation_stats import PreparationStats
from lib_instantstyle.webui.jobs.sampling_pass import Pass
from lib_instantstyle.webui.styles.prepared_reading import PassReading, joined
from lib_instantstyle.webui.styles.prepared_style import PreparedStyle
from lib_instantstyle.webui.styles.style_builder import StyleBuilder

logger = logging.getLogger("instantstyle")
_SHORT = 12  # digits of a hash


class Job:
    """Prepares the styles of one processing object and builds the injection of each of its passes.

    Attributes:
        params: The accordion's settings; None where it is off.
        record: Takes infotext entries and notes.
        warning: Why nothing acts, though a style was given; empty otherwise.
    """

    def __init__(self, record: PictureRecord, builder: StyleBuilder, memo: TensorMemo, records: KeptRecords) -> None:
        self.params: StyleParams | None = None
        self.record = record
        self.warning = ""
        self._builder = builder.for_one_job()
        self._memo = memo
        self._records = records
        self._stats = PreparationStats(memo)
        self._accordion: PreparedStyle | None = None
        self._tagged: dict[StyleTag, PreparedStyle] = {}
        self._terms: dict[StyleTag | None, tuple[ImageTerm, ...]] = {}
        self._groups: dict[StyleTag | None, ScheduledTerms] = {}  # those that act in the pass, like the next
        self._readings: dict[StyleTag | None, PassReading] = {}
        self._notes = IdleNotes(record)
        self._companion: ReferenceReading | None = None
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

    def encode(self, current: Pass) -> None:
        """Run what the styles of this pass need of the host's VAE and text towers, before it makes room for its UNet.

        Raises:
            InstantStyleError: If a saved style cannot be used, or the checkpoint lacks what it needs.
        """
        self._notes.begin(hires=current.is_hires)
        with self._stats:
            for style in self._wanted(current).values():
                _ = style.remover
                if style.reading:
                    enumerate_sites(self._builder.host.unet())  # refuses other models by name
                    style.reading.encode(current.size)

    @property
    def has_own_style(self) -> bool:
        """Whether the accordion has a style."""
        return self._accordion is not None

    def injection(self, unet: nn.Module, current: Pass) -> Injection | None:
        """Build the injection into ``unet``; None if no style takes part, or every weight or strength is 0.

        Raises:
            InstantStyleError: If a saved style cannot be used, or ``unet`` is no SDXL base model or does not fit.
        """
        if self._planned_for is not unet:
            self._terms.clear()
            self._planned_for = unet
        with self._stats:
            styles = self._wanted(current)
            scheduled = {tag: self._scheduled(tag, style, unet, current) for tag, style in styles.items()}
            found = {
                tag: style.reading.of_pass(current.size, current.named(tag), hires=current.is_hires)
                for tag, style in styles.items()
                if style.reading
            }
        self._readings = {tag: reading for tag, reading in found.items() if reading.schedules}
        self._groups = {tag: group for tag, group in scheduled.items() if group.acts}
        for tag, style in styles.items():
            schedules = [self._groups[tag].schedule] if tag in self._groups else []
            schedules += self._readings[tag].schedules if tag in self._readings else ()
            self._notes.watch(tag, style, schedules)
        self._companion = self._reader(unet, current)
        if not self._groups and self._companion is None:
            return None
        read_call = self._notes.noting(current.reader.read_call)
        return Injection(unet, [*self._groups.values()], read_call, current.window, self._companion)

    def end_pass(self) -> None:
        """Note which styles acted at no step of the pass; call it after the loop."""
        self._notes.end()

    def _reader(self, unet: nn.Module, current: Pass) -> ReferenceReading | None:
        """Return what lets self-attentions read the references of all styles; None if none does."""
        reading = joined(list(self._readings.values()))
        if reading is None:
            return None
        host = self._builder.host
        keeping = Keeping(self._records, host.model_state()) if self._records.limit else None
        way = Way(host.noise_levels(), host.run_unet, reading.every, keeping)
        return ReferenceReading(unet, reading.references, reading.sources, way, current.window)

    @property
    def calibrates(self) -> bool:
        """Whether denoised latents are to be changed."""
        return any(reading.calibrations for reading in self._readings.values())

    def calibrated(self, clean: torch.Tensor, current: Pass) -> torch.Tensor:
        """Bring the colours of clean latents ``[pictures, channels, h, w]`` to those of the references."""
        timestep = self._companion.timestep if self._companion else None
        if timestep is None:  # the UNet has not been called
            return clean
        for reading in self._readings.values():
            for calibration in reading.calibrations:
                clean = calibration.apply(clean, timestep, current.pictures)
        return clean

    def write_infotext(self, current: Pass) -> None:
        """Record what acts; call it once the injection is in place."""
        acting = self._acting(current)
        accordion = acting.get(None)
        if accordion is not None:
            adapter = accordion.encoded.adapter if accordion.encoded else None
            # The host keeps hashes by title: another folder's file of this name has another, an older copy too.
            title = f"instantstyle/{adapter.fingerprint}" if adapter else ""
            sha256 = self._builder.host.file_sha256(adapter.path, title) if adapter else None
            self.record.write(infotext.write(accordion, sha256, hires=current.has_hires))
            self._notes.left_out(accordion, self._stretched, is_guided=current.is_guided)
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
        """Return those of them that act; known once the injection is built."""
        acting = self._groups.keys() | self._readings.keys()
        return {tag: style for tag, style in self._wanted(current).items() if tag in acting}

    def _scheduled(self, tag: StyleTag | None, style: PreparedStyle, unet: nn.Module, current: Pass) -> ScheduledTerms:
        if tag not in self._terms:
            self._terms[tag] = style.terms(enumerate_sites(unet), self._memo)
        return style.scheduled(self._terms[tag], hires=current.is_hires)._replace(pictures=current.named(tag))
