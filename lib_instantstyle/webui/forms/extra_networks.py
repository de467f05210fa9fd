"""Saved styles as cards beside the prompt, and as ``<instantstyle:name:weight>`` in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.library.style_file import SUFFIX
from lib_instantstyle.library.style_index import StyleEntry
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.params.style_params import controls, default_of

_SHORT = 12  # characters of a SHA-256


def register(library: StyleLibrary) -> None:
    """Add our page of cards and our tag, before the host builds its page."""
    from modules import extra_networks, ui_extra_networks

    ui_extra_networks.register_page(_make_page(library))
    extra_networks.register_extra_network(_make_network())


def _make_network() -> Any:
    from modules import extra_networks

    class StyleNetwork(extra_networks.ExtraNetwork):  # type: ignore[misc]
        """Makes the tag known, so that the host takes it out of prompts. `Generation` reads it, picture by picture."""

        def __init__(self) -> None:
            super().__init__(NAME.lower())

        def activate(self, p: Any, params_list: list[Any]) -> None:
            """Do nothing: the host hands over only what the first prompt of a batch names."""

        def deactivate(self, p: Any) -> None:
            """Do nothing."""

    return StyleNetwork()


def _make_page(library: StyleLibrary) -> Any:
    from modules import ui_extra_networks

    cards = _Cards(library)

    class StylePage(ui_extra_networks.ExtraNetworksPage):  # type: ignore[misc]
        """One card for each saved style."""

        def __init__(self) -> None:
            super().__init__(NAME)

        def refresh(self) -> None:
            """Do nothing: each list of the cards sees what has changed."""

        def create_item(self, name: str, index: int | None = None, enable_filter: bool = True) -> dict[str, Any]:
            del enable_filter
            return cards.make(self, library.existing(name), index)

        def list_items(self) -> list[dict[str, Any]]:
            return cards.all(self, ui_extra_networks.allowed_preview_extensions())

        def read_user_metadata(self, item: dict[str, Any], use_cache: bool = True) -> None:
            _read_notes(super().read_user_metadata, item, use_cache)

        def allowed_directories_for_previews(self) -> list[str]:
            return [str(library.folder)]

    return StylePage()


class _Cards:
    """The cards of the styles in ``library``, made anew when anything in its folder changes."""

    def __init__(self, library: StyleLibrary) -> None:
        self._library = library
        self._made: list[dict[str, Any]] = []
        self._seen: Any = None  # in the folder when they were made

    def all(self, page: Any, preview_extensions: set[str]) -> list[dict[str, Any]]:
        """Return a card for each style; the host reads no notes again that a card has already."""
        seen = self._library.snapshot(), preview_extensions
        if seen != self._seen:
            self._made, self._seen = list(self._make_all(page)), seen
        return [{**card, "user_metadata": dict(card["user_metadata"])} for card in self._made]  # the host edits them

    def make(self, page: Any, entry: StyleEntry, index: int | None) -> dict[str, Any]:
        """Return the card of a style, without the notes beside it; of a damaged style it has the name."""
        if not page.lister.exists(str(entry.path)):  # saved since the folder was listed
            page.lister.reset()
        facts = self._library.facts(entry)
        page.metadata[entry.name] = dict(facts.metadata)
        return _card(page, entry, index) | {"shorthash": facts.sha256[:_SHORT]}

    def _make_all(self, page: Any) -> Iterator[dict[str, Any]]:
        for index, entry in enumerate(self._library.entries()):
            with contextlib.suppress(OSError):  # gone since: the other cards must still come
                card = self.make(page, entry, index)
                page.read_user_metadata(card)
                yield card


def _card(page: Any, entry: StyleEntry, index: int | None) -> dict[str, Any]:
    """Return what the host shows of a style, from the metadata that ``page`` has read."""
    from modules.ui_extra_networks import quote_js

    name, path = entry.name, str(entry.path)
    stem, metadata = path.removesuffix(SUFFIX), page.metadata[name]
    embedded = getattr(page, "find_embedded_preview", lambda *_: None)  # not every host has it
    return {
        "name": name,
        "filename": path,
        "preview": page.find_preview(stem) or embedded(stem, name, metadata),
        "description": page.find_description(stem) or _description(metadata),
        "search_terms": [page.search_terms_from_path(path)],
        "local_preview": f"{stem}.png",
        "metadata": metadata,
        "prompt": quote_js(f"<{NAME.lower()}:{name}:") + " + opts.extra_networks_default_multiplier + " + quote_js(">"),
        "sort_keys": {"default": index, **page.get_sort_keys(path)},
    }


def _read_notes(read: Callable[[dict[str, Any], bool], None], item: dict[str, Any], use_cache: bool) -> None:
    """Add what the file beside a style says, as far as it can be shown: one unusable file must not cost all cards."""
    try:
        read(item, use_cache)
    except AttributeError:  # the file holds another value than a dict
        item["user_metadata"] = {}
    if not isinstance(item["description"], str):
        item["description"] = ""


def _description(metadata: dict[str, str]) -> str:
    """Return the settings in one line under their labels, the preset first."""
    try:
        settings = json.loads(metadata.get("settings", "{}"))
    except ValueError:
        return ""
    if not isinstance(settings, dict):
        return ""
    named = {"preset": default_of("preset").value, **settings}
    return ", ".join(f"{control.label}: {named[name]}" for name, control in controls().items() if name in named)
