"""Choices say on the page what they do; the methods' own names stay valid wherever a value is read."""

from __future__ import annotations

from enum import Enum

import pytest
import torch

from lib_instantstyle.library.saved_style import SavedStyle
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.params.combination import Combine
from lib_instantstyle.params.contents import Removal
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.jobs import infotext
from lib_instantstyle.webui.routes.schema import json_schema

ALSO = {
    "preset": {"Strong style": Preset.STRONG_STYLE, "All blocks": Preset.ALL},
    "combine": {
        "Mean": Combine.MEAN,
        "Normalised mean": Combine.NORMALISED_MEAN,
        "Concatenate": Combine.CONCATENATE,
        "Add": Combine.ADD,
        "One per picture": Combine.PER_PICTURE,
    },
    "crop": {"Centre": Crop.CENTRE, "Squash": Crop.SQUASH, "Pad": Crop.PAD, "Tiles": Crop.TILES},
    "removal": {"Subtract": Removal.SUBTRACT, "Project out": Removal.PROJECT_OUT, "Mask": Removal.MASK},
}
NAMES = [(key, text, member) for key, names in ALSO.items() for text, member in names.items()]


@pytest.mark.parametrize(("key", "text", "member"), NAMES)
def test_the_methods_names_and_those_of_the_page_are_read(key: str, text: str, member: Enum) -> None:
    for spelling in (text, text.lower(), text.replace(" ", "_"), member.value, member):
        assert getattr(StyleParams.from_dict({"enabled": True, key: spelling}), key) is member
    assert text in json_schema()["properties"][key]["enum"]


@pytest.mark.parametrize(("key", "text", "member"), NAMES)
def test_older_infotexts_and_saved_styles_choose_what_the_page_shows(key: str, text: str, member: Enum) -> None:
    parameters = {"InstantStyle": "0.1.0", f"InstantStyle {key}": text}
    infotext.fill_defaults(parameters)
    assert parameters[f"InstantStyle {key}"] == member.value
    embeddings = Embeddings((torch.zeros(1, 4),), torch.zeros(1, 4))
    assert SavedStyle(Kind.LINEAR, 4, embeddings, {key: text}).filled[key] is member
