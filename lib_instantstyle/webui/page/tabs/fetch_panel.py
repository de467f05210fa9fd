"""Getting models from the page: what would be fetched and how large it is, then how far it is."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from html import escape

import gradio as gr

from lib_instantstyle.fetch.catalogue import ModelSet, catalogue
from lib_instantstyle.fetch.fetcher import Progress, State
from lib_instantstyle.fetch.sizes import size_text
from lib_instantstyle.webui.page.fields import Fields, showing_errors
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.setup.fetching import ModelFetching
from lib_instantstyle.webui.setup.folders import download_folder


class FetchPanel(Section):
    """Choice of a set, the buttons and the progress.

    Args:
        fields: Of the tab.
        fetching: What is fetched now, and what could be.
        table: Shows what was found.
        found: Returns what ``table`` shows.
    """

    def __init__(self, fields: Fields, fetching: ModelFetching, table: gr.HTML, found: Callable[[], str]) -> None:
        super().__init__(fields)
        self._fetching = fetching
        self._table = table
        self._found = found
        labels = [entry.text for entry in catalogue().sets]
        self._set = gr.Radio(labels, value=labels[0], label="Models to get", elem_id=fields.elem_id("fetch_set"))
        self._set.do_not_save_to_config = True
        with gr.Row():
            self._get = gr.Button("Get models", variant="primary", elem_id=fields.elem_id("fetch"))
            self._cancel = gr.Button("Cancel", elem_id=fields.elem_id("fetch_cancel"))
            # The page's script presses it while something is fetched.
            self._poll = gr.Button("Look", visible=False, elem_id=fields.elem_id("fetch_poll"))
        self._status = gr.HTML(elem_id=fields.elem_id("fetch_status"), elem_classes="instantstyle-advice")

    def connect(self) -> None:
        """Let the buttons work, and bring the tab up to date whenever it is opened."""
        arguments = {"inputs": [self._set], "outputs": [self._table, self._status], "show_progress": False}
        self._get.click(showing_errors(self._started), **arguments)
        self._cancel.click(self._cancelled, **arguments)
        self._set.change(self._chosen, **arguments)
        for event in (self._poll.click, self._fields.tabs["Models"].select):
            event(self._current, **arguments)

    def _started(self, label: str) -> list[str]:
        self._fetching.start(_named(label).name)
        return self._current(label)

    def _cancelled(self, label: str) -> list[str]:
        self._fetching.cancel()
        return self._current(label)

    def _chosen(self, label: str) -> list[str]:
        running = self._fetching.progress.state is State.RUNNING
        return self._current(label) if running else [self._found(), self._announcement(_named(label))]

    def _current(self, label: str) -> list[str]:
        progress = self._fetching.progress
        incomplete = progress.message and self._fetching.missing(_named(label))
        reports = progress.state in (State.RUNNING, State.DONE) or incomplete
        return [self._found(), self._progress(progress) if reports else self._announcement(_named(label))]

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

    def _announcement(self, entry: ModelSet) -> str:
        absent = self._fetching.missing(entry)
        if not absent:
            return "<p>Nothing is missing from this set.</p>"
        names = ", ".join(f"{file.target} ({size_text(file.bytes)})" if file.bytes else file.target for file in absent)
        folder = download_folder()
        disk = next(place for place in (folder, *folder.parents) if place.is_dir())
        room = size_text(shutil.disk_usage(disk).free)
        return (  # what varies is apart, so that the host can translate what does not
            f"<p>Missing: <span>{escape(names)}</span>. Goes into <span>{escape(str(folder))}</span>, where "
            f"<span>{room}</span> are free.</p>"
        )


def _linked(step: str) -> str:
    """Make the address that ``step`` begins with one to click on."""
    address, rest = escape(step, quote=True).split(" ", 1)
    return f"<a href='{address}' target='_blank' rel='noopener'>{address}</a> {rest}"


def _named(label: str) -> ModelSet:
    return next(entry for entry in catalogue().sets if entry.text == label)
