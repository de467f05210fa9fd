"""Generation parameters that are pasted: what of them cannot be used, or has changed since, is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_instantstyle.webui.jobs import infotext


def complete(parameters: dict[str, Any], sha256_of: Callable[[str], str]) -> None:
    """Complete pasted ``parameters`` for the controls, and show as toasts what does not come as it was.

    ``sha256_of`` returns the hash of a saved style by its name, and nothing where there is none.
    """
    for warning in (*infotext.fill_defaults(parameters), *infotext.other_styles(parameters, sha256_of)):
        gr.Warning(warning)
