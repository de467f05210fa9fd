"""From the closed accordion to a styled picture, and every setting back again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.page import PATIENCE, StylePage
from tests.live.client import WebUI


def _set_everything(page: StylePage, stripes: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    page.text("content", "a cat, (balloons)")
    page.number("#script_txt2img_instantstyle_style_weight", "0.8")
    page.open_tab("Blocks")
    page.text("blocks", "style:1, layout:0.4")
    expect(page.control("preset").locator("input")).to_have_value("Custom")
    page.open_tab("Timing")
    page.number("#script_txt2img_instantstyle_end", "0.9")


def test_it_starts_closed_and_off(page: StylePage) -> None:
    assert not page.is_on()
    expect(page.control("preset")).to_be_hidden()
    assert "InstantStyle" not in page.generate_small("plain")


def test_a_styled_picture_says_how_it_was_made(page: StylePage, stripes: Path) -> None:
    _set_everything(page, stripes)
    infotext = page.generate_small("styled")
    expect(page.page.locator("#txt2img_gallery img").first).to_be_visible()
    for part in ("InstantStyle preset: Custom", 'blocks: "style:1, layout:0.4"', "style weight: 0.8", "end: 0.9",
                 "adapter: ip-adapter_sdxl.safetensors", "reference: "):  # fmt: skip
        assert part in infotext
    assert ("adapter SHA-256: " in infotext) == ("Model hash: " in infotext)  # neither with `--no-hashing`


def test_send_to_img2img_carries_settings_and_picture(page: StylePage, stripes: Path) -> None:
    _set_everything(page, stripes)
    page.generate_small("sent")
    page.page.click("#txt2img_send_to_img2img")
    expect(page.control("content", "img2img").locator("textarea")).to_have_value("a cat, (balloons)", timeout=PATIENCE)
    assert page.is_on("img2img")
    assert page.value("blocks", "img2img") == "style:1, layout:0.4"
    assert page.value("style_weight", "img2img") == "0.8"
    assert page.control("image", "img2img").locator("img").count() == 1


def test_pasted_parameters_come_back_without_the_picture(page: StylePage, stripes: Path) -> None:
    _set_everything(page, stripes)
    infotext = page.generate_small("pasted")
    fresh = StylePage(page.page, page.page.url)
    fresh.page.fill("#txt2img_prompt textarea", infotext)
    fresh.page.click("#paste")
    expect(fresh.control("content").locator("textarea")).to_have_value("a cat, (balloons)", timeout=PATIENCE)
    assert fresh.is_on()
    assert fresh.value("preset") == "Custom"
    assert fresh.value("end") == "0.9"
    assert fresh.generate_small("pasted") == infotext


def test_pasting_another_picture_s_parameters_switches_off(page: StylePage, stripes: Path) -> None:
    page.open_accordion()
    page.page.fill("#txt2img_prompt textarea", "a tree\nSteps: 2, Sampler: Euler, CFG scale: 5, Seed: 3, Size: 64x64")
    page.page.click("#paste")
    expect(page.page.locator("#script_txt2img_instantstyle_enabled-visible-checkbox")).not_to_be_checked(
        timeout=PATIENCE
    )


def test_a_mistake_is_shown(page: StylePage) -> None:
    page.open_accordion()
    page.generate_in_vain()  # whose words some WebUIs lose
    assert "No reference picture was given" in page.toast()
    expect(page.control("preflight")).to_contain_text("No reference picture was given")
    assert "InstantStyle" not in StylePage(page.page, page.page.url).generate_small("plain")


def test_refreshing_the_adapters_keeps_the_choice(page: StylePage) -> None:
    page.open_accordion()
    page.choose("adapter", "ip-adapter_sdxl_vit-h.safetensors")
    page.control("adapter_refresh").click()
    page.page.wait_for_timeout(500)
    assert page.value("adapter") == "ip-adapter_sdxl_vit-h.safetensors"


def test_two_pages_and_the_api_at_once(page: StylePage, webui_url: str, stripes: Path, sunset: Path) -> None:
    references = (stripes, sunset)
    pages = [_with_reference(page, webui_url, picture) for picture in references]
    with ThreadPoolExecutor(1) as pool:
        plain = pool.submit(WebUI(webui_url).txt2img)
        for each in pages:
            each.press_generate("a house")
        together = [each.result() for each in pages]
        assert not plain.result().styled
    alone = []
    for each, picture in zip(pages, references, strict=True):
        each.page.close()
        again = _with_reference(page, webui_url, picture)
        again.press_generate("a house")
        alone.append(again.result())
        again.page.close()
    assert together == alone
    assert alone[0] != alone[1]


def _with_reference(page: StylePage, url: str, picture: Path) -> StylePage:
    """Open another page, with ``picture`` as its reference."""
    browser = page.page.context.browser
    assert browser
    other = StylePage(browser.new_page(viewport=page.page.viewport_size), url)
    other.open_accordion()
    other.upload(picture)
    return other
