"""Pasted parameters show the pictures that they mean, and no hexadecimal digits."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, StylePage


def pasted(page: StylePage, infotext: str) -> Locator:
    """Paste ``infotext`` into a fresh page, and return the pictures from earlier."""
    fresh = StylePage(page.page, page.page.url)
    fresh.page.fill("#txt2img_prompt textarea", infotext)
    fresh.page.click("#paste")
    earlier = fresh.page.locator("#script_txt2img_instantstyle_earlier figure")
    expect(earlier.first).to_be_visible(timeout=PATIENCE)
    return earlier


def two_references(page: StylePage, stripes: Path, sunset: Path) -> str:
    page.open_accordion()
    page.upload(stripes)
    page.open_tab("References")
    page.give("images_upload", sunset)
    expect(page.control("images").locator("img")).to_have_count(1, timeout=PATIENCE)
    page.unfold_weights()
    page.text("weights", "1, 0.5")
    return page.generate_small("earlier")


def test_they_are_shown_and_not_their_hashes(page: StylePage, stripes: Path, sunset: Path) -> None:
    infotext = two_references(page, stripes, sunset)
    assert re.search(r'reference: "[0-9a-f]{12}, [0-9a-f]{12}"', infotext)
    earlier = pasted(page, infotext)
    expect(earlier).to_have_count(2)
    expect(earlier.last).to_contain_text("Reference 2")
    natural = "image => image.complete && image.naturalWidth"
    assert [image.evaluate(natural) for image in earlier.locator("img").all()] == [96, 96]
    expect(page.control("reference")).to_be_hidden()
    assert not re.search("[0-9a-f]{12}", page.control("enabled").inner_text())
    assert page.generate_small("earlier") == infotext


def test_one_is_removed_with_its_weight(page: StylePage, stripes: Path, sunset: Path) -> None:
    earlier = pasted(page, two_references(page, stripes, sunset))
    expect(earlier).to_have_count(2)
    earlier.first.get_by_role("button").click()
    expect(earlier).to_have_count(1, timeout=PATIENCE)
    assert page.value("weights") == "0.5"
    assert re.search(r"reference: [0-9a-f]{12}, ", page.generate_small("the second alone"))


def test_a_new_picture_takes_their_place_and_gives_it_back(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    earlier = pasted(page, page.generate_small("earlier"))
    page.upload(sunset)
    expect(earlier).to_have_count(0, timeout=PATIENCE)
    image = page.control("image")
    image.locator("button[aria-label='Remove Image'], button[aria-label='Clear']").first.click()
    expect(earlier).to_have_count(1, timeout=PATIENCE)


def test_what_cannot_be_used_of_pasted_text_is_told(page: StylePage) -> None:
    text = "a house\nSteps: 2, Size: 64x64, InstantStyle: 0.1, InstantStyle preset: Loud, InstantStyle content: a boat"
    page.page.fill("#txt2img_prompt textarea", text)
    page.page.click("#paste")
    assert "The pasted Preset 'Loud' cannot be used. It is Style now." in page.toast()
    expect(page.control("content").locator("textarea")).to_have_value("a boat", timeout=PATIENCE)
    assert page.value("preset") == "Style"
