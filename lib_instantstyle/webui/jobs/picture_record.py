"""Infotext entries of a job's pictures, and notes below them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.webui.jobs import infotext

logger = logging.getLogger("instantstyle")


class PictureRecord:
    """Writes to the host's processing object ``p`` what the host puts into the infotext and below the picture."""

    def __init__(self, p: Any) -> None:
        self._p = p

    def write(self, entries: Mapping[str, Any]) -> None:
        """Add entries to the infotext."""
        self._p.extra_generation_params.update(entries)

    def remark(self, text: str) -> None:
        """Add ``text`` to the note in the infotext, once."""
        known = self._p.extra_generation_params.get(infotext.NOTE, "")
        if text not in known.split("; "):
            self.write({infotext.NOTE: f"{known}; {text}" if known else text})

    def clear(self) -> None:
        """Remove our entries from the infotext."""
        for key in [key for key in self._p.extra_generation_params if infotext.is_ours(key)]:
            del self._p.extra_generation_params[key]

    def note(self, text: str) -> None:
        """Show ``text`` below the picture, and in the console."""
        logger.warning(text)
        self._p.comment(text)

    def warn(self, error: Exception) -> None:
        """Show ``error`` below the picture instead of stopping the job."""
        self.note(f"{NAME} is off for this picture: {error}")
