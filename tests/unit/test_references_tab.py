"""What goes with the last of the further references."""

from __future__ import annotations

import pytest
from PIL import Image

from lib_instantstyle.webui.page.tabs import references_tab

PICTURE, MASK = Image.new("RGB", (16, 16)), Image.new("L", (16, 16), 255)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(references_tab.gr, "Info", texts.append)
    return texts


def test_its_weight_and_mask_go_with_it(said: list[str]) -> None:
    left = references_tab._removed(PICTURE, [PICTURE, PICTURE], "1, 2, 3", [None, MASK, MASK])
    assert left == [[PICTURE], "1, 2", [None, MASK]]
    assert said == ["The region mask of reference 3 went with it."]


def test_other_masks_stay(said: list[str]) -> None:
    assert references_tab._removed(PICTURE, [PICTURE], "", [MASK]) == [[], "", [MASK]]
    assert not said


def test_where_nothing_is_removed_nothing_changes(said: list[str]) -> None:
    """A saved style has references, and masks for them, without pictures."""
    assert references_tab._removed(None, [], "1, 2", [MASK]) == [[], "1, 2", [MASK]]
    assert not said
