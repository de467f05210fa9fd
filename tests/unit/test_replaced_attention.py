"""Reading references where another extension puts a function of its own into the place of a self-attention."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from lib_instantstyle.method.self_attention import attend
from lib_instantstyle.params.block_weights import SiteName
from lib_instantstyle.params.self_attention import SHARE, SWAP, Rule
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.webui.hosts.forge_pass import ForgePass
from tests.support.reading import EVERYTHING, Studio, reference, swapping

TOLERANCE = 1e-12
MIDDLE = "middle_block.1"
RULES = pytest.mark.parametrize("rule", [SWAP, SHARE, Rule(shares=True, copies=2)], ids=["swap", "share", "copies"])
Function = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class Replaced(Studio):
    """A `Studio` whose middle self-attention is ``function`` of query, key and value, as its host says."""

    def __init__(self, function: Function, rule: Rule, **options: Any) -> None:
        super().__init__([swapping(rule, **options)], [reference(size=(4, 6))])  # with fewer positions than the picture
        attention: Any = self.unet.get_submodule(f"{MIDDLE}.transformer_blocks.0.attn1")

        def forward(x: torch.Tensor, context: Any = None, **_: Any) -> torch.Tensor:
            assert context is None
            made: torch.Tensor = attention.to_out(function(attention.to_q(x), attention.to_k(x), attention.to_v(x)))
            return made

        attention.forward = forward

    def read_call(self, args: tuple[Any, ...], kwargs: Any) -> UNetCall:
        return super().read_call(args, kwargs)._replace(replaced=frozenset({f"{MIDDLE}.transformer_blocks.0"}))


def error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@RULES
def test_where_each_position_sees_itself_only_none_sees_a_reference(rule: Rule) -> None:
    """Perturbed-attention guidance: its additional call takes the values as they are."""
    (middle,) = (block for block in EVERYTHING if block.ldm_name == MIDDLE)
    elsewhere = EVERYTHING | {SiteName(middle, 0): 0.0}
    made = Replaced(lambda _q, _k, value: value, rule).styled()
    assert error(made, Replaced(lambda _q, _k, value: value, rule, weights=elsewhere).styled()) < TOLERANCE


@RULES
def test_a_function_that_is_an_attention_is_given_the_pictures_own(rule: Rule) -> None:
    """Self-attention guidance makes a map of the picture from what it is given; the result is that without it."""
    seen = []

    def recorded(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        seen.append((query.shape[1], key.shape[1], value.shape[1]))
        return attend(query, key, value, heads=query.shape[2] // 8)

    made = Replaced(recorded, rule).styled()
    plain = Studio([swapping(rule)], [reference(size=(4, 6))]).styled()
    assert error(made, plain) < TOLERANCE
    assert all(len(set(positions)) == 1 for positions in seen)


def test_forge_says_which_are_replaced() -> None:
    functions = {("middle", 0, 0): None, ("input", 4): None, ("output", 5, 1): None}
    options = {"cond_or_uncond": [0], "sigmas": torch.ones(1), "patches_replace": {"attn1": functions}}
    call = ForgePass(0).read_call((torch.zeros(1, 4, 8, 8), torch.ones(1)), {"transformer_options": options})
    assert call.replaced == {
        "middle_block.1.transformer_blocks.0",
        "input_blocks.4.1",
        "output_blocks.5.1.transformer_blocks.1",
    }
