"""The accordion in txt2img and img2img. Its first screen is short; each further tab holds one subject."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_instantstyle import NAME
from lib_instantstyle.webui.extension import Extension
from lib_instantstyle.webui.jobs import infotext
from lib_instantstyle.webui.page.effects import PictureEffects
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.section import Section
from lib_instantstyle.webui.page.status import StatusLine
from lib_instantstyle.webui.page.tabs.blocks_tab import BlocksTab
from lib_instantstyle.webui.page.tabs.content_tab import ContentTab
from lib_instantstyle.webui.page.tabs.library_tab import LibraryTab
from lib_instantstyle.webui.page.tabs.models_tab import ModelsTab
from lib_instantstyle.webui.page.tabs.references_tab import ReferencesTab
from lib_instantstyle.webui.page.tabs.regions_tab import RegionsTab
from lib_instantstyle.webui.page.tabs.self_attention_tab import SelfAttentionTab
from lib_instantstyle.webui.page.tabs.style_tab import StyleTab
from lib_instantstyle.webui.page.tabs.timing_tab import TimingTab

Make = Callable[[Fields], Section]


class Accordion:
    """Builds the components; ``elem_id`` makes a field's name into an element id of its own in each tab."""

    def __init__(self, extension: Extension, elem_id: Callable[[str], str], *, is_img2img: bool) -> None:
        self._extension = extension
        self._fields = Fields(elem_id)
        self._is_img2img = is_img2img
        self._tab_name = "img2img" if is_img2img else "txt2img"

    def build(self) -> list[Any]:
        """Lay the accordion out and return its components in the order of the positional API."""
        from modules.ui_components import InputAccordion

        fields = self._fields
        with InputAccordion(False, label=NAME, elem_id=fields.elem_id("enabled")) as accordion:
            fields["enabled"] = accordion
            ours = self._extension
            status = StatusLine(fields, ours.readiness, ours.generation.errors.take_problem, self._tab_name)
            with gr.Tabs(elem_id=fields.elem_id("tabs"), elem_classes="instantstyle-tabs"):
                tabs = [self._tab(label, make) for label, make in self._tabs()]
        sections: list[Section] = [*tabs, PictureEffects(fields), status]
        for section in sections:
            section.publish()
        for section in sections:
            section.connect()
        return fields.in_order()

    def _tabs(self) -> list[tuple[str, Make]]:
        ours, tab = self._extension, self._tab_name
        return [
            ("Style", lambda fields: StyleTab(fields, ours.models, tab)),
            ("References", lambda fields: ReferencesTab(fields, ours.library, tab)),
            ("Content", lambda fields: ContentTab(fields, ours.builder)),
            ("Timing", lambda fields: TimingTab(fields, has_hires=not self._is_img2img)),
            ("Regions", lambda fields: RegionsTab(fields, tab)),
            ("Blocks", lambda fields: BlocksTab(fields, ours.host)),
            ("No adapter", lambda fields: SelfAttentionTab(fields, ours.host)),
            ("Library", lambda fields: LibraryTab(fields, ours.builder)),
            ("Models", lambda fields: ModelsTab(fields, ours.fetching)),
        ]

    def _tab(self, label: str, make: Make) -> Section:
        with gr.Tab(label) as tab:
            self._fields.tabs[label] = tab
            return make(self._fields)

    def infotext_fields(self) -> list[tuple[Any, Any]]:
        """Return the components that pasting fills, with their keys; the accordion has a function in place of one."""
        named = [(component, infotext.key_of(name)) for name, component in self._fields.named().items()]
        return [(self._fields["enabled"], infotext.is_enabled), *named]

    def paste_names(self) -> list[str]:
        """Return the keys by which "Send to img2img" carries values over, pictures included."""
        return [infotext.key_of(name) for name in self._fields.named()]
