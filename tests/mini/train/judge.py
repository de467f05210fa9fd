"""Training of the judge, on drawn pictures that are blurred and noisy to the extent that decoded ones are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from tests.mini.drawing import render
from tests.mini.judge import SIDE, Judge
from tests.mini.train.device import CPU, on_device
from tests.mini.train.loop import Plan, fit
from tests.mini.world import random_scenes

if TYPE_CHECKING:
    from pathlib import Path

_PLAN = Plan("judge", steps=1600, rate=2e-3)
_BATCH = 128


def train_judge(folder: Path, device: torch.device = CPU) -> Judge:
    """Train the judge."""
    judge = on_device(Judge(), device)

    def loss(generator: torch.Generator) -> torch.Tensor:
        scenes = random_scenes(_BATCH, generator)
        return judge.train().loss(_worn(render(scenes, SIDE), generator), scenes)

    fit(_PLAN, judge, loss, folder, seed=4)
    return judge.eval().requires_grad_(False)


def _worn(pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Blur half of the pictures; change brightness and contrast a little; add noise."""

    def draw(low: float, high: float) -> torch.Tensor:
        return torch.rand(len(pictures), 1, 1, 1, generator=generator) * (high - low) + low

    soft = F.avg_pool2d(pictures, 3, stride=1, padding=1, count_include_pad=False)
    blurred = torch.lerp(pictures, soft, (draw(0, 2) - 1).clamp(min=0))
    toned = (blurred - 0.5) * draw(0.85, 1.1) + 0.5 + draw(-0.06, 0.06)
    return (toned + torch.randn(pictures.shape, generator=generator) * draw(0, 0.06)).clamp(0, 1)
