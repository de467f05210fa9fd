"""Generation parameters that are pasted: what of them cannot be used, or has changed since, is told."""

from __future__ import annotations

import contextlib
from typing import Any

import gradio as gr

from lib_instantstyle.errors import StyleError
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.webui.jobs import infotext


def complete(parameters: dict[str, Any], library: StyleLibrary) -> None:
    """Complete pasted ``parameters`` for the controls, and show as toasts what does not come as it was."""

    def known(name: str) -> str:
        with contextlib.suppress(StyleError):  # where it is missing, the status line or the job says so
            return library.facts(library.existing(name)).sha256
        return ""

    for problem in (*infotext.fill_defaults(parameters), *infotext.other_styles(parameters, known)):
        gr.Warning(problem)
