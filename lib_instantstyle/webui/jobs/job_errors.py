"""Where the errors of jobs go: to the API's answer, to the page, or below the picture as a warning."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.webui.hosts.host import Host
from lib_instantstyle.webui.jobs.picture_record import PictureRecord
from lib_instantstyle.webui.setup.settings import ON_ERROR_WARN, current_settings


class JobErrors:
    """Keeps why the last job was stopped, and brings errors past the hooks in which ``host`` would swallow them."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._problem = ""

    def forget(self) -> None:
        """Forget the last job."""
        self._problem = ""

    def take_problem(self) -> str:
        """Return once why the last job was stopped: some WebUIs lose on the way to the page what was raised."""
        problem, self._problem = self._problem, ""
        return problem

    def keep(self, p: Any, error: Exception) -> None:
        """Keep why the job of ``p`` is stopped, for the page; the API's answer has it."""
        self._problem = "" if getattr(p, "is_api", False) else str(error)

    @contextlib.contextmanager
    def deferred(self, p: Any) -> Iterator[None]:
        """Defer any error, since the host would swallow it, to where the user and the API see it."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  the host's hooks end here; it is raised again at the job's start
            p._instantstyle = None
            if isinstance(error, InstantStyleError) and prefers_warning():
                PictureRecord(p).warn(error)
            else:
                self.keep(p, error)
                self._host.raise_at_start(p, error)


def prefers_warning() -> bool:
    """Whether the user wants an unstyled picture with a warning in the place of an error."""
    return current_settings().on_error == ON_ERROR_WARN
