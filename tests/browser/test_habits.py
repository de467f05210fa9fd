"""What people do without thinking: read the title, paste, drop, go on from the last result."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, StylePage

GIVE = """(element, [kind, content]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "picture.png", {type: "image/png"}));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
    element.dispatchEvent(event);
    return event.defaultPrevented;
}"""


def give(target: Locator, kind: str, picture: Path) -> bool:
    return target.evaluate(GIVE, [kind, base64.b64encode(picture.read_bytes()).decode()])


def header(page: StylePage, tab: str = "txt2img") -> Locator:
    return page.control("enabled", tab).locator(".label-wrap")


def test_the_title_says_what_is_active(page: StylePage) -> None:
    summary = header(page).locator(".instantstyle-summary")
    page.open_accordion()
    expect(summary).to_have_text("Style 1.0", timeout=PATIENCE)
    page.text("content", "a cat, balloons")
    page.choose("preset", "Style + layout")
    page.number("#script_txt2img_instantstyle_style_weight", "0.8")
    expect(summary).to_have_text("Style + layout 0.8/1.0 · −a cat · −balloons", timeout=PATIENCE)
    header(page).click()
    expect(summary).to_have_text("", timeout=PATIENCE)


@pytest.mark.parametrize("open_before", [True, False])
def test_a_picture_dropped_anywhere_on_the_accordion(page: StylePage, stripes: Path, open_before: bool) -> None:
    if open_before:
        page.open_accordion()
    assert give(header(page), "dragover", stripes)
    assert give(header(page), "drop", stripes)
    expect(page.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    assert page.is_on()
    expect(page.control("preflight")).to_contain_text("✓ Reference", timeout=PATIENCE)


def test_a_picture_pasted_where_the_focus_is(page: StylePage, stripes: Path) -> None:
    body = page.page.locator("body")
    page.page.mouse.move(1, 1)
    assert not give(body, "paste", stripes)  # elsewhere the host decides
    page.open_accordion()
    page.control("content").locator("textarea").focus()
    assert give(body, "paste", stripes)
    expect(page.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    before = page.control("image").locator("img").get_attribute("src")
    page.control("content").locator("textarea").focus()
    assert give(body, "paste", Path(__file__).parents[2] / "docs" / "images" / "tab-style.png")  # replaces it
    expect(page.control("image").locator("img")).not_to_have_attribute("src", before, timeout=PATIENCE)


def test_the_last_result_becomes_the_reference(page: StylePage) -> None:
    page.generate_small("plain")
    page.open_accordion()
    page.control("last_result").focus()
    page.page.keyboard.press("Enter")
    expect(page.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    page.press("caption")  # the picture came with its prompt
    expect(page.control("content").locator("textarea")).to_have_value("plain", timeout=PATIENCE)


def test_without_a_result_it_says_so(page: StylePage) -> None:
    page.open_accordion()
    page.press("last_result")
    assert "There is no result yet" in page.toast()
