"""Texts: the little languages of the controls, arguments of the API, tags in prompts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st

from lib_instantstyle.library.style_library import StyleLibrary
from lib_instantstyle.method.embeddings import mean, normalised_mean
from lib_instantstyle.method.removal import Remover
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.block_weights import SiteName, format_block_weights, parse_block_weights
from lib_instantstyle.params.blocks import BLOCKS
from lib_instantstyle.params.combination import MAX_PICTURES, complete_weights, parse_reference_weights
from lib_instantstyle.params.contents import Removal
from lib_instantstyle.params.controls import MAX_WEIGHT
from lib_instantstyle.params.curve import parse_curve
from lib_instantstyle.params.picture_hashes import parse_picture_hashes
from lib_instantstyle.params.style_params import StyleParams, controls, default_of
from lib_instantstyle.params.tags import read_tags
from lib_instantstyle.webui.jobs.arguments import read_arguments
from tests.fuzz.trial import Target

NUMBERS = (
    "0",
    "1",
    "-1",
    "0.5",
    "3",
    "1e-46",
    "5e-324",
    "1e999",
    "nan",
    "-inf",
    "-0",
    ".",
    "1_0",
    "٣",
    "+2",
    "0x1",
    "1e",
    "",
)
NAMES = tuple(name for block in BLOCKS for name in (block.name, block.ldm_name, block.role.value) if name)
SIGNS = (",", ":", ";", ".", " ", "\n", "\r", "\t", "[", "]", '"', "\\", "x", "<", ">", "\0", "\u202e", "𝟙")


def language(*words: str) -> st.SearchStrategy[str]:
    """Texts made of the words and signs of a language, or of anything."""
    parts = st.sampled_from([*words, *NUMBERS, *SIGNS])
    return st.lists(parts, max_size=14).map("".join) | st.text(max_size=40)


def _pairs(names: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(names, st.sampled_from(NUMBERS) | st.floats(-4, 4).map(str)).map(":".join)
    return st.lists(pair, min_size=1, max_size=5).map(", ".join)


BLOCK_TEXTS = language("style", "layout", ".transformer_blocks", ".attn2", *NAMES) | _pairs(st.sampled_from(NAMES))
CURVE_TEXTS = language("Fade in", "constant") | _pairs(st.floats(0, 1).map(str))
WEIGHT_TEXTS = language() | st.lists(st.sampled_from(NUMBERS), max_size=9).map(",".join)
CONTENT_TEXTS = language("a cat", "balloons") | _pairs(st.sampled_from(["a cat", "balloons", "10:30", "2x4"]))
HASH_TEXTS = language("ab" * 32, "layout ", "subject ", "mask 1 ", "mask 9 ")


def _use_blocks(text: str) -> None:
    weights = parse_block_weights(text)
    again = parse_block_weights(format_block_weights(weights))
    kept = {target: weight for target, weight in weights.items() if weight or isinstance(target, SiteName)}
    assert all(math.isclose(again[target], weight, rel_tol=1e-9) for target, weight in kept.items())


def _use_curve(text: str) -> None:
    strengths = Schedule(0.0, 1.0, parse_curve(text)).sampled(121)
    assert all(0.0 <= strength <= MAX_WEIGHT for strength in strengths)


def _use_weights(text: str) -> None:
    weights = complete_weights(parse_reference_weights(text), min(1 + text.count(","), MAX_PICTURES))
    vectors = [torch.full((1, 4), 1.0 + number) for number in range(len(weights))]
    for average in (mean, normalised_mean):
        answer = average(vectors, weights)
        assert torch.isfinite(answer).all()
        assert 0.999 <= float(answer.min()) <= float(answer.max()) <= MAX_PICTURES * 1.001


def _use_contents(text: str) -> None:
    contents = StyleParams(content=text).removed
    if contents:
        vectors = torch.arange(1.0, 1 + 6 * len(contents)).view(-1, 6)
        for method in Removal:
            assert torch.isfinite(Remover(contents, vectors, 2.0, method)(torch.ones(1, 6))).all()


def _use_hashes(text: str) -> None:
    recalled = parse_picture_hashes(text)
    assert parse_picture_hashes(recalled.text()) == recalled


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_TEXTS = {
    "blocks": BLOCK_TEXTS, "curve": CURVE_TEXTS, "hires_curve": CURVE_TEXTS, "weights": WEIGHT_TEXTS,
    "content": CONTENT_TEXTS, "reference": HASH_TEXTS, "style": language("../", "/", "con"), "adapter": language("auto"),
}  # fmt: skip


def _nearly_right(name: str) -> st.SearchStrategy[Any]:
    """Values of the control ``name``, most of them right."""
    control, default = controls()[name], default_of(name)
    if control.choices:
        return st.sampled_from([member.value for member in control.choices])
    if isinstance(default, float):
        return st.floats(control.minimum, control.maximum) | st.sampled_from(
            [control.minimum, control.maximum, default]
        )
    return _TEXTS.get(name, st.just(default))


DICTS = st.fixed_dictionaries(
    {"enabled": st.just(True)}, optional={name: _nearly_right(name) for name in controls() if name != "enabled"}
)
ARGUMENTS = (
    st.tuples(DICTS)
    | st.tuples(st.dictionaries(st.sampled_from(list(controls())) | st.text(max_size=12), JSON, max_size=6))
    | st.tuples(st.builds(dict.__or__, DICTS, st.dictionaries(st.sampled_from(list(controls())), JSON, max_size=2)))
    | st.lists(JSON, max_size=len(controls()) + 2)
    | DICTS.map(lambda values: [values.get(name, default_of(name)) for name in controls()])
)


def _use_arguments(arguments: Any) -> None:
    params = read_arguments(arguments, StyleLibrary(Path("no such folder")))
    assert all(math.isfinite(weight) for weight in params.block_weights.values())
    for hires in (False, True):
        assert all(0.0 <= strength <= MAX_WEIGHT for strength in Schedule.of_pass(params, hires=hires).sampled(11))


TAGS = st.lists(st.lists(language("ink", "ink and wash", "../x"), min_size=1, max_size=4), max_size=4)
PROMPTS = TAGS.map(lambda tags: "a house" + "".join(f"<instantstyle:{':'.join(tag)}>" for tag in tags)) | st.text(
    max_size=60
)


def _use_prompt(prompt: str) -> None:
    from modules import extra_networks

    _, networks = extra_networks.parse_prompt(prompt)
    tags = read_tags([tuple(map(str, params.items)) for params in networks.get("instantstyle", [])])
    assert all(tag.name and 0 < abs(tag.weight) <= 3 for tag in tags)


TARGETS = (
    Target("block weights", BLOCK_TEXTS, _use_blocks),
    Target("curves", CURVE_TEXTS, _use_curve),
    Target("reference weights", WEIGHT_TEXTS, _use_weights),
    Target("contents", CONTENT_TEXTS, _use_contents),
    Target("reference hashes", HASH_TEXTS, _use_hashes),
    Target("arguments", ARGUMENTS, _use_arguments),
    Target("tags in prompts", PROMPTS, _use_prompt),
)
