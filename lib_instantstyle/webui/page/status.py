"""The status line above the tabs: what a styled picture needs, what is missing, and what to do next."""

from __future__ import annotations

import functools
from collections.abc import Callable
from html import escape
from typing import Any

import gradio as gr

from lib_instantstyle import NAME
from lib_instantstyle.errors import InstantStyleError
from lib_instantstyle.models.preflight import Check, Verdict, checks, next_step
from lib_instantstyle.params.self_attention import Method
from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.pictures.decoding import is_empty, load_picture
from lib_instantstyle.webui.jobs.readiness import Around, Readiness
from lib_instantstyle.webui.page.fields import Fields, host_component
from lib_instantstyle.webui.page.press import Press
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.topics import Topic
from lib_instantstyle.webui.page.wording import in_page_words
from lib_instantstyle.webui.styles.requirements import GivenPictures

BOXES = {
    "image": "style reference 1",
    "layout_image": "layout picture",
    "negative_image": "negative picture",
    "subject_image": "subject picture",
}
LOOKED_AT = ("images", "masks", *(name for name, control in controls().items() if not control.pictures))
_TYPED = ("content", "blocks")  # looked at when they are left, not at each letter
_MARKS = {
    Verdict.READY: "✓",
    Verdict.MISSING: "✗",
    Verdict.UNKNOWN: "…",
    Verdict.OPTIONAL: "○",
    Verdict.IDLE: "!",
}
_GIVEN = "given"
_TAGS_IN = f"(prompt) => (prompt.match(/<{NAME}:[^>]*>/gi) ?? []).join('')"


class StatusLine(Section):
    """The line above the tabs of the accordion in ``tab``, which shows what ``readiness`` finds."""

    def __init__(self, fields: Fields, readiness: Readiness, take_problem: Callable[[], str], tab: str) -> None:
        super().__init__(fields)
        self._take_problem = take_problem
        self._readiness = readiness
        self._tab = tab
        self._line = gr.HTML(elem_id=fields.elem_id("preflight"), elem_classes="instantstyle-preflight")
        # What is known of each box, so that its picture travels when it changes and at no other time.
        fields.known |= {name: fields.extra(gr.Textbox, f"{name}_known", visible=False) for name in BOXES}
        self._open = {name: Press(fields, f"{name}_look") for name in BOXES}
        self._look = Press(fields, "look")
        self._why = fields.extra(gr.Button, "problem", "", visible=False)
        without = {"visible": False}
        self._prompt = host_component(f"{tab}_prompt") or fields.extra(gr.Textbox, "prompt", **without)
        self._cfg = host_component(f"{tab}_cfg_scale") or fields.extra(gr.Number, "cfg_scale", **without)
        self._offer = fields.extra(gr.Button, "offer", "Style without an adapter", visible=False, size="sm")

    def connect(self) -> None:
        """Check again whenever something changes that the line depends on."""
        fields, look = self._fields, self._look.soon
        inputs = [*fields.known.values(), *map(fields.__getitem__, LOOKED_AT), self._prompt, self._cfg]
        self._look.connect(self.looked, inputs, [self._line, self._offer])
        self._offer.click(lambda: Method.NO_ADAPTER.value, outputs=[fields["method"]], show_progress=False)
        for name, opened in self._open.items():
            known, box = functools.partial(look_into, name), fields[name]
            opened.connect(known, [fields["enabled"], box], [fields.known[name]]).then(**look)
            for event in (box.change, fields["enabled"].change):
                event(**opened.soon)
        others = [name for name in LOOKED_AT if name not in ("images", "masks")]
        changed = [fields[name].change for name in others if name not in _TYPED]
        typed = [fields[name].blur for name in _TYPED]
        tabs = [tab.select for tab in fields.tabs.values()]
        for event in (*changed, *typed, *tabs, self._cfg.change):
            event(**look)
        self._prompt.change(inputs=[self._prompt], **self._look.when_other(_TAGS_IN))
        for topic in (Topic.REFERENCES, Topic.REGIONS):
            fields.topics.listen(topic, **look)
        self._why.click(self._tell_why, outputs=[self._line], show_progress=False)

    def _tell_why(self) -> Any:
        """Show why the last job was stopped; the page's script asks when the host shows an error."""
        problem = in_page_words(self._take_problem())
        if not problem:
            return gr.update()
        gr.Warning(problem)
        return f"<p role='status' class='instantstyle-warning'>{escape(problem)}</p>"

    def looked(self, *given: Any) -> tuple[str, Any]:
        """Return the line, and whether to offer styling without an adapter, where only that is missing."""
        found, enabled = self.checks(*given)
        lacks = any(check.name == "Adapter" and check.verdict is Verdict.MISSING for check in found)
        return _drawn(found, enabled=enabled), gr.update(visible=enabled and lacks)

    def checks(self, *given: Any) -> tuple[tuple[Check, ...], bool]:
        """Return the checks for what is known of each of `BOXES`, the values of `LOOKED_AT`, prompt and CFG; if on."""
        *given_ours, prompt, cfg = given
        known = dict(zip(BOXES, given_ours[: len(BOXES)], strict=True))
        values = dict(zip(LOOKED_AT, given_ours[len(BOXES) :], strict=True))
        references = bool(known["image"]) + len(values.pop("images"))
        roles = {name.removesuffix("_image") for name, state in known.items() if state and name != "image"}
        problem = next((state for state in known.values() if state not in ("", _GIVEN)), "")
        used = values if values["enabled"] else {}
        pictures = GivenPictures(references, frozenset(roles), self._tab == "img2img", problem if used else "")
        around = Around(prompt or "", cfg is None or cfg > 1.0)
        return checks(self._readiness.facts(values, lambda: StyleParams(**used), pictures, around)), values["enabled"]


def look_into(name: str, enabled: bool, picture: Any) -> str:
    """Return what the line keeps of the box ``name``: nothing, that it is filled, or why its picture cannot be used."""
    if is_empty(picture):
        return ""
    try:
        if enabled:  # off, nothing is opened
            load_picture(picture, name=BOXES[name])
    except InstantStyleError as error:
        return str(error)
    return _GIVEN


def _drawn(found: tuple[Check, ...], *, enabled: bool) -> str:
    lines = "".join(_line(check) for check in found)
    step = in_page_words(next_step(found, enabled=enabled))
    return f"<ul>{lines}</ul><p role='status'>{escape(step)}</p>"


def _line(check: Check) -> str:
    hint = escape(f"{check.name}: {check.text}. {check.todo}".strip(), quote=True)
    mark = f"<span aria-label='{check.verdict.value}'>{_MARKS[check.verdict]}</span>"
    return (
        f"<li class='instantstyle-{check.verdict.value}' title=\"{hint}\">{mark} <span>{escape(check.name)}</span></li>"
    )
