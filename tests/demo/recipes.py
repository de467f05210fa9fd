"""The picture of docs/recipes.md: the recipes for txt2img on the miniature. `python -m tests.demo.recipes`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_instantstyle.params.recipes import RECIPES, Recipe, filled
from tests.demo.__main__ import WISHES, Wish, made
from tests.demo.sheet import contact_sheet
from tests.demo.strip import IMAGES
from tests.host import start
from tests.live.client import WebUI
from tests.mini.assemble import assemble
from tests.mini.drawing import picture

if TYPE_CHECKING:
    from PIL import Image

SHOWN = RECIPES[:3]
ROWS = (0, 4)


def main() -> None:
    wishes = [WISHES[index] for index in ROWS]
    with tempfile.TemporaryDirectory() as folder, start(assemble(Path(folder)).root, "--api") as host:
        rows = [_row(WebUI(host.url), wish) for wish in wishes]
    labels = ["reference", *(recipe.name for recipe in SHOWN)]
    contact_sheet(labels, [f"“{wish.prompt}”" for wish in wishes], rows).save(IMAGES / "recipes.png")


def _row(webui: WebUI, wish: Wish) -> list[Image.Image]:
    reference = picture(wish.reference)
    return [reference, *(made(webui, wish, reference, _request(recipe)) for recipe in SHOWN)]


def _request(recipe: Recipe) -> dict[str, Any]:
    values = {name: getattr(value, "value", value) for name, value in filled(recipe).items()}
    return {"content": "a {content}", **values}


if __name__ == "__main__":
    main()
