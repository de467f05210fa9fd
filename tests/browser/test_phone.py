"""The page on a phone: 390 pixels wide, and moved with a finger."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.page import PATIENCE, StylePage

Point = tuple[float, float]


@pytest.fixture
def phone(browser_page: Page, webui_url: str) -> Iterator[StylePage]:
    browser = browser_page.context.browser
    assert browser
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = StylePage(context.new_page(), webui_url)
    page.open_accordion()
    yield page
    context.close()


def swipe(page: StylePage, element: Locator, start: Point, end: Point) -> None:
    """Drag a finger over an element, between places that are fractions of it."""
    element.scroll_into_view_if_needed()
    box = page.place(element)
    touch = page.page.context.new_cdp_session(page.page)

    def send(kind: str, *points: Point) -> None:
        places = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    send("touchStart", start)
    for step in range(1, 9):
        send("touchMove", tuple(a + (b - a) * step / 8 for a, b in zip(start, end, strict=True)))  # type: ignore[arg-type]
    send("touchEnd")


@pytest.mark.parametrize(
    "label", ["Style", "References", "Content", "Timing", "Regions", "Blocks", "Library", "Models"]
)
def test_all_of_a_tab_is_seen(phone: StylePage, label: str) -> None:
    phone.open_tab(label)
    phone.page.wait_for_timeout(800)
    assert phone.control("enabled").evaluate("(all) => all.scrollWidth - all.clientWidth") <= 0


def test_references_are_rows_of_two_lines(phone: StylePage, stripes: Path, sunset: Path) -> None:
    phone.open_tab("References")
    phone.give("images_upload", stripes, sunset)
    row = phone.control("rows").locator(".instantstyle-reference").first
    expect(row.locator("[type=range]")).to_be_visible(timeout=PATIENCE)
    assert phone.place(row.locator("[type=range]"))["width"] > 80
    assert phone.place(row.locator("[type=range]"))["y"] > phone.place(row.locator("[data-remove]"))["y"]
    assert phone.control("rows").evaluate("(all) => all.scrollWidth - all.clientWidth") <= 0


def test_a_block_is_a_row_that_a_finger_drags(phone: StylePage) -> None:
    phone.open_tab("Blocks")
    blocks = phone.control("map").locator(".instantstyle-block")
    tops = [phone.place(blocks.nth(each))["y"] for each in (0, 4, 10)]
    assert tops == sorted(tops)
    middle = phone.control("map").locator('[data-block="mid_block.attentions.0"]')
    swipe(phone, middle.locator(".instantstyle-track"), (0.02, 0.5), (0.52, 0.5))
    expect(phone.control("blocks").locator("textarea")).to_have_value(
        re.compile(r"style:1, mid_block\.attentions\.0:(0\.9|0\.95|1|1\.05|1\.1)"), timeout=PATIENCE
    )


def test_a_finger_that_goes_up_scrolls_past_the_blocks(phone: StylePage) -> None:
    phone.open_tab("Blocks")
    middle = phone.control("map").locator('[data-block="mid_block.attentions.0"]')
    before = phone.page.evaluate("scrollY")
    swipe(phone, middle, (0.5, 0.5), (0.5, -6.0))
    phone.page.wait_for_timeout(800)
    assert phone.page.evaluate("scrollY") != before
    assert phone.control("blocks").locator("textarea").input_value() == "style:1"
    expect(middle).to_have_attribute("aria-valuenow", "0.00")


def test_a_finger_paints_a_region(phone: StylePage, stripes: Path) -> None:
    phone.upload(stripes)
    phone.open_tab("Regions")
    canvas = phone.control("region_canvas").locator("canvas[data-own]")
    expect(canvas).to_be_visible(timeout=PATIENCE)
    swipe(phone, canvas, (0.3, 0.3), (0.6, 0.7))
    expect(phone.control("masks").locator("img")).to_have_count(1, timeout=PATIENCE)


def test_a_finger_bends_the_curve(phone: StylePage) -> None:
    phone.open_tab("Timing")
    plot = phone.control("drawing").locator(".instantstyle-handles")
    swipe(phone, plot, (0.5, 0.0), (0.5, 0.5))  # the middle of a constant curve
    expect(phone.control("curve").locator("input")).to_have_value("0:1, 0.25:1, 0.5:0.5, 0.75:1, 1:1", timeout=PATIENCE)


def test_a_model_has_its_size_under_its_name(phone: StylePage) -> None:
    phone.open_tab("Models")
    row = phone.control("found").locator("tr").first
    name, size = phone.place(row.locator("th")), phone.place(row.locator("td").first)
    assert size["x"] == name["x"]
    assert size["y"] >= name["y"] + name["height"]


def test_the_title_is_read_to_its_end(phone: StylePage, stripes: Path) -> None:
    phone.upload(stripes)
    phone.text("content", "a cat, a very large dog, balloons over a harbour")
    summary = phone.control("enabled").locator(".instantstyle-summary")
    expect(summary).to_contain_text("balloons over a harbour", timeout=PATIENCE)
    assert summary.evaluate("(all) => all.scrollWidth - all.clientWidth") <= 0
    title = phone.control("enabled").locator(".label-wrap").first
    assert title.evaluate("(all) => all.scrollWidth - all.clientWidth") <= 0
