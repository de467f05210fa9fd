"""Reading references in self-attentions: when they are run, what is left, and that every layout of rows is the same."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import nn

from lib_instantstyle.errors import ParameterError, RegionError, RowsError, UnsupportedModelError
from lib_instantstyle.method.latents import NoiseLevels
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.method.self_attention import attend
from lib_instantstyle.params.block_weights import SiteName
from lib_instantstyle.params.blocks import LAYOUT, STYLE
from lib_instantstyle.params.self_attention import SHARE, SWAP, Rule
from lib_instantstyle.self_attention.reading import Keeping
from lib_instantstyle.self_attention.recorded_pass import ldm_forward
from lib_instantstyle.self_attention.records import KeptRecords
from lib_instantstyle.self_attention.reference import Conditioning, Reference
from lib_instantstyle.self_attention.sources import AttentionSource, BlockSource
from lib_instantstyle.unet.sites import SELF, enumerate_sites
from tests.support.counting import Operations, hooks
from tests.support.reading import (
    ALPHAS,
    EVERYTHING,
    LATENTS,
    POOLED_TEXTS,
    ROWS,
    SIZE,
    TEXTS,
    TIMESTEP,
    Studio,
    count_rows,
    numbers,
    reference,
    swapping,
    vectors,
)

TOLERANCE = 1e-12
ALL = range(len(ROWS))
LAYOUT_SOURCE = BlockSource(((0,),), (1.0,), weights=EVERYTHING)


def error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def state(unet: nn.Module) -> dict[str, Any]:
    return {name: sorted(module.__dict__) for name, module in unet.named_modules()}


# ---- nothing to do ----


def test_constructing_touches_nothing() -> None:
    studio = Studio([swapping()])
    assert hooks(studio.unet) == 0
    assert not studio.injection.is_injected


@pytest.mark.parametrize(
    "source",
    [
        swapping(factor=0.0),
        swapping(weights={STYLE: 0.0}),
        swapping(weights={}),
        swapping(schedule=Schedule(0.8, 1.0)),
        swapping(pictures=frozenset()),
        swapping(SHARE, factor=0.0),
        BlockSource(((0,),), (0.0,), weights=EVERYTHING),
        BlockSource(((0,),), (1.0,), weights={STYLE: 0.0}),
    ],
)
def test_what_has_no_weight_is_bit_identical_to_plain(source: Any) -> None:
    studio = Studio([source])
    assert torch.equal(studio.styled(), studio.call())


def test_no_weight_and_no_window_cost_no_pass() -> None:
    for source in (swapping(factor=0.0), swapping(weights={}), swapping(schedule=Schedule(0.8, 1.0))):
        studio = Studio([source])
        assert count_rows(studio.unet, studio.styled) == len(ROWS)


def test_only_planned_sites_carry_hooks() -> None:
    studio = Studio([swapping(weights={STYLE: 1.0})])
    with studio.injection:
        assert hooks(studio.unet) == 2 + 6 * sum(s.block is STYLE for s in enumerate_sites(studio.unet, SELF))


def test_a_layer_that_is_not_there_is_refused() -> None:
    with pytest.raises(ParameterError, match="layers 0 to 1"):
        Studio([swapping(weights={SiteName(STYLE, 7): 1.0})])


# ---- what must be equal ----


@pytest.mark.parametrize("source", [swapping(), swapping(factor=0.4), LAYOUT_SOURCE], ids=["swap", "mixed", "blocks"])
def test_a_picture_that_reads_itself_is_unchanged(source: Any) -> None:
    """Swapping the record of the picture's own latent, timestep and text is the identity."""
    for row in (0, 5):
        studio = Studio([source], [own_reference(row)])
        assert error(studio.styled([row]), studio.call([row])) <= TOLERANCE


def own_reference(row: int) -> Reference:
    """Return the reference whose latent, noised, is that of ``row``, with its text."""
    clean = reference()
    signal, rest = NoiseLevels(ALPHAS).at(TIMESTEP)
    texts = Conditioning(TEXTS[row : row + 1], vectors(POOLED_TEXTS[row : row + 1]))
    return Reference(clean.sha256, (LATENTS[row : row + 1] - rest * clean.noise.double()) / signal, texts)


@pytest.mark.parametrize("rule", [SWAP, SHARE, Rule(push=0.3), Rule(shares=True, aligns=False)], ids=str)
def test_mixing_in_everything_equals_answering_in_its_place(rule: Rule) -> None:
    direct = Studio([swapping(rule)]).styled()
    mixed = Studio([swapping(rule, region=torch.ones(1, 16, 16))]).styled()
    halves = Studio([swapping(rule, 0.5), swapping(rule, 0.5)]).styled()
    assert error(mixed, direct) <= TOLERANCE
    assert error(halves, direct) <= TOLERANCE


SOURCES = {
    "swap": [swapping()],
    "swap, weight 0.5": [swapping(factor=0.5)],
    "push 1": [swapping(Rule(push=1.0))],
    "share": [swapping(SHARE)],
    "in turn": [AttentionSource(((0,), (1,)), (1.0, 1.0), weights=EVERYTHING)],
    "concatenated": [swapping(references=(0, 1))],
    "blocks": [LAYOUT_SOURCE],
    "both": [swapping(weights={STYLE: 1.0}), LAYOUT_SOURCE],
}
REFERENCES = [reference(0, captioned=True), reference(1, captioned=True)]
CALLS = {
    "conditional, unconditional": [[0, 1, 2, 3], [4, 5, 6, 7]],
    "row by row": [[row] for row in ALL],
    "unconditional first": [[4, 5, 6, 7, 0, 1, 2, 3]],
    "pairs": [[0, 4], [1, 5], [2, 6], [3, 7]],
    "mingled": [[0, 4, 1, 5, 2, 6, 3, 7]],
    "AND: two parts": [[0, 0, 1, 2, 2, 3, 4, 5, 6, 7]],
    "tiles": [[0, 1, 4, 5, 0, 1, 4, 5], [2, 3, 6, 7]],
    "no unconditional rows": [[0, 1, 2, 3]],
}


@pytest.mark.parametrize("calls", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES)
def test_every_layout_of_rows_equals_row_by_row(sources: list[Any], calls: list[list[int]]) -> None:
    studio = Studio(sources, REFERENCES)
    with studio.injection:
        single = {row: studio.call([row]) for row in ALL}
        for rows in calls:
            assert error(studio.call(rows), torch.cat([single[row] for row in rows])) <= TOLERANCE


def test_other_references_change_nothing_for_a_picture() -> None:
    """The noise is that of the picture, and depends on no batch."""
    alone = Studio([swapping(references=(0,))], [reference(1)]).styled()
    among = Studio([swapping(references=(1,)), swapping(references=(0,), pictures=frozenset({99}))], [reference(0), reference(1)])  # fmt: skip
    assert error(among.styled(), alone) <= TOLERANCE


@pytest.mark.parametrize("rule", [SWAP, SHARE], ids=["swap", "share"])
@pytest.mark.parametrize("size", [(12, 8), (16, 20), (4, 8)], ids=str)
def test_a_reference_has_its_own_size(rule: Rule, size: tuple[int, int]) -> None:
    """Against the same picture read at two sizes in one mean: each has its half."""
    direct, mixed = (Studio([source], [reference(0, size=size)]).styled() for source in (swapping(rule), swapping(rule, region=torch.ones(1, 16, 16))))  # fmt: skip
    assert error(mixed, direct) <= TOLERANCE
    assert error(direct, Studio([swapping(rule)]).styled()) > 1e-3
    both = [reference(0, size=size), reference(1)]
    turns = Studio([AttentionSource(((0,), (1,)), (1.0, 1.0), rule, weights=EVERYTHING)], both).styled()
    assert error(turns[[0, 4]], direct[[0, 4]]) <= TOLERANCE


def test_references_read_together_equal_one_attention_over_both() -> None:
    """Of two references that are the same, each place chooses the same; with another, it lies in between."""
    alone = Studio([swapping()]).styled()
    assert error(Studio([swapping(references=(0, 1))], [reference(0), reference(0)]).styled(), alone) <= TOLERANCE
    other = Studio([swapping(references=(0, 1))], [reference(0), reference(1)]).styled()
    assert error(other, alone) > 1e-3


def test_a_region_acts_in_its_part_only() -> None:
    """At the first self-attention, before the grid mixes: inside it is the swap, outside plain."""
    first = enumerate_sites(Studio([swapping()]).unet, SELF)[0]
    seen = {}
    left = torch.zeros(1, 16, 16)
    left[:, :, :8] = 1.0
    weights = {SiteName(first.block, first.depth): 1.0}
    for name, source in {"plain": swapping(factor=0.0), "swap": swapping(weights=weights), "left": swapping(weights=weights, region=left)}.items():  # fmt: skip
        studio = Studio([source])
        site = enumerate_sites(studio.unet, SELF)[0]
        with site.attention.register_forward_hook(lambda _m, _a, out, name=name: seen.update({name: out})):
            studio.styled()
    height, width = 4, 6
    grids = {name: out.unflatten(1, (height, width)) for name, out in seen.items()}
    assert error(grids["left"][:, :, :3], grids["swap"][:, :, :3]) <= TOLERANCE
    assert error(grids["left"][:, :, 3:], grids["plain"][:, :, 3:]) <= TOLERANCE
    assert error(grids["swap"], grids["plain"]) > 1e-3


def test_rows_that_keep_their_own_cost_no_attention_more_where_the_sizes_are_equal() -> None:
    """Then keys and values of both kinds stand side by side; otherwise the reference's are mixed in."""
    same, other = (Studio([swapping(Rule(push=1.0))], [reference(size=size)]) for size in (SIZE, (8, 8)))
    counted = []
    for studio in (same, other):
        plain = studio.call()
        with studio.injection, Operations() as operations:
            studio.call()
            studio.call()  # the records are at hand now
        counted.append(sum(count for name, count in operations.by_name.items() if "attention" in name))
        assert error(studio.styled()[4:], plain[4:]) <= TOLERANCE
    sites = len(enumerate_sites(same.unet, SELF))
    assert counted[1] - counted[0] == 2 * sites


def test_at_cfg_1_push_changes_nothing_of_what_is_seen() -> None:
    plain, pushed = (Studio([swapping(Rule(push=push))]).styled() for push in (0.0, 1.0))
    assert error(pushed[:4], plain[:4]) <= TOLERANCE
    assert error(pushed[4:], Studio([swapping()]).call()[4:]) <= TOLERANCE


# ---- passes ----


def rows_of(studio: Studio, timesteps: list[float]) -> list[int]:
    """Return how many rows the UNet was run with at each of the calls."""
    with studio.injection:
        return [count_rows(studio.unet, functools.partial(studio.call, [0, 4], t)) - 2 for t in timesteps]


def test_one_pass_a_timestep_however_many_calls() -> None:
    assert rows_of(Studio([swapping()]), [900, 900, 900, 500, 500, 900]) == [1, 0, 0, 1, 0, 1]


def test_a_caption_takes_a_row_of_its_own() -> None:
    assert rows_of(Studio([swapping()], [reference(captioned=True)]), [900, 500]) == [2, 2]
    assert rows_of(Studio([swapping(references=(0, 1))], [reference(0), reference(1)]), [900]) == [2]


@pytest.mark.parametrize(("every", "rows"), [(1, [0, 1, 1, 0, 1, 1, 0]), (2, [0, 1, 0, 0, 1, 0, 0]), (3, [0, 1, 0, 0, 0, 1, 0])])  # fmt: skip
def test_refreshed_every_nth_timestep_from_the_window_s_start(every: int, rows: list[int]) -> None:
    window = swapping(schedule=Schedule(0.2, 0.9))
    assert rows_of(Studio([window], every=every), [900, 700, 600, 600, 500, 400, 50]) == rows


def test_records_that_stay_are_those_of_the_earlier_timestep() -> None:
    studio = Studio([swapping()], every=2)
    with studio.injection:
        first = studio.call(timestep=700.0)
        second = studio.call(timestep=600.0)
    assert torch.equal(first, Studio([swapping()]).styled(timestep=700.0))
    assert not torch.equal(second, Studio([swapping()]).styled(timestep=600.0))


def test_a_source_that_begins_later_is_recorded_when_it_does() -> None:
    early, late = swapping(weights={STYLE: 1.0}), swapping(weights={LAYOUT: 1.0}, schedule=Schedule(0.5, 1.0))
    assert rows_of(Studio([early, late], every=4), [900, 800, 400, 300]) == [1, 0, 1, 0]


@pytest.mark.parametrize(
    ("weights", "last"),
    [
        ({LAYOUT: 1.0}, "input_blocks.8"),
        ({STYLE: 1.0}, "output_blocks.1"),
        ({STYLE: 1.0, LAYOUT: 1.0}, "output_blocks.1"),
    ],
)
def test_the_pass_ends_behind_the_last_site(weights: Any, last: str) -> None:
    """Of the UNet's up blocks only those run whose self-attentions are read, and no output."""
    studio, ran = Studio([swapping(weights=weights)]), []

    def watch(name: str, _module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        ran.append((name, len(args[0])))

    blocks = [name for name in dict(studio.unet.named_modules()) if re.fullmatch(r"(in|out)put_blocks\.\d+|middle_block|out", name)]  # fmt: skip
    with studio.injection, contextlib.ExitStack() as stack:
        for name in blocks:
            hook = functools.partial(watch, name)
            stack.enter_context(studio.unet.get_submodule(name).register_forward_pre_hook(hook))
        studio.call([0, 4])
    assert [name for name, rows in ran if rows == 1][-1] == last
    assert [name for name, rows in ran if rows == 2] == [name for name in blocks if name != "out"] + ["out"]


def test_the_cut_pass_records_what_the_whole_one_does() -> None:
    """The last site of a cut pass reads the same as one in the middle of a longer pass."""
    first = Studio([swapping(weights={STYLE: 1.0})]).styled()
    longer = Studio([swapping(weights={STYLE: 1.0}), swapping(weights=EVERYTHING, pictures=frozenset({99}))]).styled()
    assert error(longer, first) <= TOLERANCE


def test_the_host_may_know_the_timestep() -> None:
    """Then nothing is read from the device."""
    studio = Studio([swapping()])
    known, asked = studio.read_call, []

    def read(args: Any, kwargs: Any) -> Any:
        return known(args, kwargs)._replace(timestep=TIMESTEP)

    wanted = studio.styled()
    studio.injection._read_call = read
    with studio.injection, Operations() as operations:
        assert torch.equal(studio.call(), wanted)
    asked += [name for name in operations.by_name if name in ("_local_scalar_dense", "item", "nonzero")]
    assert asked == []


def test_nine_channels_see_nothing_masked_and_the_clean_picture() -> None:
    studio, seen = Studio([swapping()]), []
    conv = studio.unet.input_blocks[0][0]
    wide = nn.Conv2d(9, conv.out_channels, 3, padding=1).double().requires_grad_(False)
    wide.weight.zero_()
    wide.weight[:, :4], wide.bias[:] = conv.weight, conv.bias
    wide.register_forward_pre_hook(lambda _module, args: seen.append(args[0]))
    wanted = studio.styled()
    studio.unet.input_blocks[0][0] = wide
    inputs = torch.cat((LATENTS, numbers(9, len(ROWS), 5, *LATENTS.shape[2:])), dim=1)
    with studio.injection, torch.no_grad():
        timesteps = torch.full((len(ROWS),), TIMESTEP, dtype=torch.float64)
        assert error(studio.unet(inputs, timesteps=timesteps, context=TEXTS, y=vectors(POOLED_TEXTS)), wanted) <= TOLERANCE  # fmt: skip
        assert not seen[0][:, 4].any()
        assert torch.equal(seen[0][:, 5:], reference().latent)
        with pytest.raises(UnsupportedModelError, match="7 input channels"):
            studio.unet(inputs[:, :7], timesteps=timesteps - 1, context=TEXTS, y=vectors(POOLED_TEXTS))


# ---- kept records ----


def test_kept_records_spare_further_pictures_every_pass() -> None:
    store = KeptRecords()
    steps = [900.0, 700.0, 500.0]
    make = lambda state="a", **options: Studio([swapping(**options)], keeping=Keeping(store, state))  # noqa: E731
    first = make()
    assert rows_of(first, steps) == [1, 1, 1]
    wanted = Studio([swapping()]).styled(timestep=700.0)
    second = make()
    assert rows_of(second, steps) == [0, 0, 0]
    assert torch.equal(second.styled(timestep=700.0), wanted)
    assert rows_of(make("another checkpoint"), steps) == [1, 1, 1]
    assert rows_of(make(weights={STYLE: 1.0}), steps) == [1, 1, 1]
    other = Studio([swapping()], [reference(5)], keeping=Keeping(store, "a"))
    assert rows_of(other, steps) == [1, 1, 1]
    captioned = Studio([swapping()], [reference(captioned=True)], keeping=Keeping(store, "a"))
    assert rows_of(captioned, steps) == [2, 2, 2]
    assert rows_of(make(), [*steps, 300.0]) == [0, 0, 0, 1]


def test_what_does_not_fit_whole_is_not_kept() -> None:
    store = KeptRecords()
    rows_of(Studio([swapping()], keeping=Keeping(store, "a")), [900.0])
    one = store.bytes_kept
    assert one > 0
    small = KeptRecords(limit=2 * one)
    for _ in range(2):
        assert rows_of(Studio([swapping()], keeping=Keeping(small, "a")), [900.0, 700.0, 500.0]) == [1, 1, 1]
        assert small.bytes_kept == 0
        assert len(small.too_large) == 1
    assert rows_of(Studio([swapping()], keeping=Keeping(small, "b")), [900.0, 700.0]) == [1, 1]
    assert rows_of(Studio([swapping()], keeping=Keeping(small, "b")), [900.0, 700.0]) == [0, 0]
    rows_of(Studio([swapping()], keeping=Keeping(small, "c")), [900.0])  # evicts the series used longest ago
    assert small.bytes_kept == one
    small.clear()
    assert (small.bytes_kept, small.too_large) == (0, set())


def test_another_limit_counts_at_once() -> None:
    """Raising it is what the log advises; what was too large before is kept then."""
    store = KeptRecords()
    series = Keeping(store, "a")
    rows_of(Studio([swapping()], keeping=series), [900.0])
    one = store.bytes_kept
    store.limit = one - 1
    assert store.bytes_kept == 0
    assert rows_of(Studio([swapping()], keeping=series), [900.0]) == [1]
    assert store.too_large
    store.limit = 2 * one
    assert rows_of(Studio([swapping()], keeping=series), [900.0, 700.0]) == [1, 1]
    assert rows_of(Studio([swapping()], keeping=series), [900.0, 700.0]) == [0, 0]


def test_inputs_that_several_projections_share_are_kept_once() -> None:
    """Half of what keys and values would take."""
    store, studio = KeptRecords(), Studio([swapping(SHARE)], keeping=None)
    keeping = Studio([swapping(SHARE)], keeping=Keeping(store, "a"))
    rows_of(keeping, [900.0])
    sites = enumerate_sites(studio.unet, SELF)
    levels = {32: 4 * 6, 64: 2 * 3}  # positions by width
    assert store.bytes_kept == sum(levels[site.width] * site.width * 8 for site in sites)


# ---- what others add to a UNet ----


def test_forwards_set_on_single_modules_take_no_part_and_stay() -> None:
    studio = Studio([swapping()])
    wanted, seen = studio.styled(), []

    def patched(module: nn.Module) -> None:
        original = module.forward

        def forward(*args: Any, **kwargs: Any) -> Any:
            seen.append(len(args[0]))
            return original(*args, **kwargs)

        module.forward = forward

    block = studio.unet.get_submodule(STYLE.ldm_name).transformer_blocks[0]
    modules = [studio.unet, block, block.attn1, block.attn2, block.attn1.to_q, block.attn1.to_k, block.attn1.to_v]
    for module in modules:
        patched(module)
    before = [module.__dict__["forward"] for module in modules]
    assert torch.equal(studio.styled(), wanted)
    assert set(seen) == {len(ROWS)}
    assert [module.__dict__["forward"] for module in modules] == before


def test_the_adapter_s_hooks_take_no_part() -> None:
    """A pass of the references leaves image terms aside, which would otherwise refuse its rows."""
    studio = Studio([swapping()])
    wanted = studio.styled()
    site = enumerate_sites(studio.unet)[0]
    seen = []

    def watch(_module: nn.Module, args: tuple[torch.Tensor, ...]) -> None:
        seen.append((len(args[0]), studio.injection.is_aside))

    with site.attention.to_out[0].register_forward_pre_hook(watch):
        assert torch.equal(studio.styled(), wanted)
    assert seen == [(1, True), (len(ROWS), False)]
    assert not studio.injection.is_aside


def test_a_hypernetwork_acts_on_the_reference_as_on_the_picture() -> None:
    """It changes what keys and values are made of, each in its own way, before the projections."""
    studio = Studio([swapping()], [own_reference(0)])
    with contextlib.ExitStack() as stack:
        for site in enumerate_sites(studio.unet, SELF):
            stack.enter_context(_class_forward(site.attention, functools.partial(_networked, site.attention)))
        assert error(studio.styled([0]), studio.call([0])) <= TOLERANCE


def _networked(attention: Any, x: torch.Tensor, **_rest: Any) -> torch.Tensor:
    query, key, value = attention.to_q(x), attention.to_k(x * 1.1), attention.to_v(x * 0.9)
    return attention.to_out(_heads(attention, query, key, value))


@contextlib.contextmanager
def _class_forward(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Let the module have a class of its own with ``forward``, as the host's hypernetworks replace it on the class."""
    original = type(module)
    module.__class__ = type(original.__name__, (original,), {"forward": lambda _self, *a, **k: forward(*a, **k)})
    try:
        yield
    finally:
        module.__class__ = original


def _heads(attention: Any, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return attend(query, key, value, attention.heads)


def _by_index(attention: Any, x: torch.Tensor, **_rest: Any) -> torch.Tensor:
    seen = _heads(attention, attention.to_q(x), attention.to_k(x), attention.to_v(x))
    return attention.to_out[1](attention.to_out[0](seen))


def _unpacked(attention: Any, x: torch.Tensor, **_rest: Any) -> torch.Tensor:
    value, key, query = attention.to_v(x), attention.to_k(x), attention.to_q(x)
    projection, dropout = attention.to_out
    return dropout(projection(_heads(attention, query, key, value)))


@pytest.mark.parametrize("optimised", [_by_index, _unpacked], ids=["to_out by index", "to_out unpacked, query last"])
@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES)
def test_any_implementation_of_attention_reads_the_same(optimised: Callable[..., Any], sources: list[Any]) -> None:
    """Hosts replace the forward of the class; what they have in common are the projections."""
    wanted = Studio(sources, REFERENCES).styled()
    studio = Studio(sources, REFERENCES)
    with contextlib.ExitStack() as stack:
        for site in enumerate_sites(studio.unet, SELF):
            stack.enter_context(_class_forward(site.attention, functools.partial(optimised, site.attention)))
        assert error(studio.styled(), wanted) <= TOLERANCE


@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES)
def test_a_block_may_call_the_projections_itself(sources: list[Any]) -> None:
    """As those of the Forge family do where an extension replaces the attention."""
    wanted = Studio(sources, REFERENCES).styled()
    studio = Studio(sources, REFERENCES)
    with contextlib.ExitStack() as stack:
        for site in enumerate_sites(studio.unet, SELF):
            layer = studio.unet.get_submodule(site.block.ldm_name).transformer_blocks[site.depth]
            stack.enter_context(_class_forward(layer, functools.partial(_replaced, layer)))
        assert error(studio.styled(), wanted) <= TOLERANCE


def _replaced(layer: Any, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
    attention, normed = layer.attn1, layer.norm1(x)
    seen = _heads(attention, attention.to_q(normed), attention.to_k(normed), attention.to_v(normed))
    x = x + attention.to_out(seen)
    x = x + layer.attn2(layer.norm2(x), context=context)
    return x + layer.ff(layer.norm3(x))


@pytest.mark.parametrize("sources", SOURCES.values(), ids=SOURCES)
def test_under_autocast_records_take_half_the_room(sources: list[Any]) -> None:
    """As in the WebUI: normalisations in float32, matrix products in half precision, all in inference mode."""
    exact = Studio(sources, REFERENCES)
    plain, wanted = exact.call(), exact.styled()
    studio = Studio(sources, REFERENCES)
    studio.unet.float()
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16), studio.injection:
        seen = studio.call(dtype=torch.float32)
        recorded = studio.reading._records
    assert all(given.key.dtype is torch.bfloat16 for given in recorded.inputs.values())
    assert all(found.mean.dtype is torch.float32 for found in recorded.blocks.values())
    assert error(seen.double(), wanted) <= 0.1 * error(plain, wanted)


def test_tiles_of_a_self_attention_each_read_the_whole_reference() -> None:
    """HyperTile cuts the picture inside ``attn1.forward``; the reference is recorded whole."""
    site = enumerate_sites(Studio([swapping()]).unet, SELF)[0]
    source = swapping(weights={SiteName(site.block, site.depth): 1.0})
    wanted = Studio([source]).styled()
    studio = Studio([source])
    attention: Any = enumerate_sites(studio.unet, SELF)[0].attention
    original = attention.forward

    def tiled(x: torch.Tensor, context: Any = None, **rest: Any) -> torch.Tensor:
        rows, positions, width = x.shape
        tiles = x.view(rows, 2, positions // 2, width).flatten(0, 1)
        return original(tiles, context=context, **rest).view(rows, positions, width)

    attention.forward = tiled
    assert error(studio.styled(), wanted) <= TOLERANCE
    assert error(studio.call(), Studio([source]).call()) > 1e-6  # where own positions are cut, it does matter
    regional = Studio([swapping(weights=source.weights, region=torch.ones(1, 16, 16))])
    attention = enumerate_sites(regional.unet, SELF)[0].attention
    original = attention.forward
    attention.forward = tiled
    with pytest.raises(RegionError, match="merges or cuts"):
        regional.styled()


def test_an_attention_run_in_parts_reads_row_by_row() -> None:
    studio = Studio([AttentionSource(((0,), (1,)), (1.0, 1.0), weights={STYLE: 1.0})], REFERENCES)
    wanted = studio.styled()
    for site in enumerate_sites(studio.unet, SELF):
        if site.block is STYLE:
            _run_in_halves(site.attention)
    assert error(studio.styled(), wanted) <= TOLERANCE


def _run_in_halves(attention: Any) -> None:
    original = attention.forward
    attention.forward = lambda x, **rest: torch.cat([original(half, **rest) for half in x.chunk(2)])


def test_rows_that_are_none_of_the_call_are_an_error() -> None:
    studio = Studio([swapping(weights={STYLE: 1.0})])
    site = next(site for site in enumerate_sites(studio.unet, SELF) if site.block is STYLE)
    with studio.injection, torch.no_grad():
        studio.call()
        with pytest.raises(RowsError, match="11 rows where the UNet's call has 8 rows"):
            site.attention(numbers(1, 11, 6, site.width))


@pytest.mark.parametrize("role", ["to_q", "to_k"])
def test_an_attention_that_leaves_out_a_projection_is_an_error(role: str) -> None:
    """The reference's pass, which is not the other extension's, saw all of them."""
    studio = Studio([swapping(weights={STYLE: 1.0})])
    attention: Any = next(s for s in enumerate_sites(studio.unet, SELF) if s.block is STYLE).attention
    modules = [module for name, module in (("to_q", attention.to_q), ("to_k", attention.to_k), ("to_v", attention.to_v)) if name != role]  # fmt: skip

    def forward(x: torch.Tensor, **_rest: Any) -> torch.Tensor:
        return attention.to_out(sum(module(x) for module in modules))

    attention.forward = forward
    missing = {"to_q": "query", "to_k": "key"}[role]
    with pytest.raises(RowsError, match=f"no {missing} where the UNet's call has 8 rows"):
        studio.styled()


def test_a_call_within_a_call_leaves_the_outer_s_records() -> None:
    studio = Studio([swapping(weights={STYLE: 1.0})])
    attention: Any = next(s for s in enumerate_sites(studio.unet, SELF) if s.block is STYLE).attention
    wanted, inner = studio.styled(), []

    def call_again(*_arguments: object) -> None:
        if not inner and not studio.injection.is_aside:
            inner.append(None)
            inner[0] = studio.call([0, 4], 100.0)
            studio.rows = ROWS

    with attention.register_forward_pre_hook(call_again):
        assert torch.equal(studio.styled(), wanted)
    assert torch.equal(inner[0], Studio([swapping(weights={STYLE: 1.0})]).styled([0, 4], 100.0))


# ---- faults ----


class StrayError(Exception):
    pass


def _stray(*_args: object, **_kwargs: object) -> None:
    raise StrayError


FAULTS = ["latent", "conditioning", "pass", "recording at a site", "recording at a block", "keeping", "query", "key", "value", "output", "block", "host"]  # fmt: skip


def _break(studio: Studio, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``studio`` fail at some point from the noising of the latent to the host's own code behind the last site."""
    room = "lib_instantstyle.self_attention"
    places = {
        "latent": f"{room}.recorded_pass._Batch.noised",
        "conditioning": f"{room}.recorded_pass.RecordedPass._batch",
        "recording at a block": f"{room}.recorder.statistics",
        "keeping": f"{room}.records.KeptRecords.put",
        "key": f"{room}.run.Run._project",
        "value": f"{room}.run.beside",
        "output": f"{room}.run.mix",
        "block": f"{room}.block_site.adain",
    }
    block = studio.unet.get_submodule(STYLE.ldm_name).transformer_blocks[0]
    if where in places:
        monkeypatch.setattr(places[where], _stray)
    elif where == "pass":
        studio.reading._pass._forward = _stray
    elif where == "recording at a site":
        _fail_at(block.attn1.to_k, lambda: studio.injection.is_aside)
    elif where == "query":
        _fail_at(block.attn1.to_q, lambda: not studio.injection.is_aside)
    else:
        _fail_at(studio.unet.out, lambda: True)


def _fail_at(module: nn.Module, when: Callable[[], bool]) -> None:
    module.register_forward_pre_hook(lambda *_: _stray() if when() else None)


@pytest.mark.parametrize("where", FAULTS)
def test_after_a_fault_at_any_step_nothing_is_left(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = [swapping(Rule(shares=True), 0.5, region=torch.ones(1, 16, 16)), BlockSource(((0,),), (1.0,), weights=EVERYTHING)]  # fmt: skip
    store = KeptRecords()
    studio = Studio(sources, keeping=Keeping(store, "a"))
    plain = studio.call()
    patched: Any = studio.unet.get_submodule(LAYOUT.ldm_name)
    patched.forward = patched.forward  # as another extension's: it must come back
    own, before = patched.__dict__["forward"], state(studio.unet)
    with monkeypatch.context() as broken:
        _break(studio, where, broken)
        with pytest.raises(StrayError):
            studio.styled()
    assert state(studio.unet) == before
    assert patched.__dict__["forward"] is own
    assert (studio.injection.call.records, studio.reading._records) == (None, None)
    assert not studio.reading._pass._loaded
    assert not studio.injection.is_aside
    assert all(site._run is None and not site._regions for site in studio.reading._sites)
    ours = {"recording at a site": 1, "query": 1, "host": 1}.get(where, 0)  # the hook that fails
    assert hooks(studio.unet) == ours
    for module in studio.unet.modules():
        module._forward_pre_hooks.clear()
    assert torch.equal(studio.call(), plain)
    if where not in ("query", "key", "value", "output", "block", "host"):
        assert store.bytes_kept == 0


def test_injecting_is_all_or_nothing() -> None:
    studio = Studio([swapping()])
    last = enumerate_sites(studio.unet, SELF)[-1]
    kept = last.attention.to_out
    del last.attention.to_out
    with pytest.raises(AttributeError):
        studio.injection.inject()
    assert hooks(studio.unet) == 0
    last.attention.to_out = kept
    assert torch.equal(studio.styled(), Studio([swapping()]).styled())


def test_twice_in_and_out_leaves_the_unet_as_it_was() -> None:
    studio = Studio([swapping(), LAYOUT_SOURCE])
    plain, before = studio.call(), state(studio.unet)
    for _ in range(2):
        assert not torch.equal(studio.styled(), plain)
        assert hooks(studio.unet) == 0
        assert state(studio.unet) == before
        assert torch.equal(studio.call(), plain)


def test_a_site_that_is_not_run_is_named() -> None:
    """Such as where another implementation of attention passes the projections by."""
    studio = Studio([swapping(weights={STYLE: 1.0})])
    attention: Any = studio.unet.get_submodule(STYLE.ldm_name).transformer_blocks[0].attn1
    with _class_forward(attention, lambda x, **_: x), pytest.raises(UnsupportedModelError, match="2 places"):
        studio.styled()


def test_the_forward_of_the_class_is_that_of_the_host() -> None:
    """A host may hand over what its UNet takes besides, as the Forge family's ``transformer_options``."""
    seen = []

    def forward(unet: nn.Module, *args: Any) -> object:
        seen.append(args)
        return ldm_forward(unet, *args)

    studio = Studio([swapping()], forward=forward)
    assert torch.equal(studio.styled(), Studio([swapping()]).styled())
    assert len(seen) == 1
