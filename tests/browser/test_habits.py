"""What people do without thinking: read the title, paste, drop, go on from the last result."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, StylePage

GIVE = """(element, [kind, content, name, type]) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, {type}));
    const event = kind === "paste"
        ? new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
    element.dispatchEvent(event);
    return event.defaultPrevented;
}"""


LINK = """(element, [kind, address]) => {
    const data = new DataTransfer();
    data.setData("text/uri-list", address);
    const event = new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
    element.dispatchEvent(event);
    return event.defaultPrevented;
}"""
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)


def give(target: Locator, kind: str, picture: Path, file_type: str = "image/png") -> bool:
    """Return whether the page took it; else the browser would open it in the page's place."""
    content = base64.b64encode(picture.read_bytes()).decode()
    return target.evaluate(GIVE, [kind, content, picture.name, file_type])


def header(page: StylePage, tab: str = "txt2img") -> Locator:
    return page.control("enabled", tab).locator(".label-wrap").first


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


def test_the_title_shows_and_counts_what_is_given(page: StylePage, stripes: Path, sunset: Path) -> None:
    summary = header(page).locator(".instantstyle-summary")
    page.open_accordion()
    expect(summary).to_have_text("Style 1.0", timeout=PATIENCE)
    expect(summary.locator("img")).to_be_hidden()
    page.upload(stripes)
    expect(summary.locator("img")).to_be_visible(timeout=PATIENCE)
    assert summary.locator("img").evaluate("picture => picture.naturalWidth") == 512
    expect(summary).to_have_text("Style 1.0")  # one reference is what the thumbnail says
    page.open_tab("References")
    page.give("images_upload", sunset)
    expect(summary).to_have_text("Style 1.0 · 2 references", timeout=PATIENCE)
    page.control("layout_image").locator("input[type=file]").set_input_files(sunset)
    expect(summary).to_have_text("Style + layout 1.0/1.0 · 2 references · layout", timeout=PATIENCE)


def test_the_first_tab_tells_of_a_panorama(page: StylePage, stripes: Path, sunset: Path) -> None:
    hint = page.control("cropped")
    page.open_accordion()
    page.upload(stripes)
    page.page.wait_for_timeout(1500)
    expect(hint).to_be_hidden()
    assert give(page.control("image").locator("img"), "drop", sunset)
    expect(hint).to_contain_text("sees only the middle 50 % of this picture", timeout=PATIENCE)
    expect(hint).to_be_visible()
    page.open_tab("References")
    page.choose("crop", "Whole squashed")
    page.open_tab("Style")
    expect(hint).to_be_hidden(timeout=PATIENCE)


@pytest.mark.parametrize("open_before", [True, False])
def test_a_picture_dropped_anywhere_on_the_accordion(page: StylePage, stripes: Path, open_before: bool) -> None:
    if open_before:
        page.open_accordion()
    assert give(header(page), "dragover", stripes)
    assert give(header(page), "drop", stripes)
    expect(page.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    assert page.is_on()
    expect(page.control("preflight")).to_contain_text("✓ Reference", timeout=PATIENCE)


@pytest.mark.parametrize(
    ("form", "file_type"), [("gif", "image/gif"), ("bmp", "image/bmp"), ("tiff", "image/tiff"), ("tif", "")]
)
def test_a_picture_of_a_rarer_format_is_taken(page: StylePage, stripes: Path, form: str, file_type: str) -> None:
    picture = stripes.with_suffix(f".{form}")
    Image.open(stripes).save(picture)
    assert give(header(page), "drop", picture, file_type)
    page.open_tab("References")
    expect(page.control("views").locator("img").first).to_be_visible(timeout=PATIENCE)  # the server opened it


@pytest.mark.parametrize("file_type", ["image/heic", ""])
def test_a_picture_that_does_not_open_is_named(page: StylePage, tmp_path: Path, file_type: str) -> None:
    picture = tmp_path / "holiday.heic"
    picture.write_bytes(HEIC)
    assert give(header(page), "drop", picture, file_type)
    assert "is HEIC, which opens only where pillow-heif is installed" in page.toast()


@pytest.mark.parametrize("place", ["content", "style_weight", "image", "preset"])
@pytest.mark.parametrize("name", ["notes.txt", "style.safetensors", "archive"])
def test_another_file_is_refused_and_the_page_stays(page: StylePage, tmp_path: Path, name: str, place: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"no picture")
    page.open_accordion()
    inside = page.control(place).locator("textarea, input, [data-testid=image]").first
    assert give(inside, "dragover", file, "")
    assert give(inside, "drop", file, "")
    assert f"No picture can be taken from '{name}'" in page.toast()


def test_a_picture_dropped_on_a_box_replaces_the_one_in_it(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    before = page.control("image").locator("img").get_attribute("src")
    assert give(page.control("image").locator("img"), "drop", sunset)
    expect(page.control("image").locator("img")).not_to_have_attribute("src", before or "", timeout=PATIENCE)


def test_a_link_to_elsewhere_is_refused_and_text_fields_keep_it(page: StylePage) -> None:
    page.open_accordion()
    link = ["drop", "https://example.org/picture.png"]
    assert header(page).evaluate(LINK, link)
    assert "No picture can be taken from 'https://example.org/picture.png'" in page.toast()
    assert not page.control("content").locator("textarea").evaluate(LINK, link)


@pytest.mark.parametrize("whole", [False, True])
def test_a_picture_dragged_from_the_page_itself_is_taken(page: StylePage, stripes: Path, whole: bool) -> None:
    """Firefox hands over its address alone; what gradio's boxes show has its whole content for an address."""
    content = base64.b64encode(stripes.read_bytes()).decode()
    page.page.route(re.compile("dragged.png$"), lambda route: route.fulfill(path=stripes))
    shown = page.page.evaluate("location.origin") + "/file=dragged.png"
    address = f"data:image/png;base64,{content}" if whole else shown
    assert header(page).evaluate(LINK, ["dragover", address])
    assert header(page).evaluate(LINK, ["drop", address])
    expect(page.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    assert page.is_on()


def test_dragging_over_a_picture_leaves_it(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    before = page.control("image").locator("img").get_attribute("src")
    assert give(page.control("image").locator("img"), "dragover", sunset)
    page.page.wait_for_timeout(300)
    expect(page.control("image").locator("img")).to_have_attribute("src", before or "")


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
