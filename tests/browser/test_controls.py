"""Every tab of the accordion, used as a person would."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect

from tests.browser.page import PATIENCE, StylePage
from tests.tiny import pictures

_LABEL_IS_ABOVE = """box => box.querySelector("[data-testid=block-label]").getBoundingClientRect().bottom
    <= box.querySelector("img").getBoundingClientRect().top"""


@pytest.fixture(autouse=True)
def _no_leftovers(webui_url: str) -> None:
    """A test that was broken off may have left its style in the library."""
    names = ("browser test", "imported style", "card test")
    for name in names:
        request = Request(f"{webui_url}/instantstyle/styles/{quote(name)}", method="DELETE")
        with suppress(HTTPError):
            urlopen(request).close()


@pytest.fixture
def styled(page: StylePage, stripes: Path) -> StylePage:
    page.open_accordion()
    page.upload(stripes)
    return page


def test_a_recipe_fills_the_controls_and_says_what_else_to_do(styled: StylePage) -> None:
    styled.control("enabled").get_by_role("button", name="Image-based stylisation").click()
    expect(styled.control("advice")).to_contain_text("in img2img, denoising 0.6 to 0.8", timeout=PATIENCE)
    assert styled.value("style_weight") == "1.2"
    styled.open_tab("References")
    assert styled.value("subject_weight") == "0.2"


def test_labels_leave_the_pictures_alone(styled: StylePage, sunset: Path) -> None:
    styled.open_tab("References")
    styled.give("images_upload", sunset)
    expect(styled.control("views").locator("img")).to_have_count(2, timeout=PATIENCE)
    # Both ends are read at one moment: pictures that arrive above move them.
    styled.page.wait_for_function(_LABEL_IS_ABOVE, arg=styled.control("views").element_handle(), timeout=PATIENCE)


def test_too_many_pictures_are_refused(styled: StylePage, sunset: Path, tmp_path: Path) -> None:
    styled.open_tab("References")
    copies = [tmp_path / f"{number}.png" for number in range(20)]
    for copy in copies:
        copy.write_bytes(sunset.read_bytes())
    styled.give("images_upload", *copies)
    assert "20 pictures were chosen, and 7 more fit" in styled.toast()


def test_the_meter_compares_before_and_after(styled: StylePage) -> None:
    styled.text("content", "a cat, stripes:0.5")
    styled.open_tab("Content")
    styled.press("measure")
    expect(styled.control("meter")).to_contain_text("stripes", timeout=PATIENCE)
    expect(styled.control("meter")).to_contain_text("says little about the reference")
    styled.choose("removal", "Take out")
    expect(styled.control("meter")).to_contain_text("Shows, before anything is generated", timeout=PATIENCE)
    styled.press("measure")
    expect(styled.control("meter")).to_contain_text("says little about the reference", timeout=PATIENCE)
    styled.open_tab("Style")
    styled.text("content", "")
    expect(styled.control("meter")).to_contain_text("Shows, before anything is generated", timeout=PATIENCE)
    styled.open_tab("Content")
    styled.press("measure")
    assert "There is nothing to measure" in styled.toast()


def test_the_caption_comes_from_the_reference_s_own_prompt(page: StylePage, tmp_path: Path) -> None:
    path = tmp_path / "generated.png"
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("parameters", "a (red fox:1.2), in snow <lora:x:1>\nSteps: 20, Sampler: Euler, Seed: 1, Size: 64x64")
    pictures.sunset().save(path, pnginfo=info)
    page.open_accordion()
    page.upload(path)
    page.press("caption")
    expect(page.control("content").locator("textarea")).to_have_value("a fox", timeout=PATIENCE)


def test_the_curve_is_drawn_as_it_is_set(styled: StylePage) -> None:
    styled.open_tab("Timing")
    before = styled.control("drawing").inner_html()
    styled.choose("curve", "Fade out")
    expect(styled.control("drawing")).not_to_have_js_property("innerHTML", before)
    expect(styled.control("hires_start")).to_be_hidden()
    styled.choose("hires_curve", "Fade in")
    expect(styled.control("hires_start")).to_be_visible()
    expect(styled.control("drawing")).to_contain_text("Hires pass")
    styled.choose("curve", "0:1, 0.5:0.2, 0.3:1")
    expect(styled.control("drawing")).to_contain_text("out of order")
    styled.choose("curve", "0:0.4, 0.3:1, 0.8:0")
    assert 'curve: "0:0.4, 0.3:1, 0.8:0"' in styled.generate_small("points")


def test_a_renamed_text_is_refused_at_once_and_when_generating(page: StylePage, tmp_path: Path) -> None:
    path = tmp_path / "text.png"
    path.write_text("no picture at all")
    page.open_accordion()
    page.control("image").locator("input[type=file]").set_input_files(path)
    assert "it is no picture, whatever its name" in page.toast()
    assert "it is no picture, whatever its name" in page.generate_in_vain()


def test_the_block_map_and_the_text_are_one(styled: StylePage) -> None:
    styled.open_tab("Blocks")
    layout = styled.control("map").locator('[data-block="down_blocks.2.attentions.1"]')
    assert layout.get_attribute("aria-valuenow") in ("0", "0.00")
    layout.click()
    expect(styled.control("blocks").locator("textarea")).to_have_value("style:1, layout:1", timeout=PATIENCE)
    layout.press("ArrowDown")
    expect(styled.control("blocks").locator("textarea")).to_have_value("style:1, layout:0.95", timeout=PATIENCE)
    styled.text("blocks", "style:0.25, style.3:0")
    style = styled.control("map").locator('[data-block="up_blocks.0.attentions.1"]')
    expect(style).to_have_attribute("aria-valuenow", "0.25", timeout=PATIENCE)
    styled.text("blocks", "style.1:0.5")
    expect(style).to_contain_text("1: 0.50", timeout=PATIENCE)
    styled.text("blocks", "style:9")
    expect(styled.control("map")).to_contain_text("9 is outside −3 to 3", timeout=PATIENCE)
    styled.text("blocks", "style.12:1")
    expect(styled.control("map")).to_contain_text("but this block has the layers 0 to", timeout=PATIENCE)
    styled.open_tab("Style")
    assert styled.value("preset") == "Custom"
    styled.choose("preset", "Layout")
    styled.open_tab("Blocks")
    expect(layout).to_have_attribute("aria-valuenow", "1.00", timeout=PATIENCE)


def test_a_style_is_saved_used_and_deleted(styled: StylePage, tmp_path: Path) -> None:
    styled.text("content", "stripes")
    styled.number("#script_txt2img_instantstyle_style_weight", "1.5")
    direct = styled.generate_small("a saved style")
    assert direct
    picture = styled.page.locator("#txt2img_gallery img").first.get_attribute("src")
    styled.open_tab("Library")
    styled.text("style_name", "browser test")
    styled.press("style_save")
    expect(styled.control("style_said")).to_contain_text("Saved browser test", timeout=PATIENCE)
    styled.press("style_save")
    assert "There is a style 'browser test' already" in styled.toast()

    fresh = StylePage(styled.page, styled.page.url)
    fresh.open_accordion()
    fresh.open_tab("Library")
    fresh.pick("style", "browser test")
    fresh.open_tab("Style")
    expect(fresh.control("in_use")).to_contain_text("Saved style “browser test” is in use", timeout=PATIENCE)
    expect(fresh.control("content").locator("textarea")).to_have_value("stripes", timeout=PATIENCE)
    assert fresh.value("style_weight") == "1.5"
    assert "InstantStyle style: browser test" in fresh.generate_small("a saved style")
    assert picture
    fresh.open_tab("Library")
    fresh.press("style_export")
    with fresh.page.expect_download() as download:
        fresh.control("style_file").locator("a[download], a").first.click()
    exported = tmp_path / "it's (หมึก).safetensors"
    download.value.save_as(exported)
    fresh.give("style_import", exported)
    expect(fresh.control("style_said")).to_contain_text("Imported it's (หมึก)", timeout=PATIENCE)
    fresh.page.evaluate("answer = window.confirm, window.confirm = () => false")
    fresh.press("style_delete")
    fresh.page.wait_for_timeout(1000)
    assert fresh.value("style") == "browser test"
    fresh.page.evaluate("window.confirm = answer")
    for name in ("browser test", "it's (หมึก)"):
        fresh.pick("style", name)
        fresh.press("style_delete")
        expect(fresh.control("style_said")).to_contain_text(f"Deleted {name}", timeout=PATIENCE)


def _save_a_boat(styled: StylePage) -> None:
    styled.text("content", "a boat")
    styled.open_tab("Library")
    styled.text("style_name", "browser test")
    styled.press("style_save")
    expect(styled.control("style_said")).to_contain_text("Saved browser test", timeout=PATIENCE)


def _delete_it(styled: StylePage) -> None:
    styled.open_tab("Library")
    styled.pick("style", "browser test")
    styled.press("style_delete")
    expect(styled.control("style_said")).to_contain_text("Deleted browser test", timeout=PATIENCE)


def test_a_saved_style_gives_back_what_it_replaced(styled: StylePage) -> None:
    _save_a_boat(styled)
    styled.open_tab("Style")
    styled.text("content", "a house")
    styled.number("#script_txt2img_instantstyle_style_weight", "1.3")
    styled.open_tab("Library")
    styled.pick("style", "browser test")
    styled.open_tab("Style")
    expect(styled.control("content").locator("textarea")).to_have_value("a boat", timeout=PATIENCE)
    expect(styled.control("image").locator("img")).to_have_count(0)
    styled.open_tab("Library")
    styled.control("style").locator("input").click()
    styled.control("style").locator("li").first.click()  # none
    styled.open_tab("Style")
    expect(styled.control("content").locator("textarea")).to_have_value("a house", timeout=PATIENCE)
    expect(styled.control("image").locator("img")).to_be_visible()
    assert styled.value("style_weight") == "1.3"
    expect(styled.control("preflight")).to_contain_text("✓ Reference", timeout=PATIENCE)
    _delete_it(styled)


def test_added_pictures_bring_back_what_a_saved_style_replaced(styled: StylePage, sunset: Path) -> None:
    _save_a_boat(styled)
    styled.open_tab("Style")
    styled.text("content", "a house")
    styled.open_tab("Library")
    styled.pick("style", "browser test")
    expect(styled.control("image").locator("img")).to_have_count(0, timeout=PATIENCE)
    styled.open_tab("References")
    styled.give("images_upload", sunset)
    expect(styled.control("images").locator("img")).to_have_count(1, timeout=PATIENCE)
    styled.open_tab("Style")
    expect(styled.control("image").locator("img")).to_be_visible(timeout=PATIENCE)
    expect(styled.control("content").locator("textarea")).to_have_value("a house", timeout=PATIENCE)
    assert styled.value("style") == ""
    expect(styled.control("preflight")).to_contain_text("Ready", timeout=PATIENCE)
    _delete_it(styled)


def test_no_file_but_a_style_is_imported(page: StylePage, tmp_path: Path) -> None:
    path = tmp_path / "evil.safetensors"
    path.write_bytes(b"\xff" * 64)
    page.open_accordion()
    page.open_tab("Library")
    page.give("style_import", path)
    assert "evil.safetensors is not an InstantStyle style" in page.toast()


def test_a_block_is_dragged(styled: StylePage) -> None:
    styled.open_tab("Blocks")
    expect(styled.control("preflight")).to_contain_text("✓ Reference", timeout=PATIENCE)
    box = styled.place(styled.control("map").locator('[data-block="mid_block.attentions.0"] .instantstyle-track'))
    x, bottom = box["x"] + box["width"] / 2, box["y"] + box["height"] - 4
    styled.page.mouse.move(x, bottom)
    styled.page.mouse.down()
    styled.page.mouse.move(x, bottom - box["height"] / 2, steps=6)
    styled.page.mouse.up()
    expect(styled.control("blocks").locator("textarea")).to_have_value(
        re.compile(r"style:1, mid_block\.attentions\.0:(0\.9|0\.95|1|1\.05|1\.1)"), timeout=PATIENCE
    )


def test_a_point_of_the_curve_is_dragged(styled: StylePage) -> None:
    styled.open_tab("Timing")
    styled.choose("curve", "0:0.4, 0.5:1, 1:0")
    handles = styled.control("drawing").locator(".instantstyle-handle")
    expect(handles).to_have_count(3, timeout=PATIENCE)
    box, point = styled.place(styled.control("drawing").locator(".instantstyle-handles")), styled.place(handles.nth(1))
    x, y = point["x"] + point["width"] / 2, point["y"] + point["height"] / 2
    styled.page.mouse.move(x, y)
    styled.page.mouse.down()
    styled.page.mouse.move(x - box["width"] * 0.25, y + box["height"] * 0.5, steps=6)
    styled.page.mouse.up()
    expect(styled.control("curve").locator("input")).to_have_value("0:0.4, 0.25:0.5, 1:0", timeout=PATIENCE)
    expect(handles.nth(1)).to_have_attribute("data-place", "0.25", timeout=PATIENCE)
    assert 'curve: "0:0.4, 0.25:0.5, 1:0"' in styled.generate_small("dragged")


def test_an_unknown_picture_is_described_or_said_why_not(styled: StylePage) -> None:
    """The real WebUI needs its BLIP and CLIP files for this; without them the reason must be shown."""
    styled.press("caption")
    content = styled.control("content").locator("textarea")
    styled.page.wait_for_function(
        "box => box.value || document.querySelector('.toast-body')", arg=content.element_handle(), timeout=PATIENCE
    )
    if not content.input_value():
        assert "interrogator (CLIP) failed" in styled.toast()


def test_sending_carries_galleries_too(styled: StylePage, sunset: Path) -> None:
    styled.open_tab("References")
    styled.give("images_upload", sunset)
    expect(styled.control("images").locator("img")).to_have_count(1, timeout=PATIENCE)
    styled.choose("combine", "Add up")
    infotext = styled.generate_small("sent with two")
    styled.page.click("#txt2img_send_to_img2img")
    expect(styled.control("combine", "img2img").locator("input")).to_have_value("Add up", timeout=PATIENCE)
    expect(styled.control("images", "img2img").locator("img")).to_have_count(1)
    assert "combine: Add up" in infotext


def test_a_card_puts_the_style_into_the_prompt(styled: StylePage) -> None:
    styled.open_tab("Library")
    styled.text("style_name", "card test")
    styled.press("style_save")
    expect(styled.control("style_said")).to_contain_text("Saved card test", timeout=PATIENCE)
    page, cards = styled, styled.page.locator("#txt2img_extra_tabs")
    page.turn_to(cards, "InstantStyle")
    card = page.page.locator("#txt2img_instantstyle_cards .card", has_text="card test")
    expect(card.locator("img.preview")).to_have_count(1, timeout=PATIENCE)
    card.click()
    prompt = page.page.locator("#txt2img_prompt textarea")
    expect(prompt).to_have_value(re.compile(r"\s*<instantstyle:card test:1>"), timeout=PATIENCE)
    page.turn_to(cards, "Generation")
    assert "InstantStyle styles: " in page.generate_small("<instantstyle:card test:1> a house")
    page.open_tab("Library")
    page.pick("style", "card test")
    page.press("style_delete")
    expect(page.control("style_said")).to_contain_text("Deleted card test", timeout=PATIENCE)
