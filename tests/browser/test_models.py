"""The tab Models, used as a person would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lib_instantstyle.fetch.catalogue import catalogue
from tests.browser.page import PATIENCE, StylePage
from tests.host import start
from tests.support.server import Mood, Shelf, serve

ADAPTER = catalogue().find("recommended").adapter[0]


@pytest.fixture(scope="module")
def mirror() -> Iterator[Shelf]:
    with serve() as shelf:
        yield shelf


@pytest.fixture(scope="module")
def bare_url(models_dir: Path, mirror: Shelf, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A WebUI with a checkpoint, and neither adapter nor encoder."""
    models, data = tmp_path_factory.mktemp("bare"), tmp_path_factory.mktemp("data")
    for name in ("Stable-diffusion", "tokenizer", "open_clip"):
        (models / name).symlink_to(models_dir / name)
    (data / "config.json").write_text(json.dumps({"instantstyle_mirror": mirror.url}))
    with start(models, data_dir=data) as host:
        yield host.url


@pytest.fixture
def bare(browser_page: Page, bare_url: str) -> StylePage:
    page = StylePage(browser_page, bare_url)
    page.open_accordion()
    page.open_tab("Models")
    expect(page.control("fetch_status")).not_to_be_empty(timeout=PATIENCE)
    return page


def test_what_was_found_is_told_in_plain_words(page: StylePage) -> None:
    page.open_accordion()
    page.open_tab("Models")
    found = page.control("found")
    expect(found).to_contain_text("ip-adapter_sdxl.safetensors", timeout=PATIENCE)
    expect(found).to_contain_text("IP-Adapter for ViT-bigG: style, layout and content removal")
    expect(found).to_contain_text("sees through tiny-bigG")
    expect(found).to_contain_text("Image encoder ViT-H")
    expect(page.control("fetch_status")).to_contain_text("Nothing is missing")


def test_sizes_are_told_before_anything_is_fetched(bare: StylePage, mirror: Shelf) -> None:
    expect(bare.control("found")).to_contain_text("No adapter and no image encoder was found")
    expect(bare.control("fetch_set")).to_contain_text("Style, layout and content removal (4.4 GB)")
    expect(bare.control("fetch_status")).to_contain_text("ip-adapter_sdxl.safetensors (703 MB)")
    bare.control("fetch_set").locator("input").nth(1).check()
    expect(bare.control("fetch_status")).to_contain_text("image_encoder_ViT-H/model.safetensors (2.5 GB)")
    assert mirror.requests == []


def test_progress_is_shown_and_can_be_cancelled(bare: StylePage, mirror: Shelf) -> None:
    path = f"/h94/IP-Adapter/resolve/{catalogue().revision}/{ADAPTER.path}"
    mirror.files[path] = bytes(3_000_000)
    mirror.moods = [Mood(claim=ADAPTER.bytes - 3_000_000, stall=4)]
    bare.press("fetch")
    expect(bare.control("fetch_status")).to_contain_text(
        "ip-adapter_sdxl.safetensors: 3 MB of 4.4 GB", timeout=PATIENCE
    )
    bare.press("fetch_cancel")
    expect(bare.control("fetch_status")).to_contain_text("What was received is kept", timeout=PATIENCE)


def test_what_goes_wrong_is_told_with_a_way_out(bare: StylePage, mirror: Shelf) -> None:
    mirror.files.clear()
    bare.press("fetch")
    status = bare.control("fetch_status")
    expect(status).to_contain_text("answers 404", timeout=PATIENCE)
    expect(status).to_contain_text(f"{mirror.url}/h94/IP-Adapter/resolve/")
    expect(status).to_contain_text("InstantStyle/image_encoder_ViT-bigG/model.safetensors")


def test_the_adapters_are_offered_once_the_page_is_open(page: StylePage) -> None:
    """The WebUI does not search for them while it builds the page."""
    page.open_accordion()
    box = page.control("adapter").locator("input")
    expect(box).to_have_value("Automatic")
    box.click()
    expect(page.control("adapter").locator("ul")).to_contain_text("ip-adapter_sdxl_vit-h", timeout=PATIENCE)
