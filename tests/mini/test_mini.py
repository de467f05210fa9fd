"""The claim of the method, measured: style arrives, content stays out, and blocks and masks decide where."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from lib_instantstyle.method import removal
from lib_instantstyle.unet import sites
from tests.mini.assemble import WEIGHTS, assemble
from tests.mini.captions import TOKENS
from tests.mini.trials import Laboratory, Mode, Rates, laboratory, references

MEGABYTES_SHIPPED = 15
REFERENCES = 16  # times seven pictures
SEEDS = (1, 2, 3)
PLAIN = Mode("no adapter")
ALL = Mode("all blocks", {"preset": "all blocks"})
SUBTRACTED = Mode("all blocks − content", {"preset": "all blocks", "content": "a {shape}", "content_strength": 0.75})
STYLE = Mode("style", {"preset": "style"})
LOOKS = ("figure", "ground", "texture", "outline")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return assemble(tmp_path_factory.mktemp("miniature")).root


@pytest.fixture(scope="module")
def lab(models: Path) -> Iterator[Laboratory]:
    with laboratory(models) as lab:
        yield lab


def test_the_weights_are_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in WEIGHTS.iterdir()) <= MEGABYTES_SHIPPED * 1e6


def test_each_word_is_the_token_that_clip_knows(models: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(models / "tokenizer")
    for word, number in TOKENS.items():
        assert tokenizer(word, add_special_tokens=False)["input_ids"] == [number]


def test_words_it_does_not_know_are_none_that_it_knows(models: Path) -> None:
    tokenizer = CLIPTokenizer.from_pretrained(models / "tokenizer")
    numbers = tokenizer("photograph of strawberries", add_special_tokens=False)["input_ids"]
    assert not set(numbers) & set(TOKENS.values())


@pytest.mark.parametrize("seed", SEEDS)
def test_style_arrives_and_content_stays_out(lab: Laboratory, seed: int) -> None:
    scenes = references(REFERENCES, seed)
    plain, everything, subtracted, style = (lab.measure(mode, scenes) for mode in (PLAIN, ALL, SUBTRACTED, STYLE))
    the_style_block_carries_the_style_alone(plain, everything, style)
    subtraction_keeps_the_content_out(everything, subtracted)


def the_style_block_carries_the_style_alone(plain: Rates, everything: Rates, style: Rates) -> None:
    """Assert that every look arrives, and less of the content than with all blocks."""
    for look in LOOKS:
        assert style.bounds(look)[0] > plain.bounds(look)[1], f"the style block carries the {look}"
    assert everything.share("leak") > plain.bounds("leak")[1], "the plain adapter leaks content"
    leaks_less(style, everything)


def subtraction_keeps_the_content_out(everything: Rates, subtracted: Rates) -> None:
    """Assert it, at equal style."""
    leaks_less(subtracted, everything)
    assert _likeness(subtracted) > _likeness(everything) - 0.1, "subtraction leaves the style alone"


def leaks_less(better: Rates, worse: Rates) -> None:
    """Assert that one way leaks less than half of what another does, and certainly less."""
    assert better.share("leak") < 0.5 * worse.share("leak")
    assert better.bounds("leak")[1] < worse.share("leak")


def _likeness(rates: Rates) -> float:
    return sum(rates.share(look) for look in LOOKS) / len(LOOKS)


def _add_instead_of_subtract() -> None:
    subtract = removal.subtract
    removal.subtract = lambda embedding, direction, amount: subtract(embedding, direction, -amount)


def _shift_the_blocks() -> None:
    sites.ADAPTER_ORDER = (*sites.ADAPTER_ORDER[1:], sites.ADAPTER_ORDER[0])


@pytest.mark.parametrize(
    ("sabotage", "claim", "modes"),
    [
        (_add_instead_of_subtract, subtraction_keeps_the_content_out, (ALL, SUBTRACTED)),
        (_shift_the_blocks, the_style_block_carries_the_style_alone, (PLAIN, ALL, STYLE)),
    ],
)
def test_a_broken_product_is_found_out(
    models: Path, sabotage: Callable[[], None], claim: Callable[..., None], modes: tuple[Mode, ...]
) -> None:
    scenes = references(REFERENCES // 2, SEEDS[0])
    with laboratory(models, prepare=sabotage) as lab:
        measured = [lab.measure(mode, scenes) for mode in modes]
    with pytest.raises(AssertionError):
        claim(*measured)


def test_regions_keep_style_inside_the_mask(lab: Laboratory) -> None:
    """The middle takes the figure's colour of one reference, the rest the ground of another."""
    mode = Mode("regions", {}, "a {shape} , center", ("ground",))
    rates = lab.measure(mode, references(REFERENCES, SEEDS[0]))
    assert rates.bounds("figure")[0] > 0.5
    assert rates.bounds("ground")[0] > 0.5
