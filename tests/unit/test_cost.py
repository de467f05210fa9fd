"""What the loop pays: operations counted, not timed. And that half precision gives the same answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch

from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.blocks import STYLE, Block, Preset, preset_weights
from lib_instantstyle.params.curve import Shape
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import Source, image_terms
from lib_instantstyle.unet.rows import Row
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from tests.support.counting import Operations
from tests.support.unets import CONTEXT, GridUNet

ROWS = (Row(True, 0), Row(False, 0))
GENERATOR = torch.Generator().manual_seed(7)
LATENTS = torch.randn(2, 4, 16, 16, generator=GENERATOR)
TEXT = torch.randn(2, 7, CONTEXT, generator=GENERATOR)
TOKENS = torch.randn(8, 4, CONTEXT, generator=GENERATOR)
NOTHING = torch.randn(1, 4, CONTEXT, generator=GENERATOR)
ATTENTION, ADD, SCALED_ADD = "_scaled_dot_product_flash_attention_for_cpu", "add", "addcmul"


class Loop:
    """A UNet that is called step by step, plain and styled."""

    def __init__(self, adapter: Adapter, dtype: torch.dtype = torch.float32) -> None:
        self.unet = GridUNet().to(dtype)
        self.sites = enumerate_sites(self.unet)
        self._adapter = adapter
        self._dtype = dtype

    @torch.no_grad()
    def step(self, timestep: float = 500.0) -> torch.Tensor:
        steps = torch.full((2,), timestep)
        return self.unet(LATENTS.to(self._dtype), timesteps=steps, context=TEXT.to(self._dtype))

    def injection(self, sources: list[Source], schedule: Schedule | None = None, colours: float = 0.0) -> Injection:
        terms = image_terms(sources, self.sites, self._adapter)
        styling = ScheduledTerms(terms, schedule or Schedule(), colours)
        return Injection(self.unet, [styling], lambda _args, kwargs: UNetCall(ROWS, kwargs["timesteps"]))

    def added(self, sources: list[Source], schedule: Schedule | None = None) -> dict[str, int]:
        """Return the operations that styling adds to a step, from the second on."""
        with Operations() as plain:
            self.step()
        with self.injection(sources, schedule):
            self.step(900.0)
            with Operations() as styled:
                self.step()
        styled.by_name.subtract(plain.by_name)
        return {name: count for name, count in styled.by_name.items() if count}


def source(weights: dict[Block, float], count: int = 1, **others: Any) -> Source:
    tokens = TOKENS[:count].flatten(0, 1)[None]
    return Source(weights, tokens, NOTHING.repeat(1, count, 1), **others)


@pytest.fixture
def loop(adapter: Adapter) -> Loop:
    return Loop(adapter)


@pytest.mark.parametrize("preset", [Preset.STYLE, Preset.STYLE_LAYOUT, Preset.ALL])
def test_a_step_gains_one_attention_and_one_addition_a_site(loop: Loop, preset: Preset) -> None:
    weights = preset_weights(preset)
    sites = sum(site.block in weights for site in loop.sites)
    assert loop.added([source(weights)]) == {ATTENTION: sites, ADD: sites}


@pytest.mark.parametrize("count", [1, 2, 8])
def test_concatenated_references_cost_no_further_operation(loop: Loop, count: int) -> None:
    factors = tuple(float(index) for index in range(4 * count))
    assert loop.added([source({STYLE: 1.0}, count, token_factors=factors)]) == loop.added([source({STYLE: 1.0})])


def test_a_curve_is_looked_up_once_a_step_for_all_sites(loop: Loop) -> None:
    few = loop.added([source({STYLE: 1.0})], Schedule(curve=Shape.FADE_OUT))
    many = loop.added([source(preset_weights(Preset.ALL))], Schedule(curve=Shape.FADE_OUT))
    assert many[SCALED_ADD] == many[ATTENTION] == len(loop.sites)
    assert {name: many[name] - few[name] for name in many} == {
        name: len(loop.sites) - few[ATTENTION] if name in (ATTENTION, SCALED_ADD) else 0 for name in many
    }


def test_a_region_costs_one_multiplication_a_site(loop: Loop) -> None:
    added = loop.added([source({STYLE: 1.0}, region=torch.rand(1, 16, 16))])
    assert added == {ATTENTION: added[ATTENTION], "mul": added[ATTENTION], ADD: added[ATTENTION]}


def test_weight_nothing_costs_nothing(loop: Loop) -> None:
    assert loop.added([source({STYLE: 0.0})]) == {}


@pytest.mark.parametrize("wait", [torch.Tensor.item, bool, torch.Tensor.half, lambda tensor: tensor.to("meta")])
def test_the_count_would_notice_a_wait_or_a_copy(wait: Callable[[torch.Tensor], object]) -> None:
    with Operations() as operations:
        wait(torch.ones(1))
    assert operations.by_name & Counter(["_local_scalar_dense", "_to_copy"])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float16, 4e-3), (torch.bfloat16, 3e-2)], ids=str)
@pytest.mark.parametrize("weight", [1.0, 3.0])
@pytest.mark.parametrize("colours", [0.0, 1.0])
def test_half_precision_gives_the_same_answer(
    adapter: Adapter, dtype: torch.dtype, tolerance: float, weight: float, colours: float
) -> None:
    """Relative to the largest number of the effect, which is the change that styling makes."""
    weights = dict.fromkeys(preset_weights(Preset.ALL), weight)
    effects = []
    for precision in (torch.float32, dtype):
        loop = Loop(adapter, precision)
        plain = loop.step()
        with loop.injection([source(weights)], colours=colours):
            effects.append((loop.step() - plain).float())
    exact, rounded = effects
    assert torch.isfinite(rounded).all()
    assert (rounded - exact).abs().max() <= tolerance * (exact.abs().max() + LATENTS.abs().max())
