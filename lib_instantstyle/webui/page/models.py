"""The tab Models: which adapters and image encoders were found, what each can do, and a way to get some."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import gradio as gr

from lib_instantstyle.describe import adapter_text, encoder_kind, size_text
from lib_instantstyle.encoder import first_suitable
from lib_instantstyle.webui import folders, models
from lib_instantstyle.webui.page.fetch import FetchPanel

if TYPE_CHECKING:
    from pathlib import Path

    from lib_instantstyle.checkpoint import Adapter
    from lib_instantstyle.encoder import EncoderFile
    from lib_instantstyle.webui.page.fields import Fields


class ModelsTab:
    """The tab Models; constructing lays it out."""

    def __init__(self, fields: Fields) -> None:
        found = gr.HTML(elem_id=fields.elem_id("found"), elem_classes="instantstyle-found")
        self._fetch = FetchPanel(fields, found, _found)

    def connect(self) -> None:
        """Let the buttons work."""
        self._fetch.connect()


def _found() -> str:
    encoders = models.list_encoders()
    rows = [_adapter_row(adapter, encoders) for adapter in models.list_adapters()]
    rows += [_row(encoder.weights, encoder.path.name, f"Image encoder {encoder_kind(encoder)}") for encoder in encoders]
    searched = "".join(f"<li>{escape(str(folder))}</li>" for folder in folders.model_folders())
    return (
        f"<table>{''.join(rows) or '<tr><td>No adapter and no image encoder was found.</td></tr>'}</table>"
        f"<details><summary>Folders that are searched</summary><ul>{searched}</ul></details>"
    )


def _adapter_row(adapter: Adapter, encoders: list[EncoderFile]) -> str:
    encoder = first_suitable(adapter, encoders)
    kind = adapter_text(adapter, has_encoder=encoder is not None)
    return _row(adapter.path, adapter.path.name, kind, encoder.path.name if encoder else "")


def _row(file: Path, name: str, kind: str, encoder: str = "") -> str:
    # What varies is apart, so that the host can translate what does not.
    cells = f"<td>{size_text(file.stat().st_size)}</td><td>{escape(kind)} <span>{escape(encoder)}</span></td>"
    return f"<tr title='{escape(str(file), quote=True)}'><th>{escape(name)}</th>{cells}</tr>"
