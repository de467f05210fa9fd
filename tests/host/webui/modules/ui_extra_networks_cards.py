"""The HTML of cards."""

from __future__ import annotations

import html
import os
from typing import Any

from modules import shared

_TERM = "<span class='hidden search_terms{only}'>{term}</span>"


def quote_js(text: str) -> str:
    """Return ``text`` as a string of JavaScript."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def card_view_html(page: Any, tabname: str, none_message: str | None) -> str:
    cards = [page.create_item_html(tabname, item, page.card_tpl) for item in page.items.values()]
    if cards:
        return "".join(cards)
    folders = "".join(f"<li>{folder}</li>" for folder in page.allowed_directories_for_previews())
    return none_message or shared.html("extra-networks-no-cards.html").format(dirs=folders)


def item_html(page: Any, tabname: str, item: dict, template: str | None) -> Any:
    """Return an item's card, or the values for one without a ``template``; empty if it is not to be seen.

    Raises:
        KeyError: If the item lacks ``name``, ``filename``, ``local_preview``, or ``prompt`` and ``onclick``.
    """
    hidden = _is_hidden(page, item["filename"])
    if hidden and shared.opts.extra_networks_hidden_models == "Never":
        return ""
    only = " search_only" if hidden and shared.opts.extra_networks_hidden_models != "Always" else ""
    keys = (f'data-sort-{key}="{html.escape(str(value))}"' for key, value in item.get("sort_keys", {}).items())
    preview = html.escape(item.get("preview") or "")
    values = {
        "background_image": f'<img src="{preview}" class="preview" loading="lazy">' if preview else "",
        "card_clicked": item.get("onclick") or _onclick(page, tabname, item),
        "description": _description(item),
        "local_preview": quote_js(item["local_preview"]),
        "name": html.escape(item["name"]),
        "prompt": item.get("prompt"),
        "search_only": only,
        "search_terms": "".join(_TERM.format(only=only, term=term) for term in item.get("search_terms", [])),
        "sort_keys": " ".join(keys),
        "style": _style(),
        "tabname": tabname,
        "extra_networks_tabname": page.extra_networks_tabname,
    }
    return template.format(**values) if template else values


def _onclick(page: Any, tabname: str, item: dict) -> str:
    """Prompts are expressions of JavaScript already."""
    negative = item.get("negative_prompt", "''")
    allowed = str(page.allow_negative_prompt).lower()
    return html.escape(f"cardClicked('{tabname}', {item['prompt']}, {negative}, {allowed});")


def _description(item: dict) -> str:
    text = item.get("description") or "" if shared.opts.extra_networks_card_show_desc else ""
    return text if shared.opts.extra_networks_card_description_is_html else html.escape(text)


def _style() -> str:
    opts = shared.opts
    sizes = (("height", opts.extra_networks_card_height), ("width", opts.extra_networks_card_width))
    style = "".join(f"{name}: {size}px;" for name, size in sizes if size)
    return f"{style}font-size: {opts.extra_networks_card_text_scale * 100}%;"


def _is_hidden(page: Any, filename: str) -> bool:
    """Whether the file is in a folder whose name starts with a dot."""
    local = ""
    for folder in map(os.path.abspath, page.allowed_directories_for_previews()):
        if filename.startswith(folder):
            local = filename[len(folder) :]
    return "/." in local or "\\." in local
