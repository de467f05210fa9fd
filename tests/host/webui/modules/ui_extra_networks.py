"""Tabs of cards beside Generation: one for each page that an extension registers."""

from __future__ import annotations

import functools
import json
import os
import urllib.parse
from pathlib import Path
from typing import Any

import gradio as gr

from modules import extra_networks, shared, util
from modules.flavour import flavour
from modules.ui_extra_networks_cards import card_view_html, item_html, quote_js

__all__ = ["ExtraNetworksPage", "create_ui", "extra_pages", "quote_js", "register_page"]

extra_pages: list[ExtraNetworksPage] = []
allowed_dirs: set[str] = set()
default_allowed_preview_extensions = ["png", "jpg", "jpeg", "webp", "gif"]


def allowed_preview_extensions() -> set[str]:
    return {*default_allowed_preview_extensions, shared.opts.samples_format}


def initialize() -> None:
    """Forget all pages: at the start and on Reload UI, after the scripts were loaded."""
    extra_pages.clear()


def register_page(page: ExtraNetworksPage) -> None:
    """Add a tab. Its folders are the ones whose pictures the page may show."""
    extra_pages.append(page)
    allowed_dirs.clear()
    allowed_dirs.update(folder for known in extra_pages for folder in known.allowed_directories_for_previews())


class ExtraNetworksPage:
    """Base of a tab of cards. Subclasses list the items; each is a dict."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.name = title.lower()
        self.extra_networks_tabname = self.name.replace(" ", "_")
        self.allow_prompt = True
        self.allow_negative_prompt = False
        self.metadata: dict[str, dict] = {}
        self.items: dict[str, dict] = {}
        self.lister = util.MassFileLister()
        self.pane_tpl = shared.html("extra-networks-pane.html")
        self.pane_content_dirs_tpl = shared.html("extra-networks-pane-dirs.html")
        self.card_tpl = shared.html("extra-networks-card.html")

    def refresh(self) -> None:
        """Look for new files; called by the button, before the cards are made again."""

    def list_items(self) -> Any:
        raise NotImplementedError

    def create_item(self, name: str, index: int | None = None) -> dict:
        raise NotImplementedError

    def allowed_directories_for_previews(self) -> list[str]:
        return []

    def read_user_metadata(self, item: dict, use_cache: bool = True) -> None:
        """Set ``user_metadata``; a description in it replaces the item's."""
        metadata = extra_networks.get_user_metadata(item.get("filename"), self.lister if use_cache else None)
        if metadata.get("description") is not None:
            item["description"] = metadata["description"]
        item["user_metadata"] = metadata

    def link_preview(self, filename: str) -> str:
        quoted = urllib.parse.quote(filename.replace("\\", "/"))
        return f"./sd_extra_networks/thumb?filename={quoted}&mtime={self.lister.mctime(filename)[0]}"

    def search_terms_from_path(self, filename: str, possible_directories: list[str] | None = None) -> str:
        """Return the path from the folder above the page's folders."""
        folders = self.allowed_directories_for_previews() if possible_directories is None else possible_directories
        path = os.path.abspath(filename)  # noqa: PTH100  links stay links, as in the host
        above = (os.path.dirname(os.path.abspath(folder)) for folder in folders)  # noqa: PTH100, PTH120
        start = next((folder for folder in above if path.startswith(folder)), None)
        return "" if start is None else os.path.relpath(path, start)

    def get_sort_keys(self, path: str) -> dict[str, Any]:
        """Return the keys by which cards can be sorted. The host takes the two dates for each other."""
        modified, created = self.lister.mctime(path)
        return {
            "date_created": int(modified),
            "date_modified": int(created),
            "name": Path(path).name.lower(),
            "path": str(Path(path)).lower(),
        }

    def find_preview(self, path: str) -> str | None:
        """Return the address of the picture beside ``path``, which has no extension."""
        names = [f"{path}{infix}.{ext}" for ext in allowed_preview_extensions() for infix in ("", ".preview")]
        return next((self.link_preview(name) for name in names if self.lister.exists(name)), None)

    def find_embedded_preview(self, path: str, name: str, metadata: dict) -> str | None:
        """Return the address of a picture in the metadata of a ``.safetensors`` file."""
        if not self.lister.exists(f"{path}.safetensors") or "ssmd_cover_images" not in metadata:
            return None
        if not any(json.loads(metadata["ssmd_cover_images"])):
            return None
        return f"./sd_extra_networks/cover-images?page={self.extra_networks_tabname}&item={name}"

    def find_description(self, path: str) -> str | None:
        """Return the text beside ``path``, which has no extension."""
        for file in (f"{path}.txt", f"{path}.description.txt"):
            if self.lister.exists(file):
                try:
                    return Path(file).read_text(encoding="utf-8", errors="replace")
                except OSError:
                    continue
        return None

    def create_item_html(self, tabname: str, item: dict, template: str | None = None) -> Any:
        return item_html(self, tabname, item, template)

    def create_html(self, tabname: str, *, empty: bool = False) -> str:
        """List the items and return the pane with their cards. Without ``user_metadata`` an item's is read."""
        self.lister.reset()
        items = [] if empty else self.list_items()
        self.items = {item["name"]: item for item in items}
        self.metadata = {name: item["metadata"] for name, item in self.items.items() if item.get("metadata")}
        for item in self.items.values():
            if "user_metadata" not in item:
                self.read_user_metadata(item)
        names = {"tabname": tabname, "extra_networks_tabname": self.extra_networks_tabname}
        cards = card_view_html(self, tabname, none_message="Loading..." if empty else None)
        content = self.pane_content_dirs_tpl.format(**names, items_html=cards)
        return self.pane_tpl.format(**names, pane_content=content)


if not flavour.embedded_previews:
    del ExtraNetworksPage.find_embedded_preview


def pages_in_preferred_order(pages: list[ExtraNetworksPage]) -> list[ExtraNetworksPage]:
    order = [name.strip() for name in shared.opts.ui_extra_networks_tab_reorder.lower().split(",")]

    def place(page: ExtraNetworksPage) -> int:
        return next((i for i, name in enumerate(order) if name in page.name), len(pages))

    return sorted(pages, key=place)


def create_ui(interface: gr.Blocks, unrelated_tabs: list[Any], tabname: str) -> None:
    """Build the pages' tabs. Cards are listed when the page is opened in a browser, and by Refresh."""
    pages = pages_in_preferred_order(extra_pages)
    panes, tabs = [], []
    for page in pages:
        full = f"{tabname}_{page.extra_networks_tabname}"
        with gr.Tab(page.title, elem_id=full, elem_classes=["extra-page"]) as tab:
            panes.append(gr.HTML(page.create_html(tabname, empty=True), elem_id=f"{full}_cards_html"))
        tabs.append(tab)
    shown: list[str] = []

    def make() -> list[str]:
        shown[:] = [page.create_html(tabname) for page in pages]
        return shown

    def refresh() -> list[str]:
        for page in pages:
            page.refresh()
        return make()

    for tab in unrelated_tabs:
        tab.select(fn=None, _js=f"() => extraNetworksShowControls('{tabname}', null)", show_progress=False)
    for page, tab in zip(pages, tabs, strict=True):
        full = f"{tabname}_{page.extra_networks_tabname}"
        tab.select(fn=None, _js=f"() => extraNetworksShowControls('{tabname}', '{full}')", show_progress=False)
        button = gr.Button("Refresh", elem_id=f"{full}_extra_refresh_internal", visible=False)
        answer = button.click(fn=_one_or_all(refresh), inputs=[], outputs=panes)
        answer.then(fn=None, _js=f"() => applyExtraNetworkFilter('{full}')")
    if pages:
        interface.load(fn=_one_or_all(lambda: shown or make()), inputs=[], outputs=panes)


def _one_or_all(function: Any) -> Any:
    """Let gradio take a list of one as the value of one output."""

    @functools.wraps(function)
    def answer() -> Any:
        values = list(function())
        return values if len(values) > 1 else values[0]

    return answer
