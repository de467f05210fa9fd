import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from lib_instantstyle.params.block_weights import SiteName, parse_block_weights
from lib_instantstyle.params.blocks import BLOCKS, LAYOUT, STYLE
from lib_instantstyle.webui.page.svg.block_map import block_map
from lib_instantstyle.webui.page.svg.curve import curve
from lib_instantstyle.webui.page.svg.meter import MeterRow, meter

ROOT = Path(__file__).parents[2]
NASTY = "<b>&\"'"


def drawn(text: str) -> Element:
    return ElementTree.fromstring(text)


def with_class(root: Element, name: str) -> list[Element]:
    return [element for element in root.iter() if f"instantstyle-{name}" in element.get("class", "").split()]


def blocks_of(root: Element) -> dict[str, Element]:
    return {block.get("data-block", ""): block for block in with_class(root, "block")}


def text_of(element: Element, name: str) -> str:
    return "".join(with_class(element, name)[0].itertext())


def styled(element: Element, name: str) -> float:
    """Return a number from an element's own style."""
    declared = dict(part.split(":") for part in element.get("style", "").split(";"))
    return float(declared[name].rstrip("%px"))


def numbers(element: Element, *names: str) -> Iterator[float]:
    return (float(element.get(name, "").rstrip("%")) for name in names)


@pytest.fixture
def unet() -> Element:
    weights = {STYLE: 1.0, LAYOUT: -0.5, BLOCKS[0]: 3.0, BLOCKS[-1]: -0.001}
    return drawn(block_map(weights, elem_id="map", target="edit"))


def test_the_map_names_itself_and_its_textbox(unet: Element) -> None:
    assert (unet.get("class"), unet.get("id"), unet.get("data-target")) == ("instantstyle-blockmap", "map", "edit")


def test_every_block_is_a_slider_in_the_order_of_the_forward_pass(unet: Element) -> None:
    blocks = blocks_of(unet)
    assert list(blocks) == [block.name for block in BLOCKS]
    for block in BLOCKS:
        element = blocks[block.name]
        assert (element.get("role"), element.get("tabindex")) == ("slider", "0")
        assert block.name in element.get("aria-label", "")
        assert element.get("title") == f"{block.name} ({block.ldm_name})"


def test_names_are_short(unet: Element) -> None:
    names = [text_of(block, "name") for block in blocks_of(unet).values()]
    assert names == [
        *("down 1.0", "down 1.1", "down 2.0", "Layout", "mid"),
        *("up 0.0", "Style", "up 0.2", "up 1.0", "up 1.1", "up 1.2"),
    ]


@pytest.mark.parametrize(
    ("name", "number", "share"),
    [
        (STYLE.name, "1.00", 0.5),
        (LAYOUT.name, "−0.50", 0.25),
        (BLOCKS[0].name, "3.00", 1.0),
        (BLOCKS[5].name, "0.00", 0.0),
    ],
)
def test_a_bar_shows_its_weight(unet: Element, name: str, number: str, share: float) -> None:
    block = blocks_of(unet)[name]
    assert text_of(block, "number") == number
    assert styled(block, "--share") == pytest.approx(share)
    assert len(with_class(block, "bar")) == 1
    low, now, high = numbers(block, "aria-valuemin", "aria-valuenow", "aria-valuemax")
    assert low <= now <= high
    assert now == float(number.replace("−", "-"))


def test_the_sign_and_nothing_are_told_apart(unet: Element) -> None:
    negative = [block.get("data-block") for block in with_class(unet, "negative")]
    off = [block.get("data-block") for block in with_class(unet, "off")]
    assert negative == [LAYOUT.name]
    assert len(off) == 8
    assert text_of(blocks_of(unet)[BLOCKS[-1].name], "number") == "0.00"


@pytest.mark.parametrize(
    ("text", "number", "marks", "off"),
    [
        ("style.3:0.5", "3: 0.50", 1, False),
        ("style.3:0.5, style.4:1", "2 sites", 2, False),
        ("style:0.25, style.3:0", "0.25*", 1, False),
        ("style.3:-0.5", "3: −0.50", 1, False),
        ("style.3:0", "3: 0.00", 1, True),
        ("style:1", "1.00", 0, False),
    ],
)
def test_single_cross_attentions_show(text: str, number: str, marks: int, off: bool) -> None:
    block = blocks_of(drawn(block_map(parse_block_weights(text), elem_id="map")))[STYLE.name]
    assert text_of(block, "number") == number
    assert len(with_class(block, "site")) == marks
    assert bool(with_class(block, "off")) == off
    assert ("single cross-attentions 3: " in block.get("title", "")) == bool(marks)


def test_a_mark_is_as_far_up_as_a_bar_of_its_weight() -> None:
    block = blocks_of(drawn(block_map({STYLE: 0.5, SiteName(STYLE, 3): 1.0}, elem_id="map")))[STYLE.name]
    (mark,) = with_class(block, "site")
    assert (styled(mark, "--share"), styled(block, "--share")) == (0.5, 0.25)


def test_the_u_goes_down_and_up(unet: Element) -> None:
    blocks = blocks_of(unet).values()
    tops = [styled(block, "top") for block in blocks]
    assert max(tops) == tops[4]
    assert tops[:2] == tops[8:10] == [min(tops)] * 2
    lefts = [styled(block, "left") for block in blocks]
    assert lefts == sorted(lefts)


def test_ids_are_escaped() -> None:
    root = drawn(block_map({}, elem_id=NASTY, target=NASTY))
    assert (root.get("id"), root.get("data-target")) == (NASTY, NASTY)


def test_a_curve_draws_each_strength() -> None:
    root = drawn(curve([0.0, 0.5, 1.0], label="First pass"))
    (line,) = (element for element in root.iter() if element.tag.endswith("polyline"))
    points = [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
    assert [x for x, _ in points] == [0.0, 50.0, 100.0]
    assert [y for _, y in points] == sorted((y for _, y in points), reverse=True)
    assert {"pure noise", "finished picture"} <= set(root.itertext())


def test_a_second_curve_is_dashed_and_named() -> None:
    root = drawn(curve([1.0], label="First", second=[0.0] * 7, second_label=NASTY))
    lines = [element for element in root.iter() if element.tag.endswith("polyline")]
    assert [len(line.get("points", "").split()) for line in lines] == [1, 7]
    assert "instantstyle-second" in lines[1].get("class", "")
    assert NASTY in set(root.itertext())


@pytest.mark.parametrize(
    ("strengths", "ticks"),
    [([0.2, 0.4], ["0", "1"]), ([0.0, 3.0], ["0", "1", "3"]), ([-1.0, 1.0], ["−1", "0", "1"]), ([1.05], ["0", "1.05"])],
)
def test_the_scale_holds_all_strengths(strengths: list[float], ticks: list[str]) -> None:
    root = drawn(curve(strengths, label="First pass"))
    assert [tick.text for tick in with_class(root, "tick")] == ticks


def test_points_that_can_be_dragged_lie_on_the_line() -> None:
    root = drawn(curve([0.0, 1.5], label="", handles=[(0.0, 0.0), (1.0, 1.5)], target=NASTY))
    (box,) = with_class(root, "handles")
    assert (box.get("data-target"), box.get("data-low"), box.get("data-high")) == (NASTY, "0", "1.5")
    places = [(styled(handle, "left"), styled(handle, "top")) for handle in with_class(root, "handle")]
    assert places == [(0.0, 100.0), (100.0, 0.0)]


def test_a_curve_is_told_in_words() -> None:
    root = drawn(curve([0.2, 1.5, 0.0], label=NASTY, second=[1.0, 1.0], second_label="Hires"))
    (picture,) = (element for element in root.iter() if element.get("role") == "img")
    assert picture.get("aria-label") == (
        f"{NASTY}: starts at 0.20 in pure noise, ends at 0.00 in the finished picture, peaks at 1.50 after 50% of the way. "
        "Hires: starts at 1.00 in pure noise, ends at 1.00 in the finished picture, peaks at 1.00 after 0% of the way."
    )


def test_a_meter_shows_before_and_after() -> None:
    root = drawn(meter([MeterRow(NASTY, 0.25, -0.7)], []))
    assert text_of(root, "content") == NASTY
    assert [element.text for element in root.iter("b")] == ["0.25", "−0.70"]
    styles = [element.get("style") for element in root.iter("i")]
    assert styles == ["left:50.00%;width:25.00%", "left:0.00%;width:50.00%"]
    assert not with_class(root, "warning")


def test_a_meter_lists_its_warnings() -> None:
    root = drawn(meter([], [NASTY, "second"]))
    (warning,) = with_class(root, "warning")
    assert [item.text for item in warning] == [NASTY, "second"]


def test_the_style_sheet_knows_every_class() -> None:
    text = (
        block_map({STYLE: -1.0, SiteName(STYLE, 3): 1.0}, elem_id="a")
        + curve([1.0], label="", second=[1.0])
        + meter([MeterRow("", 0, 0)], [""])
    )
    used = {name for names in re.findall(r'class="([^"]*)"', text) for name in names.split()}
    styled = set(re.findall(r"\.(instantstyle-[\w-]+)", (ROOT / "style.css").read_text(encoding="utf-8")))
    assert used - styled <= {
        "instantstyle-cell",
        "instantstyle-plot",
        "instantstyle-after",
    }  # need nothing of their own
