"""Pages of cards: their HTML and their routes."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.exceptions import HTTPException
from PIL import Image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One network with everything beside it, one with nothing, one in a hidden folder."""
    folder = tmp_path / "nets"
    (folder / ".hidden").mkdir(parents=True)
    for name in ("full", "bare", ".hidden/secret"):
        (folder / f"{name}.net").write_text("x", encoding="utf-8")
    (folder / "full.description.txt").write_text("<b>bold</b>", encoding="utf-8")
    Image.new("RGB", (8, 8), "red").save(folder / "full.preview.png")
    return folder


@pytest.fixture
def page(host, folder: Path) -> Iterator[Any]:
    from modules import ui_extra_networks

    class Nets(ui_extra_networks.ExtraNetworksPage):
        def create_item(self, name: str, index: int | None = None, enable_filter: bool = True) -> dict:
            path = str(folder / name)
            if not Path(f"{path}.net").exists():
                raise FileNotFoundError(path)
            return {
                "name": name,
                "filename": f"{path}.net",
                "preview": self.find_preview(path),
                "description": self.find_description(path),
                "search_terms": [self.search_terms_from_path(f"{path}.net")],
                "local_preview": f"{path}.png",
                "prompt": ui_extra_networks.quote_js(f"<nets:{name}:1>"),
                "sort_keys": {"default": index, **self.get_sort_keys(f"{path}.net")},
                "metadata": {"key": "värde", "ssmd_cover_images": json.dumps([cover()])},
            }

        def list_items(self) -> Iterator[dict]:
            names = sorted(str(path.relative_to(folder))[:-4] for path in folder.rglob("*.net"))
            return (self.create_item(name, index) for index, name in enumerate(names))

        def allowed_directories_for_previews(self) -> list[str]:
            return [str(folder)]

    ui_extra_networks.initialize()
    ui_extra_networks.register_page(Nets("Some Nets"))
    yield ui_extra_networks.extra_pages[0]
    ui_extra_networks.initialize()


def answer(response: Any) -> Any:
    return json.loads(response.body)


def cover() -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), "blue").save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_cards_show_what_lies_beside_the_file(page, folder):
    text = page.create_html("txt2img")
    assert 'id="txt2img_some_nets_cards"' in text
    assert text.count('class="card"') == 3
    assert "./sd_extra_networks/thumb?filename=" in text
    assert "&lt;b&gt;bold&lt;/b&gt;" in text
    assert "cardClicked(&#x27;txt2img&#x27;, &quot;&lt;nets:full:1&gt;&quot;, &#x27;&#x27;, false);" in text
    assert "<span class='hidden search_terms'>nets/full.net</span>" in text
    assert 'data-sort-default="2"' in text
    assert 'data-sort-name="bare.net"' in text


@pytest.mark.parametrize(
    ("choice", "cards", "only_searched"), [("Always", 3, 0), ("When searched", 3, 1), ("Never", 2, 0)]
)
def test_hidden_folders(host, page, choice, cards, only_searched):
    host.shared.opts.data["extra_networks_hidden_models"] = choice
    text = page.create_html("txt2img")
    assert (text.count('class="card"'), text.count("search_only")) == (cards, only_searched)


def test_an_empty_page_names_its_folders(page, folder, monkeypatch):
    monkeypatch.setattr(page, "list_items", list)
    assert f"<li>{folder}</li>" in page.create_html("txt2img")
    assert "Loading..." in page.create_html("txt2img", empty=True)


def test_user_metadata_brings_the_description_and_survives_a_broken_file(page, folder, capsys):
    (folder / "bare.json").write_text('{"description": "told"}', encoding="utf-8")
    (folder / "full.json").write_text("{", encoding="utf-8")
    page.create_html("txt2img")
    assert page.items["bare"]["description"] == "told"
    assert page.items["full"]["user_metadata"] == {}
    assert "reading extra network user metadata" in capsys.readouterr().err


def test_new_files_are_seen_when_the_cards_are_made_again(page, folder):
    page.create_html("txt2img")
    Image.new("RGB", (8, 8)).save(folder / "bare.png")
    assert page.find_preview(str(folder / "bare")) is None
    page.create_html("txt2img")
    assert page.items["bare"]["preview"] is not None


def test_thumbnails_come_from_the_pages_folders_only(page, folder, tmp_path):
    from modules.ui_extra_networks_routes import fetch_file

    outside = tmp_path / "outside.png"
    Image.new("RGB", (8, 8)).save(outside)
    assert fetch_file(str(folder / "full.preview.png")).media_type == "image/png"
    with pytest.raises(HTTPException):
        fetch_file(str(folder / "nothing.png"))
    for forbidden in (folder / "full.net", outside):
        with pytest.raises(ValueError, match="cannot be fetched"):
            fetch_file(str(forbidden))


def test_metadata_and_cover_pictures(page):
    from modules.ui_extra_networks_routes import fetch_cover_images, get_metadata

    page.create_html("txt2img")
    item = {"page": "some nets", "item": "full"}
    assert json.loads(answer(get_metadata(**item))["metadata"]) == {"key": "värde"}
    picture = fetch_cover_images(**item)
    assert (picture.media_type, picture.body) == ("image/png", base64.b64decode(cover()))
    for missing in ({**item, "index": 1}, {**item, "item": "nobody"}, {**item, "page": "none"}):
        with pytest.raises(HTTPException):
            fetch_cover_images(**missing)
    assert answer(get_metadata(page="none")) == {}


def test_a_single_card_is_made_anew_or_stays(page, folder, capsys):
    from modules.ui_extra_networks_routes import get_single_card

    page.create_html("img2img")
    params = {"page": "some nets", "tabname": "img2img", "name": "bare"}
    (folder / "bare.txt").write_text("now told", encoding="utf-8")
    page.lister.reset()
    assert "now told" in answer(get_single_card(**params))["html"]
    (folder / "bare.net").unlink()
    assert "now told" in answer(get_single_card(**params))["html"]
    assert "creating item for extra network" in capsys.readouterr().err


def test_the_routes_are_at_the_host_s_addresses(page):
    from modules.ui_extra_networks_routes import add_pages_to_demo

    app = FastAPI()
    add_pages_to_demo(app)
    paths = [route.path for route in app.routes if route.path.startswith("/sd_extra_networks")]
    assert [path.rpartition("/")[2] for path in paths] == ["thumb", "cover-images", "metadata", "get-single-card"]


def test_tabs_come_in_the_configured_order(host, page):
    from modules import ui_extra_networks

    others = [ui_extra_networks.ExtraNetworksPage(title) for title in ("Alpha", "Beta")]
    host.shared.opts.data["ui_extra_networks_tab_reorder"] = "beta, some"
    titles = [found.title for found in ui_extra_networks.pages_in_preferred_order([*others, page])]
    assert titles == ["Beta", "Some Nets", "Alpha"]


def test_a_lookup_in_a_folder_that_does_not_exist_raises(page, folder):
    with pytest.raises(FileNotFoundError):
        page.find_preview(str(folder / "no_folder" / "x"))
