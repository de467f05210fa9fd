"""The tab Models: which adapters and image encoders were found, what each can do, and a way to get some."""

from __future__ import annotations

from html import escape
from pathlib import Path

import gradio as gr

from lib_instantstyle.fetch.catalogue import size_text
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.models.descriptions import adapter_text, encoder_kind
from lib_instantstyle.models.encoder_file import EncoderFile, first_suitable
from lib_instantstyle.models.model_files import ModelFiles
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.tabs.fetch_panel import FetchPanel
from lib_instantstyle.webui.setup.fetching import ModelFetching
from lib_instantstyle.webui.setup.folders import search_folders


class ModelsTab(Section):
    """The tab Models: ``models`` on disk, and ``fetching`` for more."""

    def __init__(self, fields: Fields, models: ModelFiles, fetching: ModelFetching) -> None:
        super().__init__(fields)
        self._models = models
        table = gr.HTML(elem_id=fields.elem_id("found"), elem_classes="instantstyle-found")
        self._panel = FetchPanel(fields, fetching, table, self._table)

    def connect(self) -> None:
        """Connect the panel."""
        self._panel.connect()

    def _table(self) -> str:
        encoders = self._models.encoders()
        rows = [_adapter_row(adapter, encoders) for adapter in self._models.adapters()]
        rows += [
            _row(encoder.weights, encoder.path.name, f"Image encoder {encoder_kind(encoder)}") for encoder in encoders
        ]
        searched = "".join(f"<li>{escape(str(folder))}</li>" for folder in search_folders().searched)
        return (
            f"<table>{''.join(rows) or '<tr><td>No adapter and no image encoder was found.</td></tr>'}</table>"
            f"<details><summary>Folders that are searched</summary><ul>{searched}</ul></details>"
        )


def _adapter_row(adapter: Adapter, encoders: list[EncoderFile]) -> str:
    encoder = first_suitable(adapter, encoders)
    kind = adapter_text(adapter, has_encoder=encoder is not None)
    return _row(adapter.path, adapter.path.name, kind, encoder.path.name if encoder else "")


def _row(file: Path, name: str, kind: str, encoder: str = "") -> str:
    # Variable parts in tags of their own, so that the host can translate the rest.
    cells = f"<td>{size_text(file.stat().st_size)}</td><td>{escape(kind)} <span>{escape(encoder)}</span></td>"
    return f"<tr title='{escape(str(file), quote=True)}'><th>{escape(name)}</th>{cells}</tr>"
