"""The status line above the tabs: what a styled picture needs, what is missing, and what to do next."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from lib_instantstyle.models.preflight import Check, Verdict, checks, next_step
from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.webui.jobs.readiness import Readiness
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic

LOOKED_AT = ("masks", *(name for name, control in controls().items() if not control.pictures))
_TYPED = ("content", "blocks")  # looked at when they are left, not at each letter
_MARKS = {Verdict.READY: "✓", Verdict.MISSING: "✗", Verdict.UNKNOWN: "…", Verdict.OPTIONAL: "○"}


class StatusLine(Section):
    """The line above the tabs, which shows what ``readiness`` finds."""

    def __init__(self, fields: Fields, readiness: Readiness, take_problem: Callable[[], str]) -> None:
        super().__init__(fields)
        self._take_problem = take_problem
        self._readiness = readiness
        self._line = gr.HTML(elem_id=fields.elem_id("preflight"), elem_classes="instantstyle-preflight")
        # The page's script counts the pictures, so that they need not travel for this.
        self._count = fields.extra(gr.Textbox, "pictures", visible=False)
        self._why = fields.extra(gr.Button, "problem", "", visible=False)

    def connect(self) -> None:
        """Check again whenever something changes that the line depends on."""
        fields = self._fields
        told = f"await instantstylePictures('{fields.elem_id('image')}')"
        look = {
            "fn": self.drawn,
            "inputs": [self._count, *map(fields.__getitem__, LOOKED_AT)],
            "outputs": [self._line],
            "show_progress": False,
            **js(f"async (_, ...rest) => [{told}, ...rest]"),
        }
        changed = [fields[name].change for name in ("image", *LOOKED_AT) if name not in (*_TYPED, "masks")]
        typed = [fields[name].blur for name in _TYPED]
        tabs = [tab.select for tab in fields.tabs.values()]
        for event in (*changed, *typed, *tabs):
            event(**look)
        for topic in (Topic.REFERENCES, Topic.REGIONS):
            fields.topics.listen(topic, **look)
        self._why.click(self._tell_why, show_progress=False)

    def _tell_why(self) -> None:
        """Show why the last job was stopped; the page's script asks when the host shows an error."""
        if problem := self._take_problem():
            raise gr.Error(problem)

    def drawn(self, pictures: str, *given: Any) -> str:
        """Return the line for a number of references, and the values of the controls `LOOKED_AT`."""
        values = dict(zip(LOOKED_AT, given, strict=True))
        references = int(pictures or 0)
        used = values if values["enabled"] else {}
        found = checks(self._readiness.facts(values, lambda: StyleParams(**used), references))
        lines = "".join(_line(check) for check in found)
        return f"<ul>{lines}</ul><p role='status'>{escape(next_step(found, enabled=values['enabled']))}</p>"


def _line(check: Check) -> str:
    hint = escape(f"{check.name}: {check.text}. {check.todo}".strip(), quote=True)
    mark = f"<span aria-label='{check.verdict.value}'>{_MARKS[check.verdict]}</span>"
    return (
        f"<li class='instantstyle-{check.verdict.value}' title=\"{hint}\">{mark} <span>{escape(check.name)}</span></li>"
    )
