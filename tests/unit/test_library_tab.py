"""What a saved style has taken the place of comes back when pictures take the style's place."""

from __future__ import annotations

from typing import Any

import pytest

from lib_instantstyle.webui.page.tabs import library_tab
from lib_instantstyle.webui.page.tabs.library_tab import _REPLACED, _given_back

STAYS: dict[str, Any] = library_tab.gr.update()
KEPT = {name: f"the {name} before" for name in _REPLACED} | {"image": "one", "images": ["two"]}


def given_back(aside: list[Any] | None, *added: Any) -> dict[str, Any]:
    return dict(zip(("style", "aside", *_REPLACED), _given_back(aside, *added), strict=True))


def test_a_picture_in_the_box_takes_the_first_one_s_place() -> None:
    assert given_back([*KEPT.values()]) == {"style": "", "aside": None, **KEPT, "image": STAYS}


@pytest.mark.parametrize(
    ("image", "images", "left"),
    [("one", ["two"], ["two", "three", "four"]), (None, [], ["four"]), (None, ["two"], ["three", "four"])],
)
def test_further_pictures_come_behind_those_that_come_back(image: Any, images: list[Any], left: list[Any]) -> None:
    kept = KEPT | {"image": image, "images": images}
    found = given_back([*kept.values()], "three", ["four"])
    first = next(picture for picture in (image, *images, "three") if picture)
    assert found == {"style": "", "aside": None, **kept, "image": first, "images": left}


@pytest.mark.parametrize("added", [(), ("three", ["four"])])
def test_without_a_style_nothing_changes(added: tuple[Any, ...]) -> None:
    assert given_back(None, *added) == {"style": "", "aside": None, **dict.fromkeys(_REPLACED, STAYS)}
