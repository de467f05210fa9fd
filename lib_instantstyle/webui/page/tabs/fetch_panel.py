"""Getting models from the page: what a set would fetch and its size, then the progress."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from html import escape
from pathlib import Path

import gradio as gr

from lib_instantstyle.fetch.catalogue import ModelSet, catalogue, size_text
from lib_instantstyle.fetch.fetcher import Progress, State
from lib_instantstyle.models.found_models import FoundModels
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.setup.fetching import ModelFetching, missing
from lib_instantstyle.webui.setup.folders import download_folder


class FetchPanel(Section):
    """Choice of a set, the buttons and the progress; ``found`` draws the files on disk for ``table``."""

    def __init__(
        self, fields: Fields, fetching: ModelFetching, table: gr.HTML, found: Callable[[FoundModels], str]
    ) -> None:
        super().__init__(fields)
        self._fetching = fetching
        self._table = table
        self._found = found
        labels = [entry.text for entry in catalogue().sets]
        self._set = fields.extra(gr.Radio, "fetch_set", labels, value=labels[0], label="Models to get")
        with gr.Row():
            self._get = fields.extra(gr.Button, "fetch", "Get models", variant="primary")
            self._cancel = fields.extra(gr.Button, "fetch_cancel", "Cancel")
            # The page's script presses it during a download.
            self._poll = fields.extra(gr.Button, "fetch_poll", "", visible=False)
        self._status = gr.HTML(elem_id=fields.elem_id("fetch_status"), elem_classes="instantstyle-advice")

    def connect(self) -> None:
        """Connect the buttons, and refresh the tab whenever it is opened."""
        arguments = {"inputs": [self._set], "outputs": [self._table, self._status], "show_progress": False}
        self._get.click(showing_errors(self._started), **arguments)
        self._cancel.click(self._cancelled, **arguments)
        self._set.change(self._chosen, **arguments)
        for event in (self._poll.click, self._fields.tabs["Models"].select):
            event(self._current, **arguments)

    def _started(self, label: str) -> list[str]:
        found = self._fetching.look()
        self._fetching.start(_named(label).name, found)
        return self._shown(label, found)

    def _cancelled(self, label: str) -> list[str]:
        self._fetching.stop()
        return self._current(label)

    def _chosen(self, label: str) -> list[str]:
        found = self._fetching.look()
        running = self._fetching.progress.state is State.RUNNING
        return self._shown(label, found) if running else [self._found(found), _announcement(_named(label), found)]

    def _current(self, label: str) -> list[str]:
        return self._shown(label, self._fetching.look())

    def _shown(self, label: str, found: FoundModels) -> list[str]:
        progress = self._fetching.progress
        incomplete = progress.message and missing(_named(label), found)
        reports = progress.state in (State.RUNNING, State.DONE) or incomplete
        return [self._found(found), self._progress(progress) if reports else _announcement(_named(label), found)]

    def _progress(self, progress: Progress) -> str:
        if progress.state is not State.RUNNING:
            steps = "".join(f"<li>{_linked(step)}</li>" for step in progress.by_hand)
            by_hand = f"<p>By hand, file by file:</p><ul>{steps}</ul>" if steps else ""
            return f"<p role='status'>{escape(progress.label)}: {escape(progress.message)}</p>{by_hand}"
        far = f"{escape(progress.file) or 'Beginning'}: {size_text(progress.received)} of {size_text(progress.total)}"
        poll = self._fields.elem_id("fetch_poll")
        return (
            f"<div class='instantstyle-fetching' data-poll='{poll}'><progress aria-label='Models fetched' "
            f"max='{progress.total}' value='{progress.received}'></progress> {far}. {progress.message}</div>"
        )


def _announcement(entry: ModelSet, found: FoundModels) -> str:
    absent = missing(entry, found)
    if not absent:
        return "<p>Nothing is missing from this set.</p>"
    names = ", ".join(f"{file.target} ({size_text(file.bytes)})" if file.bytes else file.target for file in absent)
    what, where, room = escape(names), escape(str(download_folder())), _room(download_folder())
    # variable parts in tags of their own, so that the host can translate the rest
    if not room:
        return f"<p>Missing: <span>{what}</span>. Goes into <span>{where}</span>.</p>"
    return (
        f"<p>Missing: <span>{what}</span>. Goes into <span>{where}</span>, where <span>{size_text(room)}</span> are "
        "free.</p>"
    )


def _room(folder: Path) -> int:
    """Return the free bytes of the disk that ``folder`` lies on or would lie on, 0 if there is none."""
    for place in (folder, *folder.parents):
        if os.path.isdir(place):  # noqa: PTH112 (a Path would raise where it may not look)
            with contextlib.suppress(OSError):
                return shutil.disk_usage(place).free
    return 0


def _linked(step: str) -> str:
    """Make the address at the beginning of ``step`` a link."""
    address, rest = escape(step, quote=True).split(" ", 1)
    return f"<a href='{address}' target='_blank' rel='noopener'>{address}</a> {rest}"


def _named(label: str) -> ModelSet:
    return next(entry for entry in catalogue().sets if entry.text == label)
