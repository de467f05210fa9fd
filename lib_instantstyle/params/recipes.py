"""Starting points: each recipe sets controls for a purpose, and advises on settings of the WebUI."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.params.style_params import default_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Recipe:
    """A named set of values; a control that only other recipes set goes back to its default."""

    name: str
    values: Mapping[str, Any]  # by field of `StyleParams`
    advice: str


RECIPES = (
    Recipe(
        "Style only",
        {"preset": Preset.STYLE},
        "The paper's setting. Name what the reference shows in 'Content to remove'; CFG 5, 30 steps.",
    ),
    Recipe(
        "Style + layout",
        {"preset": Preset.STYLE_LAYOUT, "layout_weight": 0.6},
        "The composition comes along. More of it: raise the layout weight. From another picture: tab References.",
    ),
    Recipe(
        "Strong",
        {"preset": Preset.STRONG_STYLE, "content_strength": 0.8},
        "Every block but layout. If the reference's subject comes back, raise the removal strength.",
    ),
    Recipe(
        "Image-based stylisation",
        {"preset": Preset.STYLE, "style_weight": 1.2, "subject_weight": 0.2},
        "Restyles a picture, after InstantStyle-Plus: in img2img, denoising 0.6 to 0.8, and a tile ControlNet at 0.4 "
        "if you have one. The input picture is kept by the subject weight; in txt2img, drop it as subject picture.",
    ),
    Recipe(
        "Inpaint",
        {"preset": Preset.STYLE, "style_weight": 0.8, "end": 0.9},
        "Fills a hole in the style of the reference: masked content 'original', denoising 0.75, area 'Only masked'. "
        "For a new thing in the picture's own style, use the picture itself as reference.",
    ),
)


def fields() -> tuple[str, ...]:
    """Return the fields that any recipe sets, in the order of their first use."""
    return tuple(dict.fromkeys(name for recipe in RECIPES for name in recipe.values))


def filled(recipe: Recipe) -> dict[str, Any]:
    """Return the value that ``recipe`` gives to each of `fields`."""
    return {name: recipe.values.get(name, default_of(name)) for name in fields()}
