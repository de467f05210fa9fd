"""What the user should know of a picture, shown below it and in the console."""

from __future__ import annotations

import logging
from typing import Any

from lib_instantstyle import NAME

logger = logging.getLogger("instantstyle")


def note(p: Any, text: str) -> None:
    """Say ``text`` of the picture that ``p`` makes."""
    logger.warning(text)
    p.comment(text)


def warn_user(p: Any, error: Exception) -> None:
    """Show ``error`` below the picture instead of stopping the job."""
    note(p, f"{NAME} is off for this picture: {error}")
