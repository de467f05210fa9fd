"""What becomes of box, gallery, weights and masks when references come and go."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lib_instantstyle.errors import ParameterError, PictureError, StyleError
from lib_instantstyle.pictures.unopened import Unopened
from lib_instantstyle.webui.page.tabs import references_tab
from lib_instantstyle.webui.page.tabs.references_tab import ReferencesTab, _added, _cleared, _removed

RED, GREEN, BLUE = (Image.new("RGB", (16, 16), colour) for colour in ("red", "green", "blue"))
ONE, TWO, THREE = (Image.new("L", (16, 16), level) for level in (85, 170, 255))
STAYS: dict[str, Any] = references_tab.gr.update()


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(references_tab.gr, "Info", texts.append)
    return texts


def opened(left: list[Any]) -> list[Any]:
    """Return an answer with the colour of the picture that moved into the box."""
    box, *others = left
    return [box if box in (None, STAYS) else box.getpixel((0, 0)), *others]


@pytest.mark.parametrize(
    ("number", "left"),
    [
        (1, [(0, 128, 0), [BLUE], "2, 3", [TWO, THREE]]),
        (2, [STAYS, [BLUE], "1, 3", [ONE, THREE]]),
        (3, [STAYS, [GREEN], "1, 2", [ONE, TWO]]),
    ],
)
def test_its_weight_and_mask_go_with_a_reference(number: int, left: list[Any], said: list[str]) -> None:
    assert opened(_removed(f"{number}#7", RED, [GREEN, BLUE], "1, 2, 3", [ONE, TWO, THREE])) == left
    assert said == [f"The region mask of reference {number} went with it."]


@pytest.mark.parametrize("weights", ["", "[2]", "2"])
def test_what_belongs_to_others_stays(weights: str, said: list[str]) -> None:
    left = _removed("2#1", RED, [GREEN], weights, [ONE])
    assert left == [STAYS, [], weights.strip("[]"), [ONE]]
    assert not said


def test_the_only_one_leaves_nothing() -> None:
    assert _removed("1#1", RED, [], "0.5", [ONE]) == [None, [], "", []]


def test_without_a_picture_in_the_box_the_first_of_the_gallery_counts_as_first() -> None:
    assert opened(_removed("1#1", None, [RED, GREEN], "1, 2", [])) == [(0, 128, 0), [], "2", []]


def test_emptying_the_box_removes_the_first(said: list[str]) -> None:
    assert opened(_cleared("1", [GREEN, BLUE], "1, 2, 3", [None, TWO])) == [(0, 128, 0), [BLUE], "2, 3", [TWO]]
    assert _cleared("1", [], "0.5", [ONE]) == [STAYS, [], "", []]
    assert said == ["The region mask of reference 1 went with it."]


def test_replacing_it_leaves_all_as_it_is() -> None:
    assert _cleared("", [GREEN], "1, 2", [ONE]) == [STAYS] * 4


def test_what_is_added_fills_the_box_first(tmp_path: Any) -> None:
    RED.save(tmp_path / "red.png")
    file = SimpleNamespace(name=str(tmp_path / "red.png"))
    box, images = _added([file, file], None, [])
    assert box.getpixel((0, 0)) == (255, 0, 0)
    assert len(images) == 1
    box, images = _added([file], GREEN, [BLUE])
    assert (box, images[0]) == (STAYS, BLUE)
    with pytest.raises(ParameterError, match="2 pictures were chosen, and 1 more fit"):
        _added([file] * 2, GREEN, [BLUE] * 6)


def test_a_picture_that_is_gone_is_not_moved_into_the_box() -> None:
    def gone(_payload: Any, _name: str) -> None:
        raise FileNotFoundError

    with pytest.raises(PictureError, match="The style reference is gone"):
        _removed("1#1", RED, [Unopened("a file", gone)], "", [])


def missing(_name: str) -> None:
    raise StyleError("There is no such style.")


@pytest.mark.parametrize(
    ("style", "reference", "count"),
    [("", "", "0"), ("", f"{'a' * 64}, {'b' * 64}; mask 1 {'c' * 64}", "2"), ("", "nonsense", "0"), ("two", "", "2"),
     ("absent", "", "0")],
)  # fmt: skip
def test_references_without_pictures_are_counted(style: str, reference: str, count: str) -> None:
    tab = ReferencesTab.__new__(ReferencesTab)
    saved = SimpleNamespace(references=2)
    tab._library = SimpleNamespace(find=lambda name: saved if name == "two" else missing(name))
    assert tab._count_unseen(style, reference) == count
