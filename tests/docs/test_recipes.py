"""The recipes' infotexts in the documentation are what the extension writes, and come back as the recipes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.recipes import RECIPES, Recipe, filled
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.jobs import infotext
from tests.docs import README, ROOT
from tests.docs.blocks import blocks
from tests.host.inprocess import in_process
from tests.support.pasting import pasted
from tests.unit.test_infotext import styled

PAGE = ROOT / "docs" / "recipes.md"
CONTENT = "a woman"
INFOTEXTS = [block.text for block in blocks(PAGE) if block.language == "text"]
OF_THE_MACHINE = ("adapter", "adapter SHA-256", "reference")  # a reader has other files


@pytest.mark.parametrize(("recipe", "text"), zip(RECIPES, INFOTEXTS, strict=True), ids=lambda x: getattr(x, "name", ""))
def test_an_infotext_is_its_recipe(recipe: Recipe, text: str, models_dir: Path, adapter: Adapter) -> None:
    in_process(models_dir)
    from modules.infotext_utils import parse_generation_parameters, quote

    wanted = StyleParams(enabled=True, content=CONTENT, **filled(recipe))
    written = infotext.write(styled(wanted, adapter), "ab" * 32, hires=False)
    for name in OF_THE_MACHINE:
        del written[f"InstantStyle {name}"]
    line = ", ".join(f"{key}: {quote(value)}" for key, value in written.items())
    assert text.rstrip().endswith(f", {line}")
    parameters = parse_generation_parameters(text)
    infotext.fill_defaults(parameters)
    assert pasted(parameters) == wanted


def test_recipes_stand_under_their_names() -> None:
    text = PAGE.read_text(encoding="utf-8")
    places = [text.index(f"\n## {recipe.name}\n") for recipe in RECIPES]
    assert places == sorted(places)


def test_the_readme_shows_some_of_them() -> None:
    shown = [block.text for block in blocks(README) if block.language == "text"]
    assert len(shown) >= 3
    assert set(shown) <= set(INFOTEXTS)
