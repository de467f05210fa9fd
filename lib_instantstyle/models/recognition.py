"""Whether a file is what it should be: for files that come from elsewhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lib_instantstyle.errors import EncoderError
from lib_instantstyle.models.adapter import open_adapter
from lib_instantstyle.models.encoder_file import open_encoder

if TYPE_CHECKING:
    from pathlib import Path


def check_file(path: Path, kind: str) -> None:
    """Make sure that ``path`` is an ``"adapter"``, an ``"encoder"`` or the ``"config"`` of one.

    Raises:
        InstantStyleError: If it is not.
    """
    checks = {"adapter": open_adapter, "encoder": open_encoder, "config": _check_config}
    checks[kind](path)


def _check_config(path: Path) -> None:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderError(f"it is no configuration of an image encoder ({error}).") from error
    if not isinstance(values, dict) or not isinstance(values.get("hidden_size"), int):
        raise EncoderError("it is no configuration of an image encoder (hidden_size is missing).")
