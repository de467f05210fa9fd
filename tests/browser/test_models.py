"""The tab Models, used as a person would."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.page import PATIENCE, StylePage


def test_what_was_found_is_told_in_plain_words(page: StylePage) -> None:
    page.open_accordion()
    page.open_tab("Models")
    found = page.control("found")
    expect(found).to_contain_text("ip-adapter_sdxl.safetensors", timeout=PATIENCE)
    expect(found).to_contain_text("IP-Adapter for ViT-bigG: style, layout and content removal")
    expect(found).to_contain_text("sees through tiny-bigG")
    expect(found).to_contain_text("Image encoder ViT-H")
