"""Saved styles as cards beside the prompt, and as ``<instantstyle:name:weight>`` in it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lib_instantstyle import NAME
from lib_instantstyle.errors import StyleError
from lib_instantstyle.library.style_file import read_metadata
from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.params.style_params import controls, default_of


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

    class StylePage(ui_extra_networks.ExtraNetworksPage):  # type: ignore[misc]
        """One card for each saved style."""

        def __init__(self) -> None:
            super().__init__(NAME)

        def refresh(self) -> None:
            """Do nothing: the cards are read anew each time."""

        def create_item(self, name: str, index: int | None = None, enable_filter: bool = True) -> dict[str, Any]:
            del enable_filter
            path = library.existing(name)
            if not self.lister.exists(str(path)):  # saved since the folder was listed
                self.lister.reset()
            self.metadata[name] = _metadata(path)
            return _card(self, path, name, index) | {"shorthash": library.hash_of(name)}

        def list_items(self) -> Iterator[dict[str, Any]]:
            for index, name in enumerate(library.names()):
                with contextlib.suppress(OSError, StyleError):  # gone since: the other cards must still come
                    item = self.create_item(name, index)
                    self.read_user_metadata(item)
                    yield item

        def allowed_directories_for_previews(self) -> list[str]:
            return [str(library.folder)]

    return StylePage()


def _card(page: Any, path: Path, name: str, index: int | None) -> dict[str, Any]:
    """Return what the host shows of a style, from the metadata that ``page`` has read."""
    from modules.ui_extra_networks import quote_js

    stem, metadata = str(path.with_suffix("")), page.metadata[name]
    return {
        "name": name,
        "filename": str(path),
        "preview": page.find_preview(stem) or page.find_embedded_preview(stem, name, metadata),
        "description": page.find_description(stem) or _description(metadata),
        "search_terms": [page.search_terms_from_path(str(path))],
        "local_preview": f"{stem}.png",
        "metadata": metadata,
        "prompt": quote_js(f"<{NAME.lower()}:{name}:") + " + opts.extra_networks_default_multiplier + " + quote_js(">"),
        "sort_keys": {"default": index, **page.get_sort_keys(str(path))},
    }


def _metadata(path: Path) -> dict[str, str]:
    """Return the texts in a style file; a damaged one still gets a card, and its error comes with its use."""
    try:
        return read_metadata(path)
    except StyleError:
        return {}


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
