"""Words for scenes. Style words and content words are told apart, so that each can be left out or exchanged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from tests.mini.world import FIGURES, GROUNDS, REACH, SHAPES, TEXTURES

if TYPE_CHECKING:
    from tests.mini.world import Scenes

# Each word is one token of CLIP's vocabulary, under CLIP's own number: the real WebUI reads the second text
# tower's tokens from open_clip, which knows no other numbering.
TOKENS = {
    "a": 320, "and": 537, "background": 5994, "black": 1449, "blue": 1746, "bottom": 5931, "brown": 2866,
    "center": 2119, "checker": 45883, "circle": 7117, "cream": 3867, "cross": 3417, "dots": 19019, "gradient": 36885,
    "grain": 12109, "gray": 7048, "green": 1901, "heart": 1936, "left": 1823, "mint": 7506, "moon": 3293,
    "navy": 5598, "olive": 9898, "on": 525, "orange": 4287, "outline": 26894, "pink": 3360, "plain": 10709,
    "purple": 5496, "red": 736, "right": 1155, "ring": 2540, "square": 3999, "star": 1565, "stripes": 14239,
    "teal": 22821, "top": 1253, "triangle": 14615, "white": 1579, "with": 593, "yellow": 4481,
    ",": 267,
}  # fmt: skip
CLIP_VOCABULARY = 49408
START, END = 49406, 49407
LENGTH = 77
# The towers learn the few rows they need: padding of the second tower, words they do not know, the words above,
# start and end. The end has the greatest number, in both numberings, because that is how hosts find it.
ROWS = [0, None, *TOKENS.values(), START, END]
_PADDING, _UNKNOWN = 0, 1
_FACTORS = ("shape", "figure", "ground", "texture", "outline", "place")
STYLE_FACTORS = ("figure", "ground", "texture", "outline")
_SIDE = REACH / 3  # beyond it, a centre lies to one side


@dataclass(frozen=True)
class Mentions:
    """Which factors each caption names, bool ``[n]`` each."""

    shape: torch.Tensor
    figure: torch.Tensor
    ground: torch.Tensor
    texture: torch.Tensor
    outline: torch.Tensor
    place: torch.Tensor

    @classmethod
    def random(cls, count: int, chances: dict[str, float], generator: torch.Generator) -> Mentions:
        """Name each factor with its chance; factors without one are left out."""
        draws = {name: torch.rand(count, generator=generator) < chances.get(name, 0.0) for name in _FACTORS}
        return cls(**draws)


def place_words(centre: torch.Tensor) -> list[str]:
    """Return ``left``, ``right``, ``top``, ``bottom``, two of them, or ``center``, for each row of ``[n, 2]``."""
    return [" ".join(_place(float(x), float(y))) or "center" for x, y in centre]


def _place(x: float, y: float) -> list[str]:
    vertical = ["top"] if y < -_SIDE else ["bottom"] if y > _SIDE else []
    horizontal = ["left"] if x < -_SIDE else ["right"] if x > _SIDE else []
    return vertical + horizontal


def captions(scenes: Scenes, mentions: Mentions) -> list[str]:
    """Describe ``scenes``: ``a red star with stripes and outline on navy background, top left``."""
    places = place_words(scenes.centre)
    return [_caption(scenes, mentions, row, places[row]) for row in range(len(scenes))]


def _caption(scenes: Scenes, mentions: Mentions, row: int, place: str) -> str:
    words = []
    if mentions.figure[row]:
        words.append(list(FIGURES)[scenes.figure[row]])
    if mentions.shape[row]:
        words.append(SHAPES[scenes.shape[row]])
    extras = [TEXTURES[scenes.texture[row]]] if mentions.texture[row] else []
    extras += ["outline"] if mentions.outline[row] and scenes.outline[row] else []
    if extras:
        words += ["with", *" and ".join(extras).split()]
    if mentions.ground[row]:
        words += ["on", list(GROUNDS)[scenes.ground[row]], "background"]
    if mentions.place[row]:
        words += [",", *place.split()]
    return " ".join(["a", *words]) if words else ""


def rows(texts: list[str], *, pad_with_end: bool) -> torch.Tensor:
    """Return the row numbers ``[n, 77]`` of `ROWS`; CLIP-L pads with the end, the second tower does not."""
    padding = _END_ROW if pad_with_end else _PADDING
    encoded = [[_END_ROW - 1, *(_row(word) for word in text.replace(",", " , ").split()), _END_ROW] for text in texts]
    return torch.tensor([row + [padding] * (LENGTH - len(row)) for row in encoded])


def _row(word: str) -> int:
    return _ROW_OF.get(word, _UNKNOWN)


_END_ROW = len(ROWS) - 1
_ROW_OF = {word: row for row, word in enumerate(TOKENS, start=2)}
