"""The accordion: one class for both tabs. The first screen is short; each further tab holds one subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_instantstyle import NAME
from lib_instantstyle.webui import infotext
from lib_instantstyle.webui.page.blocks import BlocksTab
from lib_instantstyle.webui.page.content import ContentTab
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.models import ModelsTab
from lib_instantstyle.webui.page.references import References
from lib_instantstyle.webui.page.regions import Regions
from lib_instantstyle.webui.page.shelf import Shelf
from lib_instantstyle.webui.page.start import Start
from lib_instantstyle.webui.page.status import Status
from lib_instantstyle.webui.page.timing import Timing

if TYPE_CHECKING:
    from collections.abc import Callable


class Accordion:
    """Builds the components.

    Args:
        elem_id: Makes an element id of a field's name, distinct in each tab.
        is_img2img: Which of the two tabs it is for.
    """

    def __init__(self, elem_id: Callable[[str], str], *, is_img2img: bool) -> None:
        self._fields = Fields(elem_id)
        self._is_img2img = is_img2img

    def build(self) -> list[Any]:
        """Lay the accordion out and return its components in the order of the positional API."""
        from modules.ui_components import InputAccordion

        fields = self._fields
        with InputAccordion(False, label=NAME, elem_id=fields.elem_id("enabled")) as accordion:
            fields["enabled"] = accordion
            status = Status(fields)
            with gr.Tabs(elem_id=fields.elem_id("tabs"), elem_classes="instantstyle-tabs"):
                sections = [self._tab(label, make) for label, make in self._sections()]
        for section in (*sections, status):
            section.connect()
        return fields.in_order()

    def _sections(self) -> list[tuple[str, Callable[[Fields], Any]]]:
        tab = "img2img" if self._is_img2img else "txt2img"
        return [
            ("Style", lambda fields: Start(fields, tab)),
            ("References", References),
            ("Content", ContentTab),
            ("Timing", lambda fields: Timing(fields, has_hires=not self._is_img2img)),
            ("Regions", lambda fields: Regions(fields, tab)),
            ("Blocks", BlocksTab),
            ("Library", Shelf),
            ("Models", ModelsTab),
        ]

    def _tab(self, label: str, make: Callable[[Fields], Any]) -> Any:
        with gr.Tab(label) as tab:
            self._fields.tabs[label] = tab
            return make(self._fields)

    def infotext_fields(self) -> list[tuple[Any, Any]]:
        """Return what pasting fills. The accordion opens by a function, since its key is the version's."""
        named = [(component, infotext.key_of(name)) for name, component in self._fields.named().items()]
        return [(self._fields["enabled"], infotext.is_enabled), *named]

    def paste_names(self) -> list[str]:
        """Return the names by which "Send to img2img" carries values over, pictures included."""
        return [infotext.key_of(name) for name in self._fields.named()]
