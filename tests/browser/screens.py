"""Retakes the pictures in `docs/images`: `python -m tests.browser.screens URL`, with the tiny models loaded."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.page import StylePage
from tests.tiny import pictures

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TABS = ("Style", "References", "Content", "Timing", "Regions", "Blocks", "No adapter", "Library", "Models")


def take(url: str) -> None:
    """Set every tab to something worth seeing, and keep its picture."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = StylePage(browser.new_page(viewport={"width": 1400, "height": 1500}), url)
        files = {name: Path(folder) / f"{name}.png" for name in ("stripes", "sunset", "dots")}
        for name, path in files.items():
            getattr(pictures, name)().save(path)
        page.open_accordion()
        page.upload(files["stripes"])
        page.text("content", "stripes, a flag:0.5")
        _prepare(page, files)
        for label in TABS:
            page.open_tab(label)
            page.page.wait_for_timeout(800)
            page.control("enabled").screenshot(path=IMAGES / f"tab-{label.lower().replace(' ', '-')}.png")
        _cards(page)
        _settings(page)
        browser.close()


def _prepare(page: StylePage, files: dict[str, Path]) -> None:
    page.open_tab("References")
    page.give("images_upload", files["sunset"], files["dots"])
    page.page.wait_for_timeout(1500)
    page.open_tab("Content")
    page.press("measure")
    page.open_tab("Timing")
    page.choose("curve", "0:0.4, 0.3:1, 0.8:0")
    page.choose("hires_curve", "Fade out")
    page.open_tab("Regions")
    _zigzag(page, 0.2)
    page.control("region_canvas").locator("[role=radio]").nth(1).click()
    page.page.wait_for_timeout(1500)
    _zigzag(page, 0.6)
    page.open_tab("Blocks")
    page.control("map").locator('[data-block="down_blocks.2.attentions.1"]').click()
    page.page.wait_for_timeout(1000)
    page.open_tab("Library")
    for name in ("red and blue", "red and blue soft"):
        page.text("style_name", name)
        page.page.locator("#script_txt2img_instantstyle_style_replace input").check()
        page.press("style_save")
        page.page.wait_for_timeout(4000)


def _zigzag(page: StylePage, left: float) -> None:
    """Paint a region, which begins at this share of the canvas."""
    box, mouse = page.place(page.control("region_canvas").locator("canvas[data-own]")), page.page.mouse
    for step in range(13):
        x = left + 0.1 * (step % 2)
        mouse.move(box["x"] + box["width"] * x, box["y"] + box["height"] * (0.2 + step * 0.05))
        if not step:
            mouse.down()
    mouse.up()
    page.page.wait_for_timeout(1500)


def _cards(page: StylePage) -> None:
    page.turn_to(page.page.locator("#txt2img_extra_tabs"), "InstantStyle")
    page.page.locator("#txt2img_instantstyle_extra_refresh, #txt2img_extra_refresh").first.click()
    page.page.wait_for_timeout(2500)
    page.page.locator("#txt2img_instantstyle_cards .card").first.click()
    page.page.wait_for_timeout(800)
    page.page.evaluate("scrollTo(0, 0)")
    page.page.screenshot(path=IMAGES / "cards.png", clip={"x": 0, "y": 0, "width": 1400, "height": 620})


def _settings(page: StylePage) -> None:
    page.turn_to(page.page.locator("#tabs"), "Settings")
    page.turn_to(page.page.locator("#settings"), "InstantStyle")
    page.page.wait_for_timeout(800)
    page.page.locator("#settings_instantstyle").screenshot(path=IMAGES / "settings.png")


if __name__ == "__main__":
    take(sys.argv[1])
