"""The miniature's world: one shape on a ground, drawn in a style. Every factor is known, so every claim can be counted.

Content is the shape; layout is where it lies; style is the two colours, the texture that covers the whole
picture, and the outline.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch

SHAPES = ("circle", "square", "triangle", "star", "heart", "ring", "cross", "moon")
FIGURES = {
    "red": (214, 40, 40),
    "orange": (245, 130, 30),
    "yellow": (250, 215, 50),
    "green": (50, 170, 70),
    "blue": (40, 90, 220),
    "purple": (130, 50, 170),
    "pink": (245, 130, 185),
    "white": (250, 250, 250),
}
GROUNDS = {
    "black": (20, 20, 24),
    "gray": (140, 140, 144),
    "brown": (110, 68, 36),
    "navy": (22, 34, 90),
    "teal": (20, 130, 130),
    "cream": (245, 228, 190),
    "mint": (165, 232, 196),
    "olive": (120, 125, 40),
}
TEXTURES = ("plain", "stripes", "dots", "checker", "gradient", "grain")
SIZE = 128  # pixels a side
REACH = 0.3  # farthest centre from the middle, in half pictures


@dataclass(frozen=True)
class Scenes:
    """Factors of ``n`` pictures; every tensor has ``n`` rows.

    Attributes:
        shape, figure, ground, texture, outline: Indices, int64 ``[n]``; ``outline`` is 0 or 1.
        centre: ``[n, 2]``, x to the right and y down, from -`REACH` to `REACH`.
        radius: ``[n]``, in half pictures.
        turn: ``[n]``, radians.
        phase: ``[n, 2]``, where the texture's pattern begins.
    """

    shape: torch.Tensor
    figure: torch.Tensor
    ground: torch.Tensor
    texture: torch.Tensor
    outline: torch.Tensor
    centre: torch.Tensor
    radius: torch.Tensor
    turn: torch.Tensor
    phase: torch.Tensor

    def __len__(self) -> int:
        return len(self.shape)

    def __getitem__(self, rows: torch.Tensor | slice) -> Scenes:
        return Scenes(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def with_factors(self, **factors: torch.Tensor) -> Scenes:
        """Return the same scenes with other ``factors``."""
        return replace(self, **factors)


LEVELS = {"shape": 8, "figure": 8, "ground": 8, "texture": 6, "outline": 2}


def random_scenes(count: int, generator: torch.Generator) -> Scenes:
    """Draw every factor independently and uniformly."""

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.rand(count, *shape, generator=generator) * (high - low) + low

    indices = {name: torch.randint(levels, (count,), generator=generator) for name, levels in LEVELS.items()}
    return Scenes(
        **indices,
        centre=uniform(-REACH, REACH, 2),
        radius=uniform(0.5, 0.6),
        turn=uniform(-0.25, 0.25),
        phase=uniform(0.0, 1.0, 2),
    )


def scene(
    shape: str, figure: str, ground: str, texture: str, *, outline: bool = False, centre: tuple[float, float] = (0, 0)
) -> Scenes:
    """Return one scene by its words.

    Raises:
        ValueError: If a word is none of this world.
    """
    indices = {
        "shape": SHAPES.index(shape),
        "figure": list(FIGURES).index(figure),
        "ground": list(GROUNDS).index(ground),
        "texture": TEXTURES.index(texture),
        "outline": int(outline),
    }
    return Scenes(
        **{name: torch.tensor([index]) for name, index in indices.items()},
        centre=torch.tensor([centre]),
        radius=torch.tensor([0.56]),
        turn=torch.zeros(1),
        phase=torch.zeros(1, 2),
    )
