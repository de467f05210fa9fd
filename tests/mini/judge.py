"""Reads the factors off a picture: the instrument that counts what arrived and what leaked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from tests.mini.world import LEVELS

if TYPE_CHECKING:
    from tests.mini.world import Scenes

SIDE = 64  # pixels that it looks at
_WIDTHS = (32, 64, 96, 128)


class Verdict(NamedTuple):
    """What the judge saw in ``n`` pictures.

    Attributes:
        factors: The most likely index of each factor, int64 ``[n]``.
        certainty: Its probability, ``[n]``.
        centre: Where the shape lies, ``[n, 2]``, as in `Scenes`.
    """

    factors: dict[str, torch.Tensor]
    certainty: dict[str, torch.Tensor]
    centre: torch.Tensor


class Judge(nn.Module):
    """A small convolutional network with one head a factor."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((3, *_WIDTHS), _WIDTHS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
        self.body = nn.Sequential(*layers, nn.Flatten(), nn.Linear(_WIDTHS[-1] * 16, 128), nn.ReLU())
        self.heads = nn.ModuleDict({name: nn.Linear(128, levels) for name, levels in LEVELS.items()})
        self.centre = nn.Linear(128, 2)

    def forward(self, pictures: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Return logits and centres for ``[n, 3, h, w]``, 0 to 1."""
        features = self.body(F.interpolate(pictures, (SIDE, SIDE), mode="area"))
        return {name: head(features) for name, head in self.heads.items()}, self.centre(features)

    def loss(self, pictures: torch.Tensor, scenes: Scenes) -> torch.Tensor:
        """Return what training lowers."""
        logits, centre = self(pictures)
        losses = [F.cross_entropy(logits[name], getattr(scenes, name)) for name in LEVELS]
        return sum(losses, 10 * F.mse_loss(centre, scenes.centre))

    @torch.no_grad()
    def look(self, pictures: torch.Tensor) -> Verdict:
        """Read the factors of ``[n, 3, h, w]``, 0 to 1."""
        logits, centre = self.eval()(pictures)
        best = {name: rows.softmax(dim=-1).max(dim=-1) for name, rows in logits.items()}
        factors = {name: found.indices for name, found in best.items()}
        return Verdict(factors, {name: found.values for name, found in best.items()}, centre)
