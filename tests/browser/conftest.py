"""A headless Chromium on the stand-in WebUI, or on the one that ``--webui-url`` names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.browser.page import StylePage
from tests.tiny import pictures

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def browser_page(webui_url: str) -> Iterator[Page]:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    assert chromium, "The browser tests need Chromium: install it, or name it in the variable CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1400, "height": 1400})
        page.on("dialog", lambda dialog: dialog.accept())  # left alone, they would be answered no
        yield page
        browser.close()


@pytest.fixture
def page(browser_page: Page, webui_url: str) -> StylePage:
    """A freshly loaded page."""
    return StylePage(browser_page, webui_url)


@pytest.fixture(scope="session")
def stripes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "stripes.png"
    pictures.stripes().save(path)
    return path


@pytest.fixture(scope="session")
def sunset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "sunset.png"
    pictures.sunset().resize((200, 100)).save(path)
    return path


@pytest.fixture(scope="session")
def dots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "dots.png"
    pictures.dots().resize((200, 100)).save(path)
    return path
