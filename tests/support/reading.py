"""A small SDXL-shaped UNet in double precision, and references for its self-attentions."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from lib_instantstyle.method.latents import NoiseLevels
from lib_instantstyle.params.blocks import BLOCKS
from lib_instantstyle.params.self_attention import SWAP, Rule
from lib_instantstyle.pictures.regions import WHOLE, CropWindow
from lib_instantstyle.self_attention.reading import ReferenceReading, Way
from lib_instantstyle.self_attention.reference import Conditioning, Reference
from lib_instantstyle.self_attention.sources import AttentionSource, ReferenceSource
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.rows import Row
from tests.support.architecture import SIZE_NUMBERS, Architecture
from tests.tiny.tensors import random_tensors
from tests.tiny.unet import UNetConfig, unet_shapes

CONTEXT, POOLED, NUMBER_WIDTH = 16, 16, 8
CONFIG = UNetConfig(32, (1, 1, 2), (0, 1, 2), 2, CONTEXT, POOLED + SIZE_NUMBERS * NUMBER_WIDTH)
ARCHITECTURE = Architecture(CONFIG, head_width=8, number_width=NUMBER_WIDTH)
SIZE = (8, 12)  # of a picture's latent
PICTURES = 4
TIMESTEP = 437.0
# Conditional rows first, as AUTOMATIC1111's WebUI orders them.
ROWS = tuple(Row(conditional, picture) for conditional in (True, False) for picture in range(PICTURES))
ALPHAS = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2, 0)
EVERYTHING = dict.fromkeys(BLOCKS, 1.0)


def numbers(seed: int, *shape: int) -> torch.Tensor:
    """Return normally distributed numbers in double precision."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@functools.cache
def weights() -> dict[str, torch.Tensor]:
    """Return the weights of the UNet."""
    return random_tensors(unet_shapes(CONFIG), seed=3, dtype=torch.float64)


def small_unet() -> nn.Module:
    """Make the stand-in's UNet, which is LDM's."""
    unet = ARCHITECTURE.ldm().double().eval().requires_grad_(False)
    unet.load_state_dict(weights())
    return unet


LATENTS = numbers(1, len(ROWS), 4, *SIZE)
TEXTS = numbers(2, len(ROWS), 7, CONTEXT)
POOLED_TEXTS = numbers(3, len(ROWS), POOLED)
TIME_IDS = torch.tensor([[64.0, 96.0, 0.0, 16.0, 64.0, 96.0]], dtype=torch.float64)


def vectors(pooled: torch.Tensor) -> torch.Tensor:
    """Return pooled texts with SDXL's size conditioning, as the diffusers UNet embeds it."""
    half = NUMBER_WIDTH // 2
    frequencies = torch.exp(-torch.log(torch.tensor(10000.0)) * torch.arange(half, dtype=torch.float32) / half)
    angles = TIME_IDS.float().flatten()[:, None] * frequencies[None]
    times = torch.cat((angles.cos(), angles.sin()), dim=-1).flatten()
    return torch.cat((pooled, times.double().expand(len(pooled), -1)), dim=-1)


def conditioning(seed: int, tokens: int = 7) -> tuple[Conditioning, torch.Tensor]:
    """Return the conditioning of some text, and its pooled vector alone."""
    pooled = numbers(100 + seed, 1, POOLED)
    return Conditioning(numbers(200 + seed, 1, tokens, CONTEXT), vectors(pooled)), pooled


def reference(seed: int = 0, *, size: tuple[int, int] = SIZE, captioned: bool = False, tokens: int = 7) -> Reference:
    """Return a reference; ``captioned`` gives it different texts for conditional and unconditional rows."""
    sha256 = hashlib.sha256(f"{seed}".encode()).hexdigest()
    other = conditioning(10 + seed, tokens)[0] if captioned else None
    return Reference(sha256, numbers(300 + seed, 1, 4, *size), conditioning(seed)[0], other)


def swapping(rule: Rule = SWAP, factor: float = 1.0, references: tuple[int, ...] = (0,), **options: Any) -> AttentionSource:  # fmt: skip
    """Return a source that acts everywhere, with what ``options`` changes."""
    return AttentionSource((references,), (factor,), rule, **{"weights": EVERYTHING, **options})


class Studio:
    """A UNet that reads references, called as a host calls it."""

    def __init__(
        self,
        sources: Sequence[ReferenceSource],
        references: Sequence[Reference] | None = None,
        window: CropWindow = WHOLE,
        **way: Any,
    ) -> None:
        self.unet = small_unet()
        self.way = Way(NoiseLevels(ALPHAS), **way)
        self.reading = ReferenceReading(self.unet, references or [reference()], sources, self.way, window)
        self.rows: tuple[Row, ...] = ROWS
        self.injection = Injection(self.unet, (), self.read_call, companion=self.reading)

    def read_call(self, _args: tuple[Any, ...], kwargs: Any) -> UNetCall:
        return UNetCall(self.rows, kwargs["timesteps"], kwargs["context"])

    @torch.no_grad()
    def call(
        self, rows: Sequence[int] = range(len(ROWS)), timestep: float = TIMESTEP, dtype: torch.dtype = torch.float64
    ) -> torch.Tensor:
        """Run some of `ROWS`."""
        chosen = list(rows)
        self.rows = tuple(ROWS[index] for index in chosen)
        timesteps = torch.full((len(chosen),), timestep, dtype=dtype)
        latents, texts, pooled = (t[chosen].to(dtype) for t in (LATENTS, TEXTS, vectors(POOLED_TEXTS)))
        return self.unet(latents, timesteps=timesteps, context=texts, y=pooled)

    def styled(self, rows: Sequence[int] = range(len(ROWS)), timestep: float = TIMESTEP) -> torch.Tensor:
        """Run some of `ROWS`, reading the references."""
        with self.injection:
            return self.call(rows, timestep)


def count_rows(unet: nn.Module, action: Callable[[], object]) -> int:
    """Return how many rows the first convolution of ``unet`` has been run with during ``action``."""
    seen = []
    handle = unet.input_blocks[0][0].register_forward_hook(lambda _module, args, _output: seen.append(len(args[0])))
    with handle:
        action()
    return sum(seen)
