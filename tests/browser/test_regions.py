"""The tab Regions: painting, and what becomes of it without another click."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, expect

from tests.browser.page import PATIENCE, StylePage

_LOOK_MS = 900  # the page's script looks at the accordion a few times in it

Point = tuple[float, float]
# The share of a canvas that is painted, and what is read at a place of it: red, green, blue, alpha.
_SHARE = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, at) => at % 4 === 3 && value > 127).length * 4 / data.length;
}"""
_PIXEL = (
    """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data]"""
)


def canvas(page: StylePage, which: str = "own") -> Locator:
    return page.control("region_canvas").locator(f"canvas[data-{which}]")


def share(page: StylePage, which: str = "own") -> float:
    page.page.wait_for_timeout(_LOOK_MS)
    return float(canvas(page, which).evaluate(_SHARE))


def pixel(page: StylePage, at: Point, which: str = "own") -> list[int]:
    return list(canvas(page, which).evaluate(_PIXEL, list(at)))


def paint(page: StylePage, start: Point = (0.3, 0.3), end: Point = (0.4, 0.7)) -> None:
    box = page.place(canvas(page))
    mouse = page.page.mouse
    mouse.move(box["x"] + box["width"] * start[0], box["y"] + box["height"] * start[1])
    mouse.down()
    mouse.move(box["x"] + box["width"] * end[0], box["y"] + box["height"] * end[1], steps=8)
    mouse.up()


def press(page: StylePage, action: str) -> None:
    page.page.wait_for_timeout(_LOOK_MS)
    page.control("region_canvas").locator(f"[data-do={action}]").click()


def choose(page: StylePage, number: int) -> None:
    page.control("region_canvas").locator("[role=radio]").nth(number - 1).click()
    page.page.wait_for_timeout(_LOOK_MS)


def masks_are(page: StylePage, *numbers: int) -> None:
    masks = page.control("masks").locator("img")
    expect(masks).to_have_count(len(numbers), timeout=PATIENCE)
    assert masks.evaluate_all("masks => masks.map(mask => mask.alt)") == [f"Reference {number}" for number in numbers]


@pytest.fixture
def one(page: StylePage, stripes: Path) -> StylePage:
    page.open_accordion()
    page.upload(stripes)
    for selector in ("#txt2img_width", "#txt2img_height"):
        page.number(selector, "64")
    page.open_tab("Regions")
    expect(page.control("region_canvas").locator("[role=radio]")).to_have_count(1, timeout=PATIENCE)
    return page


@pytest.fixture
def two(one: StylePage, sunset: Path) -> StylePage:
    one.open_tab("References")
    one.give("images_upload", sunset)
    expect(one.control("rows").locator(".instantstyle-reference")).to_have_count(2, timeout=PATIENCE)
    one.open_tab("Regions")
    return one


def test_only_references_that_are_there_are_offered(page: StylePage, stripes: Path, sunset: Path) -> None:
    page.open_accordion()
    page.open_tab("Regions")
    expect(page.control("region_canvas")).to_contain_text("There is no reference yet")
    expect(canvas(page)).to_be_hidden()
    page.open_tab("References")
    page.give("images_upload", stripes, sunset)
    page.open_tab("Regions")
    chips = page.control("region_canvas").locator("[role=radio]")
    expect(chips).to_have_count(2, timeout=PATIENCE)
    expect(chips.locator("img:visible")).to_have_count(2)
    expect(page.control("region_canvas")).not_to_contain_text("There is no reference yet", use_inner_text=True)


def test_a_stroke_is_used_when_it_ends(one: StylePage) -> None:
    paint(one)
    masks_are(one, 1)
    assert "mask 1 " in one.generate_small("a region")
    press(one, "clear")
    masks_are(one)


def test_the_canvas_stays_where_it_is_while_a_stroke_is_used(one: StylePage) -> None:
    own = canvas(one)
    one.place(own)
    own.evaluate(
        """canvas => {
            window.tops = new Set();
            const look = () => {
                tops.add(Math.round(canvas.getBoundingClientRect().top + scrollY));
                requestAnimationFrame(look);
            };
            look();
        }"""
    )
    paint(one)
    masks_are(one, 1)
    one.page.wait_for_timeout(_LOOK_MS)
    assert own.evaluate("() => tops.size") == 1


def test_generate_waits_for_the_last_stroke(one: StylePage) -> None:
    paint(one)
    assert "mask 1 " in one.generate_small("at once")
    first = one.control("masks").locator("img").get_attribute("src")
    paint(one, (0.6, 0.2), (0.8, 0.2))
    one.page.locator("#txt2img_generate").click()
    expect(one.control("masks").locator("img")).not_to_have_attribute("src", str(first), timeout=PATIENCE)


def test_each_reference_has_its_region_in_its_colour(two: StylePage) -> None:
    paint(two, (0.2, 0.2), (0.2, 0.8))
    masks_are(two, 1)
    choose(two, 2)
    assert share(two) == 0
    paint(two, (0.8, 0.2), (0.8, 0.8))
    masks_are(two, 1, 2)
    assert pixel(two, (0.2, 0.5), "others") == [249, 115, 22, 255]
    assert pixel(two, (0.8, 0.5)) == [59, 130, 246, 255]
    choose(two, 1)
    assert pixel(two, (0.2, 0.5)) == [249, 115, 22, 255]  # its mask is there for further painting
    assert pixel(two, (0.8, 0.5), "others") == [59, 130, 246, 255]
    before = share(two)
    paint(two, (0.5, 0.2), (0.5, 0.8))
    assert share(two) > before
    masks_are(two, 1, 2)


def test_undo_erase_invert_and_fill(two: StylePage) -> None:
    paint(two, (0.2, 0.2), (0.2, 0.8))
    painted = share(two)
    press(two, "invert")
    assert share(two) == pytest.approx(1 - painted, abs=0.01)
    press(two, "undo")
    assert share(two) == pytest.approx(painted, abs=0.01)
    choose(two, 2)
    press(two, "rest")
    assert share(two) == pytest.approx(1 - painted, abs=0.01)
    masks_are(two, 1, 2)
    choose(two, 1)
    two.control("region_canvas").locator("[data-brush]").fill("40")
    two.control("region_canvas").locator("[data-eraser]").check()
    paint(two, (0.2, 0.2), (0.2, 0.8))
    masks_are(two, 2)  # what is erased entirely is no region
    press(two, "undo")
    masks_are(two, 1, 2)


def test_the_edge_of_the_brush_may_be_soft(one: StylePage) -> None:
    brush = one.control("region_canvas")
    brush.locator("[data-brush]").fill("40")
    brush.locator("[data-soft]").fill("100")
    paint(one, (0.5, 0.2), (0.5, 0.8))
    masks_are(one, 1)
    assert share(one) > 0
    alphas = [pixel(one, (x, 0.5))[3] for x in (0.5, 0.6, 0.7, 0.95)]
    assert alphas[0] > 200
    assert alphas[3] == 0
    assert alphas == sorted(set(alphas), reverse=True)


def test_one_paints_over_the_last_result(one: StylePage) -> None:
    over = one.control("region_canvas").locator("[data-over]")
    sheet = one.control("region_canvas").locator("[data-sheet]")
    over.check()
    expect(one.control("region_canvas")).to_contain_text("There is no result yet", use_inner_text=True)
    one.generate_small("a result")
    expect(sheet).to_have_attribute("style", re.compile(r"url\("), timeout=PATIENCE)
    over.uncheck()
    expect(sheet).not_to_have_attribute("style", re.compile(r"url\("), timeout=PATIENCE)


def test_a_mask_of_another_shape_is_stretched_and_shown(one: StylePage, tmp_path: Path) -> None:
    image = Image.new("L", (64, 128), 0)
    image.paste(255, (0, 0, 32, 128))
    image.save(tmp_path / "mask.png")
    one.control("region_canvas").locator("input[type=file]").set_input_files(tmp_path / "mask.png")
    assert "was stretched to the picture's shape: it was 64×128" in one.toast()  # which goes again
    masks_are(one, 1)
    assert share(one) == pytest.approx(0.5, abs=0.01)
    infotext = one.generate_small("a mask")
    assert "mask 1 " in infotext
    assert "InstantStyle note" not in infotext


def test_a_region_follows_the_size_that_is_set(one: StylePage) -> None:
    paint(one, (0.2, 0.2), (0.2, 0.8))
    painted = share(one)
    one.number("#txt2img_width", "128")
    one.page.wait_for_timeout(_LOOK_MS)
    assert canvas(one).evaluate("canvas => canvas.width / canvas.height") == pytest.approx(2, abs=0.01)
    assert share(one) == pytest.approx(painted, abs=0.02)


def test_a_mask_that_is_black_is_refused_and_changes_nothing(one: StylePage, tmp_path: Path) -> None:
    paint(one)
    masks_are(one, 1)
    before = share(one)
    Image.new("L", (64, 64)).save(tmp_path / "black.png")
    one.control("region_canvas").locator("input[type=file]").set_input_files(tmp_path / "black.png")
    assert "black throughout" in one.toast()
    masks_are(one, 1)
    assert share(one) == pytest.approx(before, abs=0.01)
