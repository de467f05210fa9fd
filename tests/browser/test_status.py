"""The status line says what is there, and what to do next."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.page import PATIENCE, StylePage


def test_from_opening_to_ready(page: StylePage, stripes: Path) -> None:
    page.open_accordion()
    line = page.control("preflight")
    expect(line).to_contain_text("✗ Reference", timeout=PATIENCE)
    expect(line).to_contain_text("Drop a picture whose style you like")
    page.upload(stripes)
    expect(line).to_contain_text("✓ Reference", timeout=PATIENCE)
    expect(line).to_contain_text("Ready")
    for name in ("SDXL model", "Adapter", "Image encoder"):
        expect(line).to_contain_text(f"✓ {name}")
    page.text("content", "a cat")
    page.control("content").locator("textarea").blur()
    expect(line).to_contain_text("✓ Content to remove", timeout=PATIENCE)
    page.choose("adapter", "ip-adapter_sdxl_vit-h.safetensors")
    expect(line).to_contain_text("cannot remove content", timeout=PATIENCE)
    page.page.locator("#script_txt2img_instantstyle_enabled-visible-checkbox").uncheck()
    expect(line).to_contain_text("InstantStyle is off", timeout=PATIENCE)


def test_further_references_count(page: StylePage, stripes: Path) -> None:
    page.open_accordion()
    expect(page.control("preflight")).to_contain_text("✗ Reference", timeout=PATIENCE)
    page.open_tab("References")
    page.give("images_upload", stripes)
    expect(page.control("preflight")).to_contain_text("✓ Reference", timeout=PATIENCE)


def test_what_stopped_a_job_is_told_where_one_looks(page: StylePage, stripes: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    page.open_tab("References")
    page.unfold_weights()
    page.text("weights", "1, 2, 3")
    page.generate_in_vain()
    assert "3 weights for 1 references" in page.toast()
