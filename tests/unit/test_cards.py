"""What a card says of its style."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lib_instantstyle.webui.forms.extra_networks import _description


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({}, "Preset: Style"),
        ({"hires_curve": "Fade out", "preset": "Custom"}, "Preset: Custom, Hires curve: Fade out"),
        ({"content": "a cat", "style_weight": 1.5}, "Preset: Style, Style weight: 1.5, Content to remove: a cat"),
        ([], ""),
    ],
    ids=str,
)
def test_settings_are_told_by_their_labels(settings: Any, line: str) -> None:
    assert _description({"settings": json.dumps(settings)}) == line


def test_damaged_settings_say_nothing() -> None:
    assert _description({"settings": "{"}) == ""
