"""The parameters of the last picture, which the arrow ↙ reads where the prompt is empty."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from lib_instantstyle.webui.jobs import infotext


def complete(processed: Any) -> None:
    """Write the parameters of a styled picture anew: the host did before sampling, when no style had acted yet."""
    from modules import paths, shared

    texts = getattr(processed, "infotexts", None) or [""]
    text = texts[min(getattr(processed, "index_of_first_image", 0), len(texts) - 1)]
    if f"{infotext.VERSION}: " not in text or getattr(shared.cmd_opts, "no_prompt_history", False):
        return
    with contextlib.suppress(OSError):  # as the picture itself is there
        Path(paths.data_path, "params.txt").write_text(text, encoding="utf-8")
