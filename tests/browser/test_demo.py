"""The demo's page opens with what the miniature is good at, and the host's own tools work on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from PIL import Image, ImageChops
from playwright.sync_api import Page, expect

from tests.browser.page import PATIENCE, StylePage
from tests.demo.__main__ import OPENING, WISHES
from tests.host import start
from tests.mini.assemble import assemble
from tests.mini.drawing import picture


@pytest.fixture(scope="module")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    models = assemble(tmp_path_factory.mktemp("demo")).root
    with start(models, "--api", "--extension", str(OPENING)) as host:
        yield host.url


@pytest.fixture
def demo(browser_page: Page, demo_url: str) -> StylePage:
    page = StylePage(browser_page, demo_url)
    page.open_accordion()
    return page


def made(page: StylePage) -> str:
    """Generate with what the page says, in fewer steps, and return the infotext below the picture."""
    page.number("#txt2img_steps", "3")
    page.page.click("#txt2img_generate")
    info = page.page.locator("#html_info_txt2img").first
    expect(info).to_contain_text("Steps: 3", timeout=3 * PATIENCE)
    return info.inner_text()


def test_the_sample_reference_is_the_first_of_the_sheet() -> None:
    with Image.open(OPENING / "reference.png") as sample:
        assert ImageChops.difference(sample.convert("RGB"), picture(WISHES[0].reference)).getbbox() is None


def test_it_opens_ready_to_generate(demo: StylePage) -> None:
    numbers = ("steps", "width", "height", "cfg_scale")
    values = [demo.page.locator(f"#txt2img_{name} input[type=number]").first.input_value() for name in numbers]
    assert values == ["20", "128", "128", "4"]
    expect(demo.control("image").locator("img")).to_be_visible()
    expect(demo.control("preflight")).to_contain_text("Ready to generate.", timeout=PATIENCE)
    infotext = made(demo)
    assert infotext.startswith("a star")
    assert re.search("Size: 128x128.*InstantStyle content: a circle", infotext)


def test_the_arrow_brings_the_last_picture_back(demo: StylePage) -> None:
    infotext = made(demo)
    fresh = StylePage(demo.page, demo.page.url)
    fresh.page.fill("#txt2img_prompt textarea", "")
    fresh.page.click("#paste")
    expect(fresh.page.locator("#txt2img_prompt textarea")).to_have_value("a star", timeout=PATIENCE)
    assert fresh.is_on()
    assert fresh.value("content") == "a circle"
    assert fresh.value("reference") in infotext


def test_an_axis_with_choices_is_plotted(demo: StylePage) -> None:
    script = demo.page.get_by_label("Script").first
    script.fill("X/Y/Z plot")
    script.press("Enter")
    kind = demo.page.locator("#script_txt2img_xyz_plot_x_type input")
    expect(kind).to_be_visible(timeout=PATIENCE)
    kind.fill("[InstantStyle] Preset")
    kind.press("Enter")
    values = demo.page.locator("#script_txt2img_xyz_plot_x_values_dropdown")
    for choice in ("Style + layout", "Everything"):
        values.locator("input").click(timeout=PATIENCE)
        values.locator("li").filter(has_text=choice).click()
    assert "InstantStyle preset: Style + layout" in made(demo)
    grid = demo.page.locator("#txt2img_gallery img").first
    assert grid.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [256, 128]


def test_the_tab_models_says_what_the_miniature_can_do(demo: StylePage) -> None:
    demo.open_tab("Models")
    found = demo.control("found")
    expect(found).to_contain_text("content removal where text vectors are 64 wide too", timeout=PATIENCE)
