"""The rows of the tab References: one for each reference, whichever tab its picture came from."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, StylePage

_PUT = """async ([box, data]) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([await (await fetch(data)).blob()], "other.png", {type: "image/png"}));
    box.dispatchEvent(new DragEvent("drop", {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""


def row(page: StylePage, number: int) -> Locator:
    return page.control("rows").locator(".instantstyle-reference").nth(number - 1)


def rows_are(page: StylePage, count: int) -> None:
    expect(page.control("rows").locator(".instantstyle-reference")).to_have_count(count, timeout=PATIENCE)


def picture_of(page: StylePage, number: int) -> str:
    """Return what tells a picture from others: the colours of its thumbnail, however it is named."""
    image = row(page, number).locator("[data-picture]")
    expect(image).to_be_visible(timeout=PATIENCE)
    return str(
        image.evaluate(
            """async (image) => {
                await image.decode();
                const canvas = Object.assign(document.createElement("canvas"), {width: 4, height: 4});
                canvas.getContext("2d").drawImage(image, 0, 0, 4, 4);
                return canvas.getContext("2d").getImageData(0, 0, 4, 4).data.join();
            }"""
        )
    )


def fill_region(page: StylePage, number: int) -> None:
    """Make the whole picture the region of a reference."""
    page.control("region_canvas").locator("[role=radio]").nth(number - 1).click()
    page.page.wait_for_timeout(700)
    page.control("region_canvas").locator("[data-do=invert]").click()
    expect(page.control("masks").locator(f"img[alt='Reference {number}']")).to_have_count(1, timeout=PATIENCE)


def masks_of(page: StylePage) -> list[str]:
    return page.control("masks").locator("img").evaluate_all("masks => masks.map(mask => mask.alt)")


@pytest.fixture
def three(page: StylePage, stripes: Path, sunset: Path, dots: Path) -> StylePage:
    """Three references, with weights 1, 0.5 and 2, and masks for the first two."""
    page.open_accordion()
    page.upload(stripes)
    page.open_tab("References")
    page.give("images_upload", sunset, dots)
    rows_are(page, 3)
    for number, weight in ((2, "0.5"), (3, "2")):
        row(page, number).locator("[type=number]").fill(weight)
        row(page, number).locator("[type=number]").press("Tab")
    expect(page.control("weights").locator("textarea")).to_have_value("1, 0.5, 2")
    page.open_tab("Regions")
    for number in (1, 2):
        fill_region(page, number)
    page.open_tab("References")
    return page


def test_a_row_has_picture_weight_and_region(three: StylePage) -> None:
    assert [row(three, number).locator("b").inner_text() for number in (1, 2, 3)] == ["1", "2", "3"]
    assert len({picture_of(three, number) for number in (1, 2, 3)}) == 3
    expect(row(three, 2).locator("[data-mask] img")).to_be_visible()
    expect(row(three, 3).locator("[data-mask]")).to_have_text("No region")
    expect(three.control("weights")).to_be_hidden()  # folded away
    row(three, 3).locator("[type=range]").fill("0.75")
    expect(three.control("weights").locator("textarea")).to_have_value("1, 0.5, 0.75")
    infotext = three.generate_small("three references")
    assert 'weights: "1, 0.5, 0.75"' in infotext
    assert all(f"mask {number} " in infotext for number in (1, 2))


def test_rows_follow_the_text(three: StylePage) -> None:
    three.unfold_weights()
    three.text("weights", "0.2, 0.4")
    for number, weight in ((1, "0.2"), (2, "0.4"), (3, "1")):
        expect(row(three, number).locator("[type=number]")).to_have_value(weight)


@pytest.mark.parametrize(
    ("number", "weights", "masks"),
    [(1, "0.5, 2", ["Reference 1"]), (2, "1, 2", ["Reference 1"]), (3, "1, 0.5", ["Reference 1", "Reference 2"])],
)
def test_whichever_is_removed_takes_weight_and_mask_along(
    three: StylePage, number: int, weights: str, masks: list[str]
) -> None:
    left = [picture_of(three, each) for each in (1, 2, 3) if each != number]
    row(three, number).locator("[data-remove]").click()
    rows_are(three, 2)
    expect(three.control("weights").locator("textarea")).to_have_value(weights, timeout=PATIENCE)
    assert [picture_of(three, each) for each in (1, 2)] == left
    assert masks_of(three) == masks
    if number < 3:
        assert f"The region mask of reference {number} went with it" in three.toast()
    three.open_tab("Style")
    expect(three.control("image").locator("img")).to_have_count(1)
    assert f'weights: "{weights}"' in three.generate_small("two references")


def test_emptying_the_box_removes_the_first_reference(three: StylePage) -> None:
    second = picture_of(three, 2)
    three.open_tab("Style")
    three.control("image").locator("button[aria-label=Clear], button[aria-label='Remove Image']").first.click()
    expect(three.control("weights").locator("textarea")).to_have_value("0.5, 2", timeout=PATIENCE)
    three.open_tab("References")
    rows_are(three, 2)
    assert picture_of(three, 1) == second


def test_another_picture_in_its_place_keeps_weight_and_mask(three: StylePage, sunset: Path) -> None:
    first, second = picture_of(three, 1), picture_of(three, 2)
    three.open_tab("Style")
    data = f"data:image/png;base64,{base64.b64encode(sunset.read_bytes()).decode()}"
    box = three.control("image").locator("[data-testid=image]").element_handle()
    three.page.evaluate(_PUT, [box, data])
    three.open_tab("References")
    three.page.wait_for_timeout(1500)
    rows_are(three, 3)
    assert picture_of(three, 1) == second != first
    assert three.control("weights").locator("textarea").input_value() == "1, 0.5, 2"
    assert masks_of(three) == ["Reference 1", "Reference 2"]


def test_what_is_added_first_is_the_first(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.open_tab("References")
    page.give("images_upload", stripes, sunset)
    rows_are(page, 2)
    page.open_tab("Style")
    expect(page.control("image").locator("img")).to_have_count(1, timeout=PATIENCE)
    assert "reference: " in page.generate_small("added")


def test_further_references_have_views(three: StylePage) -> None:
    expect(three.control("views").locator("img")).to_have_count(3, timeout=PATIENCE)
    three.choose("combine", "Each place picks one")
    three.choose("crop", "Average of tiles")
    expect(three.control("views").locator("img")).to_have_count(6, timeout=PATIENCE)  # two tiles each
    assert "combine: Each place picks one" in three.generate_small("three references")


def test_a_row_leads_to_its_region(three: StylePage) -> None:
    row(three, 3).locator("[data-mask]").click()
    chosen = three.control("region_canvas").locator("[role=radio][aria-checked=true]")
    expect(chosen).to_have_text("3", timeout=PATIENCE)
