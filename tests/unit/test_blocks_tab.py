"""What the tab Blocks answers to a text, with and without a UNet that is loaded."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from torch import nn

from lib_instantstyle.params.block_weights import selected_weights
from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.webui.page.fields import Fields
from lib_instantstyle.webui.page.tabs.map_editor import MapEditor, Pair
from tests.support.unets import SmallUNet


@pytest.fixture
def drawn():
    def draw(text: str, unet: nn.Module | None) -> str:
        editor = MapEditor.__new__(MapEditor)
        editor._host = SimpleNamespace(loaded_unet=lambda: unet)
        editor._fields, editor._name = Fields(lambda name: name), "map"
        editor._pair = Pair("preset", "blocks", lambda preset, text: selected_weights(Preset(preset), text))
        return editor._drawn("Custom", text)

    return draw


def test_a_layer_that_the_loaded_unet_lacks_is_named_at_once(drawn) -> None:
    assert "name up_blocks.0.attentions.1.transformer_blocks.12, but this block has the layers" in drawn(
        "style.12:1", SmallUNet()
    )
    assert "<svg" in drawn("style.0:1", SmallUNet())


@pytest.mark.parametrize("unet", [None, nn.Linear(2, 2)], ids=["none loaded", "another model"])
def test_depths_are_never_assumed(drawn, unet: nn.Module | None) -> None:
    assert "<svg" in drawn("style.12:1", unet)


def test_weights_beyond_the_range_are_refused(drawn) -> None:
    assert "9 is outside −3 to 3" in drawn("style:9", None)
