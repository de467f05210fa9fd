"""An injected UNet against the same UNet recomputed in numpy: row by row, head by head, without any hook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lib_instantstyle.method.attention import keep_text_colours
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.block_weights import SiteName
from lib_instantstyle.params.blocks import LAYOUT, STYLE, Block, find_block
from lib_instantstyle.params.curve import Point, Shape
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import Source, image_terms
from lib_instantstyle.unet.rows import Row, RowCursor
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from tests.support import files
from tests.support.counting import hooks
from tests.support.unets import CONTEXT, GridUNet

FIRST = find_block("down_blocks.1.attentions.0")  # works on the finer grid
WEIGHTS = {STYLE: 1.0, LAYOUT: -0.6, FIRST: 0.8}
GENERATOR = torch.Generator().manual_seed(31)
LATENTS = torch.randn(8, 4, 16, 32, generator=GENERATOR)
TEXTS = torch.randn(8, 5, CONTEXT, generator=GENERATOR)
TOKENS = torch.randn(6, 4, CONTEXT, generator=GENERATOR)  # of six pictures
NOTHING = torch.randn(4, CONTEXT, generator=GENERATOR)
REGIONS = torch.rand(3, 8, 16, generator=GENERATOR)

BATCHES = {"one": [1], "three": [1, 1, 1], "three with AND": [2, 1, 1]}
CALLS = ["whole", "cond and uncond", "row by row", "pairs"]


def calls_of(layout: str, parts: list[int]) -> list[int]:
    rows, conditional = sum(parts) + len(parts), sum(parts)
    pairs = [2] * (rows // 2) + [1] * (rows % 2)
    whole = {"whole": [rows], "cond and uncond": [conditional, len(parts)], "row by row": [1] * rows, "pairs": pairs}
    return whole[layout]


def rows_of(parts: list[int], first: int = 0) -> list[Row]:
    """As the host orders them, spelled out."""
    rows = [Row(True, first + picture) for picture, count in enumerate(parts) for _ in range(count)]
    return rows + [Row(False, first + picture) for picture in range(len(parts))]


class Bench:
    """A UNet with an injection, called as a host calls it."""

    def __init__(self, adapter: Adapter, *stylings: tuple[list[Source], Schedule, float]) -> None:
        self.unet = GridUNet()
        self.cursor = RowCursor()
        sites = enumerate_sites(self.unet)
        made = [ScheduledTerms(image_terms(sources, sites, adapter), *options) for sources, *options in stylings]
        self.injection = Injection(self.unet, made, self._describe)

    def _describe(self, args: Any, kwargs: Any) -> UNetCall:
        return UNetCall(self.cursor.take(args[0].shape[0]), kwargs["timesteps"])

    def step(self, parts: list[int], layout: str = "whole", timestep: float = 500.0, first: int = 0) -> torch.Tensor:
        self.cursor.begin_step(parts, sum(parts), len(parts), first)
        outputs, start = [], 0
        for count in calls_of(layout, parts):
            part = slice(start, start + count)
            times = torch.full((count,), timestep)
            outputs.append(self.unet(LATENTS[part], timesteps=times, context=TEXTS[part]))
            start += count
        return torch.cat(outputs)

    def styled(self, *args: Any, **options: Any) -> torch.Tensor:
        with self.injection:
            return self.step(*args, **options)


@dataclass
class Term:
    """What one source should add: everything as a function of the row."""

    tokens: Callable[[Row], torch.Tensor]
    weights: dict[Block, float]
    strength: Callable[[Row], float] = lambda _row: 1.0
    token_factors: tuple[float, ...] = (1.0,) * 4
    region: Callable[[Row], torch.Tensor] | None = None
    colours: float = 0.0


def seen(picture: int) -> Callable[[Row], torch.Tensor]:
    return lambda row: TOKENS[picture] if row.conditional else NOTHING


def attention(query: np.ndarray, key: np.ndarray, value: np.ndarray, heads: int) -> np.ndarray:
    """softmax(q Kᵀ / √d) V, one head after the other."""
    results = []
    for q, k, v in zip(*(np.split(part, heads, axis=-1) for part in (query, key, value)), strict=True):
        scores = np.exp(q @ k.T / np.sqrt(q.shape[-1]))
        results.append(scores / scores.sum(axis=-1, keepdims=True) @ v)
    return np.concatenate(results, axis=-1)


def with_text_colours(text: np.ndarray, image: np.ndarray, amount: float) -> np.ndarray:
    """What is added to the text term: between the image term and cross-modal AdaIN, channel by channel."""
    added = np.empty_like(image)
    for channel in range(text.shape[-1]):
        t, i = text[:, channel], image[:, channel]
        aligned = np.std(i, ddof=1) * (t - t.mean()) / np.std(t, ddof=1) + i.mean()
        added[:, channel] = (1 - amount) * i + amount * (aligned - t)
    return added


class PlainAttention(nn.Module):
    """A cross-attention with image terms, in double precision, for one row."""

    def __init__(self, own: Any, name: tuple[Block, int, int], terms: list[Term], row: Row) -> None:
        super().__init__()
        self.own, self.name, self.terms, self.row = own, name, terms, row
        self.grid: tuple[int, int] = (0, 0)

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        block, depth, number = self.name
        matrix = {part: getattr(self.own, f"to_{part}").weight.double().numpy().T for part in "qkv"}
        states, words = x[0].double().numpy(), context[0].double().numpy()
        query = states @ matrix["q"]
        text = attention(query, words @ matrix["k"], words @ matrix["v"], self.own.heads)
        total = text.copy()
        for term in self.terms:
            weight = term.weights.get(SiteName(block, depth), term.weights.get(block, 0.0))
            tokens = term.tokens(self.row).double().numpy()
            key, value = (
                tokens @ ADAPTER[f"ip_adapter.{number}.to_{part}_ip.weight"].double().numpy().T for part in "kv"
            )
            image = attention(query, key, value * np.array(term.token_factors)[:, None], self.own.heads)
            if term.colours:
                image = with_text_colours(text, image, term.colours)
            if term.region is not None:
                image = image * on_grid(term.region(self.row), len(states))[:, None]
            total += weight * term.strength(self.row) * image
        out = self.own.to_out[0]
        return torch.from_numpy(total @ out.weight.double().numpy().T + out.bias.double().numpy())[None].float()


ADAPTER = files.linear_adapter()


def on_grid(region: torch.Tensor, positions: int) -> np.ndarray:
    """The region is as fine as the finer grid; the coarser one averages 2×2 of it."""
    if region.numel() == positions:
        return region.double().flatten().numpy()
    values = region.double().numpy()
    means = [values[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].mean() for y in range(4) for x in range(8)]
    assert len(means) == positions
    return np.array(means)


def recomputed(rows: list[Row], terms: list[Term]) -> torch.Tensor:
    outputs = []
    for index, row in enumerate(rows):
        unet = GridUNet()
        for site in enumerate_sites(unet):
            layer = site.transformer.transformer_blocks[site.depth]
            layer.attn2 = PlainAttention(layer.attn2, (site.block, site.depth, site.adapter_id), terms, row)
        part = slice(index, index + 1)
        outputs.append(unet(LATENTS[part], context=TEXTS[part]))
    return torch.cat(outputs)


def enlarged(regions: torch.Tensor) -> torch.Tensor:
    """Square, as masks are kept: 8×16 becomes 32×32."""
    return regions.repeat_interleave(4, -2).repeat_interleave(2, -1)


def source(picture: int, weights: dict[Any, float] | None = None, **options: Any) -> Source:
    return Source(weights or WEIGHTS, TOKENS[picture : picture + 1], NOTHING[None], **options)


def assert_equal(ours: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    assert float((ours - expected).abs().max() / expected.abs().max()) <= tolerance


def test_without_terms_the_recomputation_is_the_unet(adapter: Adapter) -> None:
    assert_equal(Bench(adapter).step([2, 1, 1]), recomputed(rows_of([2, 1, 1]), []))


@pytest.mark.parametrize("layout", CALLS)
@pytest.mark.parametrize("parts", BATCHES.values(), ids=list(BATCHES))
def test_two_sources_add_up(adapter: Adapter, parts: list[int], layout: str) -> None:
    sources = [source(0), source(1, {STYLE: 0.5}, factors=(0.7, 0.7))]
    terms = [Term(seen(0), WEIGHTS), Term(seen(1), {STYLE: 0.5}, strength=lambda _row: 0.7)]
    styled = Bench(adapter, (sources, Schedule(), 0.0)).styled(parts, layout)
    assert_equal(styled, recomputed(rows_of(parts), terms))


def test_factors_tell_conditional_from_unconditional_rows(adapter: Adapter) -> None:
    styled = Bench(adapter, ([source(0, factors=(2.0, 0.0))], Schedule(), 0.0)).styled([2, 1, 1])
    only_unconditional = Term(seen(0), WEIGHTS, strength=lambda row: 0.0 if row.conditional else 2.0)
    assert_equal(styled, recomputed(rows_of([2, 1, 1]), [only_unconditional]))


@pytest.mark.parametrize("layout", CALLS)
def test_concatenated_tokens_share_one_softmax(adapter: Adapter, layout: str) -> None:
    factors = (1.0,) * 4 + (0.5,) * 4
    both = Source(WEIGHTS, TOKENS[:2].flatten(0, 1)[None], NOTHING.repeat(2, 1)[None], token_factors=factors)
    term = Term(
        lambda row: TOKENS[:2].flatten(0, 1) if row.conditional else NOTHING.repeat(2, 1),
        WEIGHTS,
        token_factors=factors,
    )
    styled = Bench(adapter, ([both], Schedule(), 0.0)).styled([2, 1, 1], layout)
    assert_equal(styled, recomputed(rows_of([2, 1, 1]), [term]))
    added = recomputed(rows_of([2, 1, 1]), [Term(seen(0), WEIGHTS), Term(seen(1), WEIGHTS)])
    assert float((styled - added).abs().max()) > 1e-2


def cycled(count: int, **options: Any) -> Source:
    return Source(WEIGHTS, TOKENS[:count], NOTHING.expand(count, -1, -1), **options)


@pytest.mark.parametrize("layout", CALLS)
@pytest.mark.parametrize("parts", BATCHES.values(), ids=list(BATCHES))
@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("first", [0, 4], ids=["first batch", "a later batch"])
def test_references_go_in_turn_from_picture_to_picture(
    adapter: Adapter, parts: list[int], layout: str, count: int, first: int
) -> None:
    strengths = (1.0, 0.5, 2.0)[:count]
    one_each = cycled(count, factors=tuple(s for s in strengths for _ in range(2)))
    term = Term(
        lambda row: TOKENS[row.picture % count] if row.conditional else NOTHING,
        WEIGHTS,
        strength=lambda row: strengths[row.picture % count],
    )
    styled = Bench(adapter, ([one_each], Schedule(), 0.0)).styled(parts, layout, first=first)
    assert_equal(styled, recomputed(rows_of(parts, first), [term]))


@pytest.mark.parametrize("layout", CALLS)
@pytest.mark.parametrize("parts", BATCHES.values(), ids=list(BATCHES))
def test_regions_weigh_every_position(adapter: Adapter, parts: list[int], layout: str) -> None:
    regions = enlarged(REGIONS)
    sources = [source(index, region=regions[index : index + 1]) for index in range(2)]
    terms = [Term(seen(index), WEIGHTS, region=lambda _row, i=index: REGIONS[i]) for index in range(2)]
    styled = Bench(adapter, (sources, Schedule(), 0.0)).styled(parts, layout)
    assert_equal(styled, recomputed(rows_of(parts), terms))


@pytest.mark.parametrize("layout", CALLS)
def test_references_in_turn_keep_their_own_regions(adapter: Adapter, layout: str) -> None:
    one_each = cycled(3, factors=(1.0,) * 6, region=enlarged(REGIONS))
    term = Term(
        lambda row: TOKENS[row.picture % 3] if row.conditional else NOTHING,
        WEIGHTS,
        region=lambda row: REGIONS[row.picture % 3],
    )
    styled = Bench(adapter, ([one_each], Schedule(), 0.0)).styled([2, 1, 1], layout)
    assert_equal(styled, recomputed(rows_of([2, 1, 1]), [term]))


def test_sources_with_and_without_a_region_meet_at_one_site(adapter: Adapter) -> None:
    sources = [source(0, region=enlarged(REGIONS[:1])), source(1)]
    terms = [Term(seen(0), WEIGHTS, region=lambda _row: REGIONS[0]), Term(seen(1), WEIGHTS)]
    styled = Bench(adapter, (sources, Schedule(), 0.0)).styled([2, 1, 1])
    assert_equal(styled, recomputed(rows_of([2, 1, 1]), terms))


@pytest.mark.parametrize("amount", [0.0, 0.25, 0.5, 1.0])
def test_prompt_colours_equal_numpy(amount: float) -> None:
    text, image = torch.randn(2, 3, 40, 8, generator=torch.Generator().manual_seed(8)) * 3 + 1
    found = keep_text_colours(text, image, amount)
    for row in range(3):
        expected = with_text_colours(text[row].double().numpy(), image[row].double().numpy(), amount)
        np.testing.assert_allclose(found[row].numpy(), expected, rtol=1e-4, atol=1e-5)
    if amount == 0.0:
        assert torch.equal(found, image)


def test_full_prompt_colours_give_the_text_term_the_image_term_s_statistics() -> None:
    text, image = torch.randn(2, 3, 40, 8, generator=torch.Generator().manual_seed(8)) * 3 + 1
    total = text + keep_text_colours(text, image, 1.0)
    for statistic in (np.mean, np.std):
        np.testing.assert_allclose(statistic(total.numpy(), axis=1), statistic(image.numpy(), axis=1), rtol=1e-4)


@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_a_single_position_becomes_the_image_term_s_mean(amount: float, dtype: torch.dtype) -> None:
    """Its variance is 0, not 0 / 0: A = μ(I) = I, of which T is subtracted in proportion."""
    text, image = torch.randn(2, 3, 1, 8, generator=torch.Generator().manual_seed(8)).to(dtype)
    found = keep_text_colours(text, image, amount)
    torch.testing.assert_close(found, (image.float() - amount * text.float()).to(dtype))


def test_two_positions_equal_numpy() -> None:
    text, image = torch.randn(2, 1, 2, 8, generator=torch.Generator().manual_seed(8)) * 3 + 1
    expected = with_text_colours(text[0].double().numpy(), image[0].double().numpy(), 1.0)
    np.testing.assert_allclose(keep_text_colours(text, image, 1.0)[0].numpy(), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("flat", ["text", "image", "both"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_flat_channels_give_no_nan(flat: str, dtype: torch.dtype) -> None:
    text, image = torch.randn(2, 1, 40, 8, generator=torch.Generator().manual_seed(8))
    text = torch.ones_like(text) if flat in ("text", "both") else text
    image = torch.ones_like(image) if flat in ("image", "both") else image
    found = keep_text_colours(text.to(dtype), image.to(dtype), 1.0)
    assert found.dtype is dtype
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("layout", CALLS)
@pytest.mark.parametrize("amount", [0.0, 0.5, 1.0])
def test_prompt_colours_in_the_unet(adapter: Adapter, amount: float, layout: str) -> None:
    """With weights, a region and a batch; statistics are taken over the whole picture of each row."""
    weights = {STYLE: 1.0, LAYOUT: 0.5}
    options: dict[str, Any] = {"factors": (0.8, 0.8), "region": enlarged(REGIONS[:1])}
    styled = Bench(adapter, ([source(0, weights, **options)], Schedule(), amount)).styled([2, 1, 1], layout)
    term = Term(seen(0), weights, lambda _row: 0.8, region=lambda _row: REGIONS[0], colours=amount)
    assert_equal(styled, recomputed(rows_of([2, 1, 1]), [term]), 1e-4)  # the library keeps variances from 0 by 1e-6


def test_next_to_no_prompt_colours_only_add(adapter: Adapter) -> None:
    for options in ({}, {"region": enlarged(REGIONS[:1])}):
        sources = [source(0, **options)]
        without = Bench(adapter, (sources, Schedule(), 0.0)).styled([2, 1, 1])
        almost = Bench(adapter, (sources, Schedule(), 1e-12)).styled([2, 1, 1])
        torch.testing.assert_close(almost, without, rtol=1e-5, atol=1e-5)


FADE = Schedule(0.2, 0.8, Shape.FADE_OUT)
POINTS = Schedule(curve=(Point(0.0, 2.0), Point(0.6, 0.5)))


def fade(timestep: float) -> float:
    fraction = 1 - timestep / 999
    return 1 - (fraction - 0.2) / 0.6 if 0.2 <= fraction <= 0.8 else 0.0


def points(timestep: float) -> float:
    return float(np.interp(1 - timestep / 999, [0.0, 0.6], [2.0, 0.5]))


@pytest.mark.parametrize("layout", CALLS)
@pytest.mark.parametrize("timestep", [999.0, 700.0, 450.0, 20.0])
def test_two_stylings_follow_their_own_schedules_and_colours(adapter: Adapter, timestep: float, layout: str) -> None:
    stylings = (
        ([source(0)], FADE, 0.0),
        ([source(1, {STYLE: 0.7})], POINTS, 0.5),
        ([source(2, {LAYOUT: 0.4}, region=enlarged(REGIONS[:1]))], Schedule(), 0.0),
    )
    terms = [
        Term(seen(0), WEIGHTS, lambda _row: fade(timestep)),
        Term(seen(1), {STYLE: 0.7}, lambda _row: points(timestep), colours=0.5),
        Term(seen(2), {LAYOUT: 0.4}, region=lambda _row: REGIONS[0]),
    ]
    styled = Bench(adapter, *stylings).styled([2, 1, 1], layout, timestep)
    assert_equal(styled, recomputed(rows_of([2, 1, 1]), terms), 1e-4)


def test_one_injection_serves_all_steps_and_layouts_of_a_job(adapter: Adapter) -> None:
    """Nothing that was kept for one call may be met by another."""
    bench = Bench(adapter, ([cycled(3, factors=(1.0,) * 6, region=enlarged(REGIONS))], FADE, 0.5))
    steps = [(parts, layout, time) for parts in BATCHES.values() for layout in CALLS for time in (700.0, 450.0)]
    expected = []
    for step in steps:
        expected.append(bench.styled(*step))  # each in an injection of its own
    with bench.injection:
        for step, before in zip(steps * 2, expected * 2, strict=True):
            assert torch.equal(bench.step(*step), before)


def test_a_single_layer_s_weight_reaches_that_layer_alone(adapter: Adapter) -> None:
    weights = {STYLE: 1.0, SiteName(STYLE, 1): 0.3, SiteName(LAYOUT, 0): -0.5}
    styled = Bench(adapter, ([source(0, weights)], Schedule(), 0.0)).styled([1])
    assert_equal(styled, recomputed(rows_of([1]), [Term(seen(0), weights)]))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_everything_at_once_in_half_precision(adapter: Adapter, dtype: torch.dtype) -> None:
    stylings = (([cycled(3, factors=(0.5,) * 6, region=enlarged(REGIONS))], FADE, 0.5), ([source(1)], POINTS, 0.0))
    expected = Bench(adapter, *stylings).styled([2, 1, 1])
    bench = Bench(adapter, *stylings)
    bench.unet.to(dtype)
    bench.cursor.begin_step([2, 1, 1], 4, 3)
    with bench.injection:
        half = bench.unet(LATENTS[:7].to(dtype), timesteps=torch.full((7,), 500.0), context=TEXTS[:7].to(dtype))
    assert half.dtype is dtype
    assert_equal(half.float(), expected, 0.05)


def test_ejected_the_unet_is_bit_identical(adapter: Adapter) -> None:
    stylings = (([cycled(3, factors=(1.0,) * 6, region=enlarged(REGIONS))], FADE, 0.5), ([source(1)], POINTS, 0.0))
    bench = Bench(adapter, *stylings)
    before = bench.step([2, 1, 1])
    assert not torch.equal(bench.styled([2, 1, 1]), before)
    assert torch.equal(bench.step([2, 1, 1]), before)
    assert hooks(bench.unet) == 0


def test_a_site_of_several_stylings_has_one_pair_of_hooks(adapter: Adapter) -> None:
    bench = Bench(adapter, ([source(0), source(1)], FADE, 0.5), ([source(2)], POINTS, 0.0))
    with bench.injection:
        for site in enumerate_sites(bench.unet):
            pair = len(site.attention.to_q._forward_hooks), len(site.attention.to_out[0]._forward_pre_hooks)
            assert pair == ((1, 1) if site.block in WEIGHTS else (0, 0))
