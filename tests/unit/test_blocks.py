import pytest

from lib_instantstyle.errors import ParameterError, UnsupportedModelError
from lib_instantstyle.params.block_weights import parse_block_weights
from lib_instantstyle.params.blocks import ADAPTER_ORDER, BLOCKS, LAYOUT, STYLE, Preset, find_block, preset_weights
from lib_instantstyle.unet.sites import enumerate_sites
from tests.support.unets import SmallUNet


def test_names_follow_the_ldm_rule() -> None:
    for block in BLOCKS:
        stage, *numbers = block.name.replace("_blocks", "").replace("_block", "").split(".")
        if stage == "mid":
            assert block.ldm_name == "middle_block.1"
            continue
        index, attention = int(numbers[0]), int(numbers[2])
        start = {"down": 3 * index + attention + 1, "up": 3 * index + attention}[stage]
        assert block.ldm_name == f"{'input' if stage == 'down' else 'output'}_blocks.{start}.1"


def test_adapter_order_puts_the_middle_block_last() -> None:
    assert [block.name.split(".")[0] for block in ADAPTER_ORDER] == ["down_blocks"] * 4 + ["up_blocks"] * 6 + [
        "mid_block"
    ]


def test_sites_are_counted_down_up_mid() -> None:
    sites = enumerate_sites(SmallUNet())
    assert [site.adapter_id for site in sites] == list(range(1, 2 * len(sites), 2))
    assert [site.block for site in sites] == [
        block for block in ADAPTER_ORDER for _ in range(2 if block.name.split(".")[:2] in _deep() else 1)
    ]
    assert sites[-1].name == "mid_block.attentions.0.transformer_blocks.1.attn2"


def _deep() -> list[list[str]]:
    return [["down_blocks", "2"], ["up_blocks", "0"], ["mid_block", "attentions"]]


def test_another_topology_is_refused_by_name() -> None:
    unet = SmallUNet(context=1280)
    del unet.middle_block[1]
    with pytest.raises(UnsupportedModelError, match=r"SDXL refiner.*missing middle_block\.1"):
        enumerate_sites(unet)


@pytest.mark.parametrize(
    ("preset", "count", "layout"),
    [(Preset.STYLE, 1, False), (Preset.LAYOUT, 1, True), (Preset.STYLE_LAYOUT, 2, True), (Preset.STRONG_STYLE, 10, False),
     (Preset.ALL, 11, True)],
)  # fmt: skip
def test_presets(preset: Preset, count: int, layout: bool) -> None:
    weights = preset_weights(preset)
    assert len(weights) == count
    assert (LAYOUT in weights) == layout


@pytest.mark.parametrize("name", ["style", "Style", "up_blocks.0.attentions.1", "output_blocks.1.1"])
def test_every_name_finds_the_style_block(name: str) -> None:
    assert find_block(name) is STYLE


@pytest.mark.parametrize("name", ["layout", "Layout", "down_blocks.2.attentions.1", "input_blocks.8.1"])
def test_every_name_finds_the_layout_block(name: str) -> None:
    assert find_block(name) is LAYOUT


def test_custom_weights_by_name_and_by_number() -> None:
    named = parse_block_weights("style:1, layout:0.4, up_blocks.1.attentions.0:-0.3")
    assert named == {STYLE: 1.0, LAYOUT: 0.4, find_block("output_blocks.3.1"): -0.3}
    listed = parse_block_weights("[0, 0, 0, 0.4, 0, 0, 1, 0, 0, 0, 0]")
    assert {block: weight for block, weight in listed.items() if weight} == {LAYOUT: 0.4, STYLE: 1.0}


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "empty"), ("1, 2", "2 numbers given, 11 needed"), ("style:1, style:2", "twice"), ("head:1", "'head'"),
     ("style:much", "'much' is not a number"), ("style:nan", "outside"), ("style, layout:1", "no weight"),
     ("style:99", "outside")],
)  # fmt: skip
def test_bad_custom_weights_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_block_weights(text)
