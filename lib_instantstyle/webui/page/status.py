"""The status line above the tabs: what a styled picture needs, what is missing, and what to do next."""

from __future__ import annotations

from html import escape

import gradio as gr

from lib_instantstyle.models.preflight import Check, Verdict, checks, next_step
from lib_instantstyle.webui.page.compat import js
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic
from lib_instantstyle.webui.setup.readiness import Readiness

_MARKS = {Verdict.READY: "✓", Verdict.MISSING: "✗", Verdict.UNKNOWN: "…", Verdict.OPTIONAL: "○"}


class StatusLine(Section):
    """The line above the tabs, which shows what ``readiness`` finds."""

    def __init__(self, fields: Fields, readiness: Readiness) -> None:
        super().__init__(fields)
        self._readiness = readiness
        self._line = gr.HTML(elem_id=fields.elem_id("preflight"), elem_classes="instantstyle-preflight")
        # The page's script counts the pictures, so that they need not travel for this.
        self._count = fields.extra(gr.Textbox, "pictures", visible=False)

    def connect(self) -> None:
        """Check again whenever something changes that the line depends on."""
        fields = self._fields
        look = {
            "fn": self._drawn,
            "inputs": [self._count, *map(fields.__getitem__, ("enabled", "adapter", "reference", "style", "content"))],
            "outputs": [self._line],
            "show_progress": False,
            **js(f"async (_, ...rest) => [await instantstylePictures('{fields.elem_id('image')}'), ...rest]"),
        }
        changed = [fields[name].change for name in ("enabled", "image", "adapter", "reference", "style")]
        tabs = [tab.select for tab in fields.tabs.values()]
        for event in (*changed, *tabs, fields["content"].blur):
            event(**look)
        fields.topics.listen(Topic.REFERENCES, **look)

    def _drawn(self, pictures: str, enabled: bool, adapter: str, reference: str, style: str, content: str) -> str:
        references = int(pictures or 0) or int(bool(reference))
        found = checks(self._readiness.facts(adapter, references, style or "", content))
        lines = "".join(_line(check) for check in found)
        return f"<ul>{lines}</ul><p role='status'>{escape(next_step(found, enabled=enabled))}</p>"


def _line(check: Check) -> str:
    hint = escape(f"{check.name}: {check.text}. {check.todo}".strip(), quote=True)
    mark = f"<span aria-label='{check.verdict.value}'>{_MARKS[check.verdict]}</span>"
    return (
        f"<li class='instantstyle-{check.verdict.value}' title=\"{hint}\">{mark} <span>{escape(check.name)}</span></li>"
    )
