"""What reading a reference costs at SDXL's full size: counted on the meta device, where nothing is computed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from lib_instantstyle.method.latents import NoiseLevels
from lib_instantstyle.params.blocks import BLOCKS
from lib_instantstyle.params.self_attention import SHARE, SWAP, Rule
from lib_instantstyle.self_attention.reading import ReferenceReading, Way
from lib_instantstyle.self_attention.reference import Conditioning, Reference
from lib_instantstyle.self_attention.sources import AttentionSource, BlockSource
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.rows import Row
from tests.support.architecture import Architecture
from tests.support.reading import ALPHAS
from tests.tiny.unet import UNetConfig

SDXL = Architecture(UNetConfig(320, (1, 2, 4), (0, 2, 10), 10, 2048, 2816), head_width=64)
EVERYTHING = dict.fromkeys(BLOCKS, 1.0)
FINEST = {block: 1.0 for block in BLOCKS if block.name.startswith("up_blocks.1.")}
TERA, MEGA = 10**12, 10**6


@functools.cache
def unet() -> nn.Module:
    with torch.device("meta"):
        return SDXL.ldm().half().eval()


def empty(*shape: int) -> torch.Tensor:
    return torch.empty(shape, device="meta", dtype=torch.float16)


class Meter:
    """Calls of the UNet with ``rows`` rows of 1024² pixels, half of them unconditional unless there is only one."""

    def __init__(self, rows: int, sources: Sequence[Any], *, captioned: bool = False, every: int = 1) -> None:
        half = (rows + 1) // 2
        self.rows = (*(Row(True, i) for i in range(half)), *(Row(False, i) for i in range(rows - half)))
        texts = Conditioning(empty(1, 77, 2048), empty(1, 2816))
        reference = Reference("0" * 64, empty(1, 4, 128, 128), texts, texts if captioned else None)
        way = Way(NoiseLevels(ALPHAS), every=every)
        self.reading = ReferenceReading(unet(), [reference], sources, way)
        self.injection = Injection(unet(), (), self.read_call, companion=self.reading)
        self.timestep = 999.0

    def read_call(self, args: Any, _kwargs: Any) -> UNetCall:
        return UNetCall(self.rows, args[1], timestep=self.timestep)

    def steps(self, count: int = 1) -> float:
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            for _ in range(count):
                self.timestep -= 1
                rows = len(self.rows)
                unet()(empty(rows, 4, 128, 128), empty(rows), empty(rows, 77, 2048), empty(rows, 2816))
        return counter.get_total_flops() / TERA

    def ratio(self, steps: int = 1) -> float:
        """Return how much more steps cost that read the reference."""
        with self.injection:
            return self.steps(steps) / (steps * len(self.rows) * plain_row())


@functools.cache
def plain_row() -> float:
    return Meter(1, [source()]).steps()


def source(weights: Any = EVERYTHING, rule: Rule = SWAP, factor: float = 1.0) -> AttentionSource:
    return AttentionSource(((0,),), (factor,), rule, weights=weights)


def test_a_row_of_the_plain_unet() -> None:
    assert plain_row() == pytest.approx(6.76, rel=0.005)


@pytest.mark.parametrize(
    ("rows", "options", "steps", "most"),
    [
        (2, {}, 1, 1.46),
        (4, {}, 1, 1.23),
        (8, {}, 1, 1.11),
        (1, {}, 1, 1.92),
        (2, {"captioned": True}, 1, 1.92),
        (2, {"every": 2}, 2, 1.23),
    ],
)
def test_a_step_that_swaps_everywhere(rows: int, options: Any, steps: int, most: float) -> None:
    """A pass of 0.92 rows for each of the reference's; and its keys and values, 0.07 rows, stand for those of all."""
    ratio = Meter(rows, [source()], **options).ratio(steps)
    references = 2 if options.get("captioned") else 1
    assert ratio == pytest.approx((rows + 0.92 * references / steps + 0.07 * (references - rows)) / rows, abs=0.005)
    assert ratio <= most


@pytest.mark.parametrize(
    ("sources", "most"),
    [
        ([source(FINEST)], 1.46),
        ([source(rule=Rule(push=1.0))], 1.5),
        ([source(factor=0.5)], 1.61),
        ([source(rule=SHARE)], 1.63),
        ([BlockSource(((0,),), (1.0,), weights=EVERYTHING)], 1.48),
    ],
    ids=["up_blocks.1", "push", "weight 0.5", "share", "blocks"],
)
def test_other_ways_with_one_picture(sources: list[Any], most: float) -> None:
    assert 1.0 < Meter(2, sources).ratio() <= most


@pytest.mark.parametrize(("weights", "most"), [(EVERYTHING, 210), (FINEST, 32)], ids=["everything", "up_blocks.1"])
def test_bytes_held(weights: Any, most: float) -> None:
    meter = Meter(2, [source(weights)])
    with meter.injection:
        meter.steps()
        assert 0.9 * most <= meter.reading._records.nbytes / MEGA <= most
