"""Weights of single cross-attentions, written next to weights of blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.block_weights import SiteName, format_block_weights, parse_block_weights, weight_at
from lib_instantstyle.params.blocks import BLOCKS, LAYOUT, STYLE, Block, find_block
from lib_instantstyle.unet.plan import make_plan
from lib_instantstyle.unet.sites import enumerate_sites
from tests.support.unets import SmallUNet

MIDDLE = find_block("middle_block.1")


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("style.3", SiteName(STYLE, 3)),
        ("Style.3", SiteName(STYLE, 3)),
        (" style.3 ", SiteName(STYLE, 3)),
        ("style.03", SiteName(STYLE, 3)),
        ("style.transformer_blocks.3", SiteName(STYLE, 3)),
        ("layout.0", SiteName(LAYOUT, 0)),
        ("up_blocks.0.attentions.1.transformer_blocks.3", SiteName(STYLE, 3)),
        ("up_blocks.0.attentions.1.transformer_blocks.3.attn2", SiteName(STYLE, 3)),
        ("up_blocks.0.attentions.1.3", SiteName(STYLE, 3)),
        ("output_blocks.1.1.transformer_blocks.3.attn2", SiteName(STYLE, 3)),
        ("output_blocks.1.1.3", SiteName(STYLE, 3)),
        ("middle_block.1.9", SiteName(MIDDLE, 9)),
        ("mid_block.attentions.0.transformer_blocks.9", SiteName(MIDDLE, 9)),
    ],
)
def test_every_name_of_a_single_layer(name: str, layer: SiteName) -> None:
    assert parse_block_weights(f"{name}:0.25") == {layer: 0.25}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)
def test_names_of_blocks_end_in_numbers_too_and_stay_blocks(block: Block) -> None:
    for name in (block.name, block.ldm_name):
        assert parse_block_weights(f"{name}:1") == {block: 1.0}
        assert parse_block_weights(f"{name}.0:1") == {SiteName(block, 0): 1.0}


def test_a_layer_carries_the_name_of_its_site() -> None:
    for site in enumerate_sites(SmallUNet()):
        assert f"{SiteName(site.block, site.depth).name}.attn2" == site.name
        assert parse_block_weights(f"{site.name}:1") == {SiteName(site.block, site.depth): 1.0}


@pytest.mark.parametrize("text", ["style:1, style.1:0.2", "style.1:0.2, style:1"])
def test_a_layer_wins_over_its_block_in_any_order(text: str) -> None:
    weights = parse_block_weights(text)
    assert [weight_at(weights, STYLE, depth) for depth in (0, 1, 2)] == [1.0, 0.2, 1.0]
    assert weight_at(weights, LAYOUT, 1) == 0.0
    plan = make_plan(weights, enumerate_sites(SmallUNet()))
    assert [(site.block, site.depth, weight) for site, weight in plan] == [(STYLE, 0, 1.0), (STYLE, 1, 0.2)]


def test_a_layer_s_zero_takes_it_out_of_its_block() -> None:
    plan = make_plan(parse_block_weights("style:1, style.0:0"), enumerate_sites(SmallUNet()))
    assert [(site.name, weight) for site, weight in plan] == [(f"{STYLE.name}.transformer_blocks.1.attn2", 1.0)]


def test_a_layer_needs_no_block() -> None:
    plan = make_plan(parse_block_weights("layout.1:-2"), enumerate_sites(SmallUNet()))
    assert [(site.block, site.depth, weight) for site, weight in plan] == [(LAYOUT, 1, -2.0)]


@pytest.mark.parametrize(
    ("name", "last"), [("style.2", 1), ("layout.10", 1), ("down_blocks.1.attentions.0.1", 0), ("style.999", 1)]
)
def test_a_layer_that_the_unet_does_not_have_is_refused(name: str, last: int) -> None:
    sites = enumerate_sites(SmallUNet())
    with pytest.raises(ParameterError, match=rf"this block has the layers 0 to {last}\."):
        make_plan(parse_block_weights(f"style:1, {name}:0.5"), sites)
    with pytest.raises(ParameterError, match="but this block has the layers"):
        make_plan(parse_block_weights(f"{name}:0"), sites)  # a typing error switches nothing off


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("style.3:1, up_blocks.0.attentions.1.transformer_blocks.3:2", r"transformer_blocks\.3 twice"),
        ("style.3:1, style.03:2", "twice"),
        ("style.1000:1", "'style.1000'"),
        ("style.-1:1", "'style.-1'"),
        ("style.3.4:1", "No UNet block is called 'style.3'"),
        ("style.:1", "'style.'"),
        (".3:1", "'.3'"),
        ("head.3:1", "No UNet block is called 'head'"),
        ("style.3:much", "'much' is not a number"),
        ("style.3:3.01", "3.01 is outside −3 to 3"),
        ("style:9", "outside"),
        ("style.3:inf", "outside"),
        ("style.3, layout:1", r"'style\.3' has no weight"),
        (":1", "No UNet block"),
    ],
)
def test_bad_layers_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        parse_block_weights(text)


def test_the_text_reads_as_people_write_it() -> None:
    weights = {LAYOUT: 0.4, STYLE: 1.0, SiteName(STYLE, 9): 0.0, MIDDLE: 0.0, SiteName(MIDDLE, 1): -0.5}
    assert format_block_weights(weights) == "layout:0.4, style:1, style.9:0, mid_block.attentions.0.1:-0.5"
    assert format_block_weights({}) == format_block_weights({STYLE: 0.0}) == "style:0"


TARGETS = st.one_of(st.sampled_from(BLOCKS), st.builds(SiteName, st.sampled_from(BLOCKS), st.integers(0, 9)))
WEIGHTS = st.integers(-300, 300).map(lambda hundredths: hundredths / 100)


@given(st.dictionaries(TARGETS, WEIGHTS, max_size=12))
def test_what_is_written_is_read_back(weights) -> None:
    read = parse_block_weights(format_block_weights(weights))
    for block in BLOCKS:
        for depth in range(10):
            assert weight_at(read, block, depth) == weight_at(weights, block, depth)


@given(st.text() | st.from_regex(r"(style|layout|middle_block\.1|up_blocks)?(\.[0-9]{0,4})?:-?[0-9.e]{0,4}(, ?)?"))
def test_no_text_does_worse_than_a_parameter_error(text: str) -> None:
    try:
        weights = parse_block_weights(text)
    except ParameterError:
        return
    assert all(-3.0 <= weight <= 3.0 for weight in weights.values())
