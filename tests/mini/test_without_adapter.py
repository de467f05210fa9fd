"""Styling without an adapter, measured: a subset of the table in `scores.md`, with floors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.mini.assemble import assemble
from tests.mini.trials import Laboratory, Mode, Rates, laboratory, references

REFERENCES = 16  # times seven pictures
SEED = 2024  # of the table, whose first references these are
LOOKS = ("figure", "ground", "texture", "outline")
SWAP: dict[str, Any] = {"method": "No adapter"}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    models: Path = assemble(tmp_path_factory.mktemp("miniature")).root
    with laboratory(models) as lab:
        yield lab


def measured(lab: Laboratory, style: dict[str, Any], prompt: str = "a {shape}") -> Rates:
    return lab.measure(Mode("", style, prompt), references(REFERENCES, SEED))


def test_swapping_brings_the_style_and_leaves_the_content(lab: Laboratory) -> None:
    floors = {"target": 0.93, "figure": 0.78, "ground": 0.9, "texture": 0.85, "outline": 0.85}
    rates = measured(lab, SWAP)
    assert {name: rates.share(name) >= floor for name, floor in floors.items()} == dict.fromkeys(floors, True)
    assert rates.share("leak") <= 0.02


def test_a_push_amplifies_the_style(lab: Laboratory) -> None:
    rates = measured(lab, SWAP | {"push": 1.0})
    shares = [rates.share(look) for look in LOOKS]
    assert min(shares) >= 0.85
    assert sum(shares) / len(shares) >= 0.93
    assert rates.share("target") >= 0.86
    assert rates.share("leak") <= 0.05


def test_texture_leaves_the_colours_to_the_prompt(lab: Laboratory) -> None:
    assert measured(lab, SWAP | {"reach": "Texture"}, "a {figure} {shape}").share("prompted") >= 0.85
