"""The tab Models: which adapters and image encoders were found, what each can do, and a way to get some."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import gradio as gr

from lib_instantstyle.fetch.catalogue import size_text
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.models.descriptions import adapter_text, encoder_kind
from lib_instantstyle.models.encoder_file import EncoderFile, first_suitable
from lib_instantstyle.models.found_models import FoundModels
from lib_instantstyle.models.search import Problem
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.tabs.fetch_panel import FetchPanel
from lib_instantstyle.webui.setup.fetching import ModelFetching

_MOST_LINES = 100  # of files that cannot be used


class ModelsTab(Section):
    """The tab Models: what is on disk, and ``fetching`` for more."""

    def __init__(self, fields: Fields, fetching: ModelFetching) -> None:
        super().__init__(fields)
        table = gr.HTML(elem_id=fields.elem_id("found"), elem_classes="instantstyle-found")
        self._panel = FetchPanel(fields, fetching, table, _table)

    def connect(self) -> None:
        """Connect the panel."""
        self._panel.connect()


def _table(found: FoundModels) -> str:
    rows = [_adapter_row(adapter, found.encoders) for adapter in found.adapters]
    rows += [
        _row(encoder.weights, encoder.bytes, encoder.path.name, f"Image encoder {encoder_kind(encoder)}")
        for encoder in found.encoders
    ]
    return (
        f"<table>{''.join(rows) or '<tr><td>No adapter and no image encoder was found.</td></tr>'}</table>"
        f"{_folders(found)}{_refused(found.refused)}"
    )


def _folders(found: FoundModels) -> str:
    """List the folders; those that could not be searched with the reason, which opens the list."""
    searched = {str(folder): found.reason(folder) for folder in found.folders.searched}
    lines = [*searched.items(), *(problem for problem in found.unsearched if problem.path not in searched)]
    opening = "<details open>" if found.unsearched else "<details>"
    return f"{opening}<summary>Folders that are searched</summary><ul>{_lines(lines)}</ul></details>"


def _refused(problems: Sequence[Problem]) -> str:
    if not problems:
        return ""
    more = f"<li>… {len(problems)}</li>" if len(problems) > _MOST_LINES else ""
    lines = _lines(problems[:_MOST_LINES])
    return f"<details><summary>Files that cannot be used</summary><ul>{lines}{more}</ul></details>"


def _lines(problems: Iterable[tuple[str, str]]) -> str:
    return "".join(f"<li>{escape(path)}{f': {escape(reason)}' if reason else ''}</li>" for path, reason in problems)


def _adapter_row(adapter: Adapter, encoders: Sequence[EncoderFile]) -> str:
    encoder = first_suitable(adapter, encoders)
    kind = adapter_text(adapter, has_encoder=encoder is not None)
    return _row(adapter.path, adapter.bytes, adapter.path.name, kind, encoder.path.name if encoder else "")


def _row(file: Path, size: int, name: str, kind: str, encoder: str = "") -> str:
    # Variable parts in tags of their own, so that the host can translate the rest.
    cells = f"<td>{size_text(size)}</td><td>{escape(kind)} <span>{escape(encoder)}</span></td>"
    return f"<tr title='{escape(str(file), quote=True)}'><th>{escape(name)}</th>{cells}</tr>"
