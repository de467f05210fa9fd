"""The status line says what is there, and what to do next."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.page import PATIENCE, StylePage
from tests.browser.test_habits import give, header


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
    expect(page.control("preflight")).to_contain_text("3 weights for 1 references")
    expect(page.control("preflight")).not_to_contain_text("(weights)")
    page.text("weights", "")
    expect(page.control("preflight")).to_contain_text("Ready", timeout=PATIENCE)


def test_a_replaced_picture_counts_at_once(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    line = page.control("preflight")
    for picture in (sunset, stripes):
        expect(line).to_contain_text("✓ Reference", timeout=PATIENCE)
        assert give(page.control("image").locator("img"), "drop", picture)
        page.page.wait_for_timeout(1500)  # what the removal of the first has set off would have ended
    expect(line).to_contain_text("✓ Reference", timeout=PATIENCE)


def test_a_file_that_is_no_picture_is_named(page: StylePage, stripes: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_bytes(b"no picture")
    page.open_accordion()
    page.control("image").locator("input[type=file]").set_input_files(text)
    line = page.control("preflight")
    expect(line).to_contain_text("The style reference 1 cannot be read", timeout=PATIENCE)
    assert give(header(page), "drop", stripes)
    expect(line).to_contain_text("Ready", timeout=PATIENCE)


def test_a_layout_or_subject_picture_takes_effect(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    page.open_tab("References")
    page.control("layout_image").locator("input[type=file]").set_input_files(sunset)
    assert "The preset is now one with layout" in page.toast()
    page.control("subject_image").locator("input[type=file]").set_input_files(sunset)
    expect(page.control("subject_weight").locator("input[type=number]")).to_have_value("0.2", timeout=PATIENCE)
    page.open_tab("Style")
    assert page.value("preset") == "Style + layout"
    line = page.control("preflight")
    expect(line).to_contain_text("Ready", timeout=PATIENCE)
    page.pick("preset", "Style")
    expect(line).to_contain_text("The layout picture does nothing: choose a preset with layout", timeout=PATIENCE)
    page.number("#script_txt2img_instantstyle_style_weight", "0")
    page.choose("preset", "Style + layout")
    expect(line).to_contain_text("Ready", timeout=PATIENCE)


def test_what_is_no_picture_leaves_the_settings(page: StylePage, stripes: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.png"
    text.write_bytes(b"no picture")
    page.open_accordion()
    page.upload(stripes)
    page.open_tab("References")
    for name in ("layout", "subject"):
        page.control(f"{name}_image").locator("input[type=file]").set_input_files(text)
        expect(page.control("preflight")).to_contain_text(f"The {name} picture cannot be read", timeout=PATIENCE)
        page.control(f"{name}_image").locator("button[aria-label='Remove Image'], button[aria-label='Clear']").click()
        expect(page.control("preflight")).to_contain_text("Ready", timeout=PATIENCE)
    assert page.value("subject_weight") == "0"
    page.open_tab("Style")
    assert page.value("preset") == "Style"


def test_saved_styles_in_the_prompt_and_cfg_are_looked_at(page: StylePage, stripes: Path) -> None:
    prompt, line = page.page.locator("#txt2img_prompt textarea"), page.control("preflight")
    page.open_accordion()
    page.upload(stripes)
    expect(line).to_contain_text("Ready", timeout=PATIENCE)
    prompt.fill("a house <instantstyle:nope:1>")
    expect(line).to_contain_text("There is no saved style 'nope'", timeout=PATIENCE)
    prompt.fill("a house")
    expect(line).to_contain_text("Ready", timeout=PATIENCE)
    page.open_tab("Library")
    page.text("style_name", "browser tag")
    page.press("style_save")
    expect(page.control("style_said")).to_contain_text("Saved browser tag", timeout=PATIENCE)
    page.page.locator("#script_txt2img_instantstyle_enabled-visible-checkbox").uncheck()
    expect(line).to_contain_text("InstantStyle is off: tick the box", timeout=PATIENCE)
    prompt.fill("a house <instantstyle:browser tag:1>")
    expect(line).to_contain_text("off, but the saved styles in the prompt act", timeout=PATIENCE)
    page.page.locator("#script_txt2img_instantstyle_enabled-visible-checkbox").check()
    page.pick("style", "browser tag")
    page.press("style_delete")
    expect(line).to_contain_text("There is no saved style 'browser tag'", timeout=PATIENCE)
    prompt.fill("a house")
    page.open_tab("Content")  # the picture is back
    page.number("#script_txt2img_instantstyle_anti_layout", "1")
    expect(line).to_contain_text("Ready", timeout=PATIENCE)
    page.number("#txt2img_cfg_scale", "1")
    expect(line).to_contain_text("CFG 1 leaves out anti-layout: raise CFG Scale above 1.", timeout=PATIENCE)


def test_the_layout_weight_is_grey_where_it_does_nothing(page: StylePage) -> None:
    page.open_accordion()
    number = page.control("layout_weight").locator("input[type=number]")
    expect(number).to_be_disabled()
    page.choose("preset", "Style + layout")
    expect(number).to_be_enabled(timeout=PATIENCE)
    page.pick("preset", "Style")
    expect(number).to_be_disabled(timeout=PATIENCE)


def test_what_the_next_job_has_got_over_is_no_longer_said(page: StylePage, stripes: Path) -> None:
    page.open_accordion()
    page.upload(stripes)
    line = page.control("preflight")
    expect(line).to_contain_text("Ready", timeout=PATIENCE)
    assert "nope" in page.generate_in_vain("a house <instantstyle:nope:1>")  # which the line says even before
    expect(line).to_contain_text("There is no saved style 'nope'", timeout=PATIENCE)
    page.generate_small("a house")
    expect(line).to_contain_text("Ready", timeout=PATIENCE)
