"""The towers: texts and pictures of the same factors meet in one space.

The text tower learns against a tower that reads the true factors (contrastively, as CLIP does), the vision tower
is then fitted to what that tower says of a picture. Learning both from raw pictures at once takes far longer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import nn
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from tests.mini import architecture
from tests.mini.captions import ROWS, Mentions, captions, place_words, rows
from tests.mini.drawing import render
from tests.mini.train.device import CPU, on_device
from tests.mini.train.loop import Plan, fit
from tests.mini.world import LEVELS, SHAPES, Scenes, random_scenes

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = Plan("text", steps=600, rate=2e-3)
_VISION = Plan("vision", steps=2200, rate=1e-3, average=0.998)
_BATCH = 128
_CHANCES = {"shape": 0.6, "figure": 0.5, "ground": 0.5, "texture": 0.5, "outline": 0.5, "place": 0.3}
_SHARPNESS = 20.0  # inverse temperature
_PLACES = ("center", "top", "bottom", "left", "right", "top left", "top right", "bottom left", "bottom right")


class Factors(nn.Module):
    """Reads true factors: a vector for each one that is mentioned, and a small network on their sum."""

    def __init__(self) -> None:
        super().__init__()
        self.tables = nn.ModuleDict({name: nn.Embedding(levels, architecture.SPACE) for name, levels in _levels()})
        self.mixer = nn.Sequential(
            nn.Linear(architecture.SPACE, 2 * architecture.SPACE),
            nn.GELU(),
            nn.Linear(2 * architecture.SPACE, architecture.SPACE),
        )

    def forward(self, scenes: Scenes, mentions: Mentions) -> torch.Tensor:
        """Return ``[n, 64]``."""
        total = torch.zeros(len(scenes), architecture.SPACE)
        for name, indices in _indices(scenes).items():
            said = getattr(mentions, name) & (indices > 0 if name == "outline" else True)  # no word says "no outline"
            total = total + self.tables[name](indices) * said[:, None]
        return total + self.mixer(total)


def _levels() -> list[tuple[str, int]]:
    return [*LEVELS.items(), ("place", len(_PLACES))]


def _indices(scenes: Scenes) -> dict[str, torch.Tensor]:
    places = torch.tensor([_PLACES.index(words) for words in place_words(scenes.centre)])
    return {**{name: getattr(scenes, name) for name in LEVELS}, "place": places}


class Texts(nn.Module):
    """Both text towers, the factors' tower, and the projection that gives CLIP-L something to learn."""

    def __init__(self) -> None:
        super().__init__()
        self.bigg = architecture.bigg(len(ROWS))
        self.clip_l = architecture.clip_l(len(ROWS))
        self.projection = nn.Linear(architecture.CLIP_L_WIDTH, architecture.SPACE, bias=False)
        self.factors = Factors()

    def read(self, texts: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what the UNet reads, ``[n, 77, 96]`` (CLIP-L's states beside those of the second tower), and `pooled`."""
        narrow = self.clip_l(rows(texts, pad_with_end=True), output_hidden_states=True)
        wide = self.bigg(rows(texts, pad_with_end=False))
        states = narrow.hidden_states[architecture.CLIP_L_LAYERS - 1], wide["penultimate"]
        return torch.cat(states, dim=-1), wide["pooled"]

    def pooled(self, texts: list[str]) -> torch.Tensor:
        """Return the vectors ``[n, 64]`` in the shared space."""
        return self.bigg(rows(texts, pad_with_end=False))["pooled"]

    def narrow_pooled(self, texts: list[str]) -> torch.Tensor:
        """Return CLIP-L's vectors in the shared space, which only its training needs."""
        return self.projection(self.clip_l(rows(texts, pad_with_end=True)).pooler_output)


class Vision(nn.Module):
    """The vision tower, and the classifier of shapes that sharpens its look."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = architecture.vision()
        self.shape = nn.Linear(architecture.SPACE, len(SHAPES))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Look at ``[n, 3, 64, 64]``, 0 to 1; return ``[n, 64]``."""
        mean, deviation = (torch.tensor(values).view(3, 1, 1) for values in (OPENAI_CLIP_MEAN, OPENAI_CLIP_STD))
        return self.tower((pictures - mean) / deviation).image_embeds


def train_texts(folder: Path) -> Texts:
    """Train both text towers together with the factors' tower."""
    texts = Texts()
    fit(_TEXT, texts, lambda generator: _text_loss(texts, generator), folder)
    return texts.requires_grad_(False)


def _text_loss(texts: Texts, generator: torch.Generator) -> torch.Tensor:
    scenes = random_scenes(_BATCH, generator)
    mentions = Mentions.random(_BATCH, _CHANCES, generator)
    words = with_unknown_words(captions(scenes, mentions), generator)
    wanted = texts.factors(scenes, mentions)
    total = texts.pooled(words), texts.narrow_pooled(words)
    nearness = sum(F.mse_loss(vectors, wanted.detach()) for vectors in total)
    same = _same(words)
    return sum(_contrast(vectors, wanted, same) for vectors in total) + 0.1 * nearness


def with_unknown_words(texts: list[str], generator: torch.Generator) -> list[str]:
    """Put a word that the towers do not know before a tenth of the texts."""
    chosen = torch.rand(len(texts), generator=generator) < 0.1
    return [f"{'?' if odd else ''} {text}".strip() for text, odd in zip(texts, chosen, strict=True)]


def _same(words: list[str]) -> torch.Tensor:
    """Return which texts say the same, and are no counter-examples of each other."""
    numbers = torch.tensor([words.index(text) for text in words])
    return (numbers[:, None] == numbers) & ~torch.eye(len(words), dtype=torch.bool)


def _contrast(first: torch.Tensor, second: torch.Tensor, same: torch.Tensor) -> torch.Tensor:
    """Symmetric InfoNCE over cosines."""
    logits = _SHARPNESS * F.normalize(first, dim=-1) @ F.normalize(second, dim=-1).T
    logits = logits.masked_fill(same, -math.inf)
    truth = torch.arange(len(first))
    return (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2


def train_vision(folder: Path, factors: Factors, device: torch.device = CPU) -> Vision:
    """Fit the vision tower to what ``factors`` says of each picture."""
    vision = Vision()
    on_device(vision.tower, device)
    everything = Mentions.random(_BATCH, dict.fromkeys(_CHANCES, 2.0), torch.Generator())

    def loss(generator: torch.Generator) -> torch.Tensor:
        scenes = random_scenes(_BATCH, generator)
        seen = vision(render(scenes, architecture.VISION["image_size"]))
        shape = F.cross_entropy(vision.shape(seen), scenes.shape)
        return F.mse_loss(seen, factors(scenes, everything)) + shape

    fit(_VISION, vision, loss, folder)
    return vision.requires_grad_(False)
