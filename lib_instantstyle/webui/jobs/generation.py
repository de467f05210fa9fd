"""One generation: from arguments to a styled UNet and back to a plain one.

A `Job` belongs to one processing object. It is prepared in ``process``, acts only inside the denoising loop
(inject, loop, eject in a ``finally``), and writes the infotext once it is injected. `Generation` alone owns what is
injected now; every clean-up goes through it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

from lib_instantstyle import NAME
from lib_instantstyle.errors import InstantStyleError, UnsupportedModelError
from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.params.tags import StyleTag, read_tags
from lib_instantstyle.self_attention.records import KeptRecords
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.webui.jobs.arguments import lacks_enabled, read_arguments, with_axes
from lib_instantstyle.webui.jobs.job import Job
from lib_instantstyle.webui.jobs.job_errors import JobErrors, prefers_warning
from lib_instantstyle.webui.jobs.picture_record import PictureRecord
from lib_instantstyle.webui.jobs.sampling_pass import Pass, coming_pass, picture_size
from lib_instantstyle.webui.setup.settings import current_settings
from lib_instantstyle.webui.styles.style_builder import StyleBuilder

logger = logging.getLogger("instantstyle")


class _Sampling(NamedTuple):
    """The denoising loop that is running."""

    job: Job
    current: Pass


class Generation:
    """Owns the injection that is in place, and answers the script's hooks."""

    def __init__(self, builder: StyleBuilder) -> None:
        self.memo = TensorMemo()
        self.records = KeptRecords()
        self._builder = builder
        self._host = builder.host
        self._sampling: _Sampling | None = None
        self._injection: Injection | None = None
        self.errors = JobErrors(builder.host)
        self._step: Any = None  # the last one that the host has begun

    def begin(self, p: Any, args: Sequence[Any]) -> None:
        """Start ``p`` afresh: nothing of an earlier job may act on it or stay in its infotext."""
        self.eject()
        self.errors.forget()
        record = PictureRecord(p)
        record.clear()
        p._instantstyle = None
        settings = current_settings()
        if getattr(p, "_ad_inner", False) and not settings.style_inner_passes:
            return  # the inner pass of ADetailer
        self.records.limit = int(settings.records_megabytes) << 20
        p._instantstyle = Job(record, self._builder, self.memo, self.records)
        with self.errors.deferred(p):
            library = self._builder.library
            params = with_axes(read_arguments(args, library), getattr(p, "_instantstyle_axes", {}), library)
            p._instantstyle.params = params if params.enabled else None
            if lacks_enabled(args):
                p._instantstyle.warning = "off: the request has a style, but 'enabled' is missing"
                record.note(f"{NAME} is off for this picture: send 'enabled': true together with the style.")

    def prepare(self, p: Any) -> None:
        """Read references, adapter and encoder."""
        job = _job_of(p)
        if job is not None:
            with self.errors.deferred(p):
                pictures = getattr(p, "init_images", None) or [None]
                job.prepare(pictures[0], *picture_size(p))

    def before_sampling(self, p: Any, conditioning: Any) -> None:
        """Style the coming denoising loop, and no other."""
        if not getattr(p, "is_hr_pass", False):
            PictureRecord(p).clear()  # what an earlier batch of the same job wrote
        job = _job_of(p)
        if job is None:
            return
        if job.warning:
            job.record.remark(job.warning)
        written = self._host.written_tags(p, NAME.lower())
        if job.has_own_style or any(written):
            coming: Future[Pass] = Future()
            try:
                current = coming_pass(p, conditioning, self._read(written), self._host)
                job.encode(current)
                coming.set_result(current)
            except Exception as error:  # noqa: BLE001  the host would swallow it here
                coming.set_exception(error)
            self._host.wrap_next_sampling(p, lambda: self._styled(p, job, coming))

    @contextlib.contextmanager
    def _styled(self, p: Any, job: Job, coming: Future[Pass]) -> Iterator[None]:
        try:
            self._attach_or_warn(job, coming)  # here, not in the hook: an error must reach the user
            yield
            job.end_pass()
        except InstantStyleError as error:
            self.errors.keep(p, error)
            raise
        finally:
            self._sampling = self._step = None
            self.eject()

    def _attach_or_warn(self, job: Job, coming: Future[Pass]) -> None:
        try:
            self._sampling = _Sampling(job, coming.result())
            self._attach(self._sampling)
        except InstantStyleError as error:
            if not prefers_warning():
                raise
            self.eject()
            job.record.warn(error)
            self._sampling = None

    def _read(self, written: Sequence[Sequence[tuple[str, ...]]]) -> list[list[StyleTag]]:
        return [read_tags(parts, self._builder.library.called) for parts in written]

    def _attach(self, sampling: _Sampling) -> None:
        job, current = sampling
        self._injection = job.injection(self._host.unet(), current)
        if self._injection is None:
            return
        self._injection.inject()
        job.write_infotext(current)
        job.report(current)

    def step(self, step: Any) -> None:
        """Read the rows of a denoising step, and notice when the host has switched the UNet (refiner)."""
        sampling, injection, self._step = self._sampling, self._injection, step
        if sampling is None or injection is None:
            return
        if not injection.is_injected or self._host.unet() is not injection.unet:
            self._follow_unet(sampling)
        if self._injection is not None:
            try:
                sampling.current.reader.begin_step(step)
            except InstantStyleError as error:
                self._injection.fail(error)

    def denoised(self, after: Any) -> None:
        """Calibrate the colours of a step's result, ``after.x``, the argument of the ``cfg_after_cfg`` callback."""
        sampling, injection = self._sampling, self._injection
        if sampling is None or injection is None or not sampling.job.calibrates:
            return
        job, current = sampling
        try:
            after.x = self._host.with_denoised(self._step, after.x, lambda clean: job.calibrated(clean, current))
        except Exception as error:  # noqa: BLE001  the host swallows it here; the UNet's next call raises it
            injection.fail(error)

    def _follow_unet(self, sampling: _Sampling) -> None:
        """Move to the UNet that took over within the loop, or note that it stays unstyled (the SDXL refiner)."""
        self.eject()
        try:
            self._attach(sampling)
        except UnsupportedModelError as error:
            sampling.job.record.remark("not applied after the refiner switch")
            logger.info("The model that took over in mid-sampling stays unstyled: %s", error)
        except Exception as error:  # noqa: BLE001  the host swallows it here; the UNet's next call raises it
            self._injection = Injection(self._host.unet(), (), sampling.current.reader.read_call)
            self._injection.fail(error)
            self._injection.inject()

    def model_loaded(self) -> None:
        """Eject from a UNet whose weights were replaced; a running loop injects again at its next step."""
        self.records.clear()
        if self._injection is not None:
            self._injection.eject()

    def unload(self) -> None:
        """Eject before the host reloads its scripts; a loop that is running says so."""
        if self._sampling is not None and self._injection is not None:
            self._sampling.job.record.remark("not applied to the end: the WebUI reloaded its scripts")
        self.eject()

    def finish(self, p: Any) -> None:
        """Leave nothing of the job behind."""
        self.eject()
        p._instantstyle = None

    def eject(self) -> None:
        """Remove the injection, if there is one."""
        injection, self._injection = self._injection, None
        if injection is not None:
            injection.eject()


def _job_of(p: Any) -> Job | None:
    job = getattr(p, "_instantstyle", None)
    return job if isinstance(job, Job) else None
