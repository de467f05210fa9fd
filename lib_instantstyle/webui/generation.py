"""One generation: from arguments to a styled UNet and back to a plain one.

A `Job` belongs to one processing object. It is prepared in ``process``, acts only inside the denoising loop
(inject, loop, eject in a ``finally``), and writes the infotext once it has acted. `GENERATION` is the one
owner of whatever is injected right now; every clean-up goes through it.
"""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from lib_instantstyle.errors import InstantStyleError, ParameterError, UnsupportedModelError
from lib_instantstyle.injection import Injection
from lib_instantstyle.memo import TensorMemo
from lib_instantstyle.params import StyleParams
from lib_instantstyle.webui import host as hosts
from lib_instantstyle.webui import infotext
from lib_instantstyle.webui.arguments import read_arguments, with_style
from lib_instantstyle.webui.job import Job
from lib_instantstyle.webui.notes import warn_user

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

logger = logging.getLogger("instantstyle")


class Generation:
    """Owner of the injection that is in place, and the script's hooks behind their names."""

    def __init__(self) -> None:
        self._job: Job | None = None
        self._injection: Injection | None = None
        self._p: Any = None
        self._memo = TensorMemo()

    def begin(self, p: Any, args: Sequence[Any]) -> None:
        """Start ``p`` afresh: nothing of an earlier job may act on it or stay in its infotext."""
        self.eject()
        _forget_infotext(p)
        p._instantstyle = None
        if _steps_aside(p):
            return
        p._instantstyle = Job(hosts.A1111Host(), self._memo)
        with _deferred(p):
            params = _with_axes(read_arguments(args), getattr(p, "_instantstyle_axes", {}))
            p._instantstyle.params = params if params.enabled else None

    def prepare(self, p: Any) -> None:
        """Read references, adapter and encoder."""
        job = getattr(p, "_instantstyle", None)
        if isinstance(job, Job):
            with _deferred(p):
                job.prepare(p)

    def activate_tags(self, p: Any, tags: Sequence[tuple[str, ...]]) -> None:
        """Note the saved styles that the prompt of the coming pass names, as they are written there."""
        job = getattr(p, "_instantstyle", None)
        if isinstance(job, Job):
            job.tags = tuple(tags)

    def before_sampling(self, p: Any, conditioning: Any) -> None:
        """Arrange that the coming denoising loop, and only it, runs styled."""
        job = getattr(p, "_instantstyle", None)
        if not getattr(p, "is_hr_pass", False):
            _forget_infotext(p)  # what an earlier batch of the same job wrote
        if isinstance(job, Job) and job.acts_on(p):
            hosts.wrap_next_sampling(p.sampler, lambda: self._styled(p, job, conditioning))

    @contextlib.contextmanager
    def _styled(self, p: Any, job: Job, conditioning: Any) -> Iterator[None]:
        self._p, self._job = p, job
        try:
            job.begin_sampling(p, conditioning)  # here, not in the hook: an error must reach the user
            self._attach_or_warn()
            yield
        finally:
            self._p = self._job = None
            self.eject()

    def _attach_or_warn(self) -> None:
        try:
            self._attach()
        except InstantStyleError as error:
            if not _prefers_warning():
                raise
            self.eject()
            warn_user(self._p, error)
            self._job = None

    def _attach(self) -> None:
        job = self._job
        if job is None:
            return
        self._injection = job.injection(self._p)
        if self._injection is None:
            return
        self._injection.inject()
        job.record(self._p)
        job.report(self._p)

    def step(self, step: Any) -> None:
        """Follow the denoiser: note the rows, and notice when the host has changed the UNet (refiner)."""
        job = self._job
        if job is None:
            return
        if self._injection is None or not self._injection.is_injected or job.host.unet() is not self._injection.unet:
            self._follow_unet()
        if self._injection is not None:
            try:
                job.host.begin_step(step)
            except InstantStyleError as error:
                self._injection.fail(error)

    def _follow_unet(self) -> None:
        """Move to the UNet that took over in mid-loop, or say that it stays plain (the SDXL refiner)."""
        if self._injection is None:
            return
        self.eject()
        try:
            self._attach()
        except UnsupportedModelError as error:
            self._p.extra_generation_params[infotext.NOTE] = "not applied after the refiner switch"
            logger.info("The model that took over in mid-sampling stays unstyled: %s", error)
        except Exception as error:  # noqa: BLE001  the host swallows it here; the UNet's next call raises it
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        """Let the next call of the UNet that is loaded now raise ``error``."""
        if self._job is not None:
            self._injection = Injection(self._job.host.unet(), (), self._job.host.describe_call)
            self._injection.fail(error)
            self._injection.inject()

    def model_loaded(self) -> None:
        """Let go of a UNet whose weights were replaced; a loop that is running takes hold again at its next step."""
        if self._injection is not None:
            self._injection.eject()

    def finish(self, p: Any) -> None:
        """Make sure that nothing stays."""
        self.eject()
        p._instantstyle = None

    def eject(self) -> None:
        """Take out whatever is injected. Harmless where nothing is."""
        injection, self._injection = self._injection, None
        if injection is not None:
            injection.eject()


# The one mutable module-level name: library modules survive the WebUI's "Reload UI", script modules do not,
# and what is injected must still be found afterwards.
GENERATION = Generation()


def _forget_infotext(p: Any) -> None:
    for key in [key for key in p.extra_generation_params if infotext.is_ours(key)]:
        del p.extra_generation_params[key]


@contextlib.contextmanager
def _deferred(p: Any) -> Iterator[None]:
    """Keep an error that the host would swallow, and raise it where the user and the API see it.

    Any exception counts: an unforeseen one must not leave a picture silently unstyled either.
    """
    try:
        yield
    except Exception as error:  # noqa: BLE001  the host's hooks end here; it is raised again from p.init
        p._instantstyle = None
        if isinstance(error, InstantStyleError) and _prefers_warning():
            warn_user(p, error)
        else:
            hosts.raise_on_init(p, error)


def _with_axes(params: StyleParams, axes: Mapping[str, Any]) -> StyleParams:
    if axes and not params.enabled:
        raise ParameterError(
            f"The X/Y/Z plot varies InstantStyle ({', '.join(axes)}), which is off. Tick its accordion."
        )
    return (with_style(params, axes["style"]) if axes.get("style") else params).replace(**axes)


def _prefers_warning() -> bool:
    from modules import shared

    from lib_instantstyle.webui.settings import ON_ERROR_WARN

    return bool(getattr(shared.opts, "instantstyle_on_error", "") == ON_ERROR_WARN)


def _steps_aside(p: Any) -> bool:
    """Whether ``p`` is the inner pass of ADetailer, which stays unstyled unless the user wants it."""
    from modules import shared

    return bool(getattr(p, "_ad_inner", False)) and not getattr(shared.opts, "instantstyle_style_inner_passes", False)
