"""*Send to InstantStyle*: below the galleries of results, and in PNG Info."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.page import PATIENCE, StylePage


def test_a_result_becomes_the_reference_of_a_closed_accordion(page: StylePage) -> None:
    page.generate_small("plain")
    assert not page.is_on()
    page.page.click("#txt2img_gallery_send_to_instantstyle")
    expect(page.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    assert page.is_on()
    expect(page.control("preflight")).to_contain_text("✓ Reference", timeout=PATIENCE)


@pytest.mark.parametrize("tab", ["txt2img", "img2img"])
def test_without_a_result_it_says_so(page: StylePage, tab: str) -> None:
    page.turn_to(page.page.locator("#tabs"), tab)
    page.page.click(f"#{tab}_gallery_send_to_instantstyle")
    assert "There is no picture to send to InstantStyle yet" in page.toast()
    assert not page.is_on(tab)


def test_png_info_sends_to_txt2img(page: StylePage, sunset: Path) -> None:
    page.turn_to(page.page.locator("#tabs"), "PNG Info")
    page.page.click("#pnginfo_image_send_to_instantstyle")
    assert "drop one into PNG Info" in page.toast()
    page.page.locator("#pnginfo_image input[type=file]").set_input_files(sunset)
    expect(page.page.locator("#pnginfo_image img")).to_be_visible(timeout=PATIENCE)
    page.page.click("#pnginfo_image_send_to_instantstyle")
    image = page.control("image").locator("img")
    expect(image).to_be_visible(timeout=PATIENCE)  # in txt2img, to which the page has turned
    assert page.is_on()
    assert image.evaluate("picture => [picture.naturalWidth, picture.naturalHeight]") == [200, 100]
