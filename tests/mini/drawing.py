"""Scenes as pictures: signed distances for the shapes, patterns for the textures, all on tensors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from PIL import Image

from tests.mini.world import FIGURES, GROUNDS, SHAPES, SIZE, TEXTURES

if TYPE_CHECKING:
    from tests.mini.world import Scenes

_PALETTES = {"figure": FIGURES, "ground": GROUNDS}
_INKS = ((18, 18, 18), (248, 248, 248))
_DARK = 0.3  # luminance below which shading lightens


def render(scenes: Scenes, size: int = SIZE) -> torch.Tensor:
    """Draw ``scenes`` as ``[n, 3, size, size]``, 0 to 1, edges antialiased."""
    axis = (torch.arange(size) + 0.5) / size * 2 - 1
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    distance = _distance(scenes, x, y)
    softness = size / 2.5
    inside = torch.sigmoid(-distance * softness)[:, None]
    shade = _texture(scenes, x, y)[:, None]
    figure, ground = (_shaded(scenes, name, shade) for name in _PALETTES)
    picture = inside * figure + (1 - inside) * ground
    line = torch.sigmoid((0.045 - distance.abs()) * softness)[:, None] * scenes.outline.view(-1, 1, 1, 1)
    return picture * (1 - line) + _ink(scenes) * line


def picture(scenes: Scenes, row: int = 0) -> Image.Image:
    """Draw one scene as a picture."""
    pixels = render(scenes[row : row + 1])[0].permute(1, 2, 0) * 255
    return Image.fromarray(pixels.round().byte().numpy())


def _distance(scenes: Scenes, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Signed distance to each scene's shape ``[n, size, size]``, negative inside."""
    dx = x - scenes.centre[:, 0].view(-1, 1, 1)
    dy = y - scenes.centre[:, 1].view(-1, 1, 1)
    cos, sin = scenes.turn.cos().view(-1, 1, 1), scenes.turn.sin().view(-1, 1, 1)
    radius = scenes.radius.view(-1, 1, 1)
    u, v = (cos * dx + sin * dy) / radius, (cos * dy - sin * dx) / radius
    distance = torch.empty_like(u)
    for index, name in enumerate(SHAPES):
        rows = scenes.shape == index
        distance[rows] = _UNIT_SHAPES[name](u[rows], v[rows])
    return distance * radius


def _circle(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return torch.hypot(u, v) - 0.9


def _square(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return torch.maximum(u.abs(), v.abs()) - 0.82


def _triangle(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    slopes = [(math.cos(angle), math.sin(angle)) for angle in (math.pi / 2, math.pi * 7 / 6, math.pi * 11 / 6)]
    return torch.stack([u * a + (v - 0.15) * b for a, b in slopes]).amax(dim=0) - 0.55


def _star(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    angle = torch.remainder(torch.atan2(u, -v) + math.pi / 5, 2 * math.pi / 5) - math.pi / 5
    across, along = torch.hypot(u, v) * angle.sin().abs(), torch.hypot(u, v) * angle.cos()
    return _slanted(across, along, tip=1.05, notch=0.5)


def _slanted(across: torch.Tensor, along: torch.Tensor, tip: float, notch: float) -> torch.Tensor:
    """Distance to the edge from a star's tip on its axis to the notch between two tips."""
    x, y = notch * math.sin(math.pi / 5), notch * math.cos(math.pi / 5)
    normal_x, normal_y = tip - y, x
    return (across * normal_x + (along - tip) * normal_y) / math.hypot(normal_x, normal_y)


def _heart(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    bulge = torch.sqrt(u.abs() + 0.02)
    return 0.8 * (torch.hypot(u, (v + 0.15) * 1.05 + 0.62 * bulge - 0.35) - 0.88)


def _ring(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return (torch.hypot(u, v) - 0.7).abs() - 0.22


def _cross(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    a, b = u.abs(), v.abs()
    return torch.minimum(torch.maximum(a - 0.95, b - 0.3), torch.maximum(a - 0.3, b - 0.95))


def _moon(u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    return torch.maximum(torch.hypot(u, v) - 0.95, 0.72 - torch.hypot(u - 0.5, v))


_UNIT_SHAPES = {
    "circle": _circle,
    "square": _square,
    "triangle": _triangle,
    "star": _star,
    "heart": _heart,
    "ring": _ring,
    "cross": _cross,
    "moon": _moon,
}


def _texture(scenes: Scenes, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """How much each pixel is shaded, ``[n, size, size]``, 0 to 1."""
    shade = torch.zeros(len(scenes), *x.shape)
    for index, name in enumerate(TEXTURES):
        rows = scenes.texture == index
        if rows.any():
            shade[rows] = _PATTERNS[name](x, y, scenes.phase[rows])
    return shade


def _plain(x: torch.Tensor, y: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    return torch.zeros(len(phase), *x.shape)


def _wave(t: torch.Tensor) -> torch.Tensor:
    """A square wave of period 1 with soft edges, 0 to 1."""
    return torch.sigmoid(6 * torch.sin(2 * math.pi * t))


def _stripes(x: torch.Tensor, y: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    return _wave((x + y) * 2.2 + phase[:, 0].view(-1, 1, 1))


def _dots(x: torch.Tensor, y: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    u, v = (torch.sin(2 * math.pi * (axis * 2.5 + phase[:, i].view(-1, 1, 1))) for i, axis in enumerate((x, y)))
    return torch.sigmoid(5 * (u + v - 0.75))


def _checker(x: torch.Tensor, y: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    u, v = (torch.sin(2 * math.pi * (axis * 1.6 + phase[:, i].view(-1, 1, 1))) for i, axis in enumerate((x, y)))
    return torch.sigmoid(12 * u * v)


def _gradient(x: torch.Tensor, y: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    return ((y + 1) / 2).expand(len(phase), *x.shape)


def _grain(x: torch.Tensor, y: torch.Tensor, phase: torch.Tensor) -> torch.Tensor:
    cells = 24
    u, v = torch.meshgrid(torch.arange(cells), torch.arange(cells), indexing="ij")
    seed = (phase[:, 0] * 97 + phase[:, 1] * 57).view(-1, 1, 1)
    noise = torch.frac(torch.sin(u * 12.9898 + v * 78.233 + seed) * 43758.5453).abs()
    return F.interpolate(noise[:, None], x.shape, mode="bilinear", align_corners=False)[:, 0]


_PATTERNS = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "checker": _checker,
    "gradient": _gradient,
    "grain": _grain,
}


def _palette(name: str) -> torch.Tensor:
    return torch.tensor(list(_PALETTES[name].values())) / 255


def _luminance(colour: torch.Tensor) -> torch.Tensor:
    return (colour * torch.tensor([0.299, 0.587, 0.114])).sum(dim=-1)


def _shaded(scenes: Scenes, name: str, shade: torch.Tensor) -> torch.Tensor:
    """The figure's or the ground's colour under the texture, ``[n, 3, size, size]``."""
    colour = _palette(name)[getattr(scenes, name)]
    dark = (_luminance(colour) < _DARK)[:, None]
    other = torch.where(dark, colour + 0.4 * (1 - colour), colour * 0.55)
    return colour[:, :, None, None] * (1 - shade) + other[:, :, None, None] * shade


def _ink(scenes: Scenes) -> torch.Tensor:
    """Dark lines on light grounds, light lines on dark ones."""
    dark = _luminance(_palette("ground")[scenes.ground]) < _DARK
    return (torch.tensor(_INKS) / 255)[dark.long()][:, :, None, None]
