"""Reading references equals diffusers' UNet whose attention processors are written from the formulas.

There the references are further rows of the batch, so a recorded pass equals the row alongside, too.
"""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import pytest
import torch

from lib_instantstyle.params.block_weights import SiteName
from lib_instantstyle.params.blocks import BLOCKS, LAYOUT, STYLE
from lib_instantstyle.params.self_attention import SHARE, SWAP, Reach, Rule, reach_weights
from lib_instantstyle.self_attention.reference import Reference
from lib_instantstyle.self_attention.sources import AttentionSource, BlockSource
from lib_instantstyle.unet.sites import SELF, enumerate_sites
from tests.support.architecture import fill_diffusers
from tests.support.reading import (
    ALPHAS,
    ARCHITECTURE,
    EVERYTHING,
    LATENTS,
    POOLED,
    POOLED_TEXTS,
    ROWS,
    TEXTS,
    TIME_IDS,
    TIMESTEP,
    Studio,
    reference,
    small_unet,
    swapping,
    weights,
)

TOLERANCE = 1e-12  # relative to the largest number of the picture
SAMPLES = range(len(ROWS))


class Read(NamedTuple):
    """What one row reads: the place of the reference in the batch, and how."""

    place: int
    rule: Rule
    weight: float


class Processor:
    """Diffusers' attention processor, in plain loops over rows and heads."""

    def __init__(self, reads: dict[int, list[Read]]) -> None:
        self.reads = reads  # by the row's place in the batch

    def __call__(self, attn: Any, hidden_states: torch.Tensor, *_args: Any, **_kwargs: Any) -> torch.Tensor:
        q, k, v = attn.to_q(hidden_states), attn.to_k(hidden_states), attn.to_v(hidden_states)
        rows = []
        for row in range(len(hidden_states)):
            plain = attend(q[row], k[row], v[row], attn.heads)
            total = plain
            for read in self.reads.get(row, []):
                styled = self.styled(q[row], k[row], v[row], q[read.place], k[read.place], v[read.place], read.rule, attn.heads)  # fmt: skip
                total = total + read.weight * (styled - plain)
            rows.append(total)
        return attn.to_out[1](attn.to_out[0](torch.stack(rows)))

    def styled(self, q: Any, k: Any, v: Any, qr: Any, kr: Any, vr: Any, rule: Rule, heads: int) -> torch.Tensor:
        if not rule.shares:
            return attend(q, kr, vr, heads)
        if rule.aligns:
            q, k = adain(q, qr), adain(k, kr)
        keys, values = torch.cat([k] + [kr] * rule.copies), torch.cat([v] + [vr] * rule.copies)
        return attend(q, keys, values, heads)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, heads: int) -> torch.Tensor:
    width = q.shape[-1] // heads
    parts = [slice(head * width, (head + 1) * width) for head in range(heads)]
    return torch.cat([(q[:, p] @ k[:, p].T / math.sqrt(width)).softmax(-1) @ v[:, p] for p in parts], dim=-1)


def adain(x: torch.Tensor, r: torch.Tensor) -> torch.Tensor:
    def sd(y: torch.Tensor) -> torch.Tensor:
        return (((y - y.mean(0)) ** 2).sum(0) / (len(y) - 1) + 1e-5).sqrt()

    return (x - x.mean(0)) / sd(x) * sd(r) + r.mean(0)


class Oracle:
    """Diffusers' UNet on the same weights."""

    def __init__(self) -> None:
        self.unet = fill_diffusers(ARCHITECTURE.diffusers().double(), weights())
        self.plain = self.unet.attn_processors

    @torch.no_grad()
    def run(
        self, references: list[Reference], sites: dict[str, Any], blocks: Sequence[tuple[str, float, float]] = ()
    ) -> torch.Tensor:
        """Run the references beside the pictures.

        ``sites`` has by the name of the self-attention what each of `ROWS` reads: ``(reference, rule, weight)``;
        ``blocks`` the names of modules that take over the only reference's statistics, with the weights for
        conditional and unconditional rows.
        """
        batch, places = [], {}
        for index, one in enumerate(references):
            for variant, given in enumerate(one.conditionings):
                places[index, variant] = len(batch)
                noised = (
                    ALPHAS[int(TIMESTEP)].sqrt() * one.latent + (1 - ALPHAS[int(TIMESTEP)]).sqrt() * one.noise.double()
                )
                batch.append((noised, given.context, given.vector[:, :POOLED]))
        first = len(batch)
        batch += [(LATENTS[i : i + 1], TEXTS[i : i + 1], POOLED_TEXTS[i : i + 1]) for i in SAMPLES]
        processors = dict(self.plain)
        for name, reads in sites.items():
            found: dict[int, list[Read]] = {}
            for row, several in enumerate(reads):
                for index, rule, weight in several:
                    variant = int(not ROWS[row].conditional and references[index].unconditional is not None)
                    found.setdefault(first + row, []).append(Read(places[index, variant], rule, weight))
            processors[f"{name}.processor"] = Processor(found)
        self.unet.set_attn_processor(processors)
        latents, texts, pooled = (torch.cat(parts) for parts in zip(*batch, strict=True))
        added = {"text_embeds": pooled, "time_ids": TIME_IDS.expand(len(batch), -1)}
        with contextlib.ExitStack() as stack:
            for name, *by_kind in blocks:
                hook = functools.partial(_take_statistics, first, by_kind)
                stack.enter_context(self.unet.get_submodule(name).register_forward_hook(hook))
            return self.unet(latents, TIMESTEP, texts, added_cond_kwargs=added).sample[first:]


def _take_statistics(first: int, by_kind: list[float], _module: Any, _args: Any, output: Any) -> Any:
    """Give the rows behind the ``first`` the channel statistics of row 0."""
    features = output[0] if isinstance(output, tuple) else output
    seen = list(features)
    for row in SAMPLES:
        x, r = (seen[place].flatten(1).T for place in (first + row, 0))  # [positions, channels]
        weight = by_kind[0 if ROWS[row].conditional else 1]
        seen[first + row] = (x + weight * (adain(x, r) - x)).T.reshape(features.shape[1:])
    changed = torch.stack(seen)
    return (changed, *output[1:]) if isinstance(output, tuple) else changed


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


SITES = enumerate_sites(small_unet(), SELF)


def error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def everywhere(reads: Callable[[int], list[tuple[int, Rule, float]]], blocks: Any = EVERYTHING) -> dict[str, Any]:
    return {site.name: [reads(row) for row in SAMPLES] for site in SITES if site.block in blocks}


def pushed(rule: Rule, row: int) -> float:
    return 1.0 if ROWS[row].conditional else 1.0 - rule.push


def test_without_references_the_two_unets_agree(oracle: Oracle) -> None:
    assert error(Studio([swapping()]).call(), oracle.run([], {})) <= TOLERANCE


def test_self_attentions_carry_diffusers_names_in_its_order(oracle: Oracle) -> None:
    names = list(oracle.plain)
    assert [f"{site.name}.processor" for site in SITES] == [names[site.adapter_id] for site in SITES]
    assert [site.adapter_id for site in SITES] == list(range(0, len(names), 2))


RULES = {
    "swap": SWAP,
    "swap, push 0.3": Rule(push=0.3),
    "swap, push 1": Rule(push=1.0),
    "share": Rule(shares=True, aligns=False),
    "AdaIN, push 0": Rule(shares=True, push=0.0),
    "AdaIN, push 1": SHARE,
    "two copies": Rule(shares=True, copies=2),
    "three copies, no AdaIN, push 0.5": Rule(shares=True, aligns=False, copies=3, push=0.5),
}


@pytest.mark.parametrize("weight", [1.0, 0.35, -0.5])
@pytest.mark.parametrize("captioned", [False, True], ids=["no caption", "caption"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_each_rule(oracle: Oracle, rule: Rule, captioned: bool, weight: float) -> None:
    references = [reference(captioned=captioned)]
    ours = Studio([swapping(rule, weight)], references).styled()
    theirs = oracle.run(references, everywhere(lambda row: [(0, rule, weight * pushed(rule, row))]))
    assert error(ours, theirs) <= TOLERANCE
    assert error(ours, oracle.run([], {})) > 1e6 * TOLERANCE


@pytest.mark.parametrize("index", range(len(SITES)))
def test_each_site_alone(oracle: Oracle, index: int) -> None:
    site = SITES[index]
    ours = Studio([swapping(weights={SiteName(site.block, site.depth): 1.0})]).styled()
    theirs = oracle.run([reference()], {site.name: [[(0, SWAP, 1.0)] for _ in SAMPLES]})
    assert error(ours, theirs) <= TOLERANCE
    assert error(ours, oracle.run([], {})) > 1e6 * TOLERANCE


@pytest.mark.parametrize("reach", [Reach.EVERYTHING, Reach.TEXTURE])
def test_presets_and_block_weights(oracle: Oracle, reach: Reach) -> None:
    blocks = {block: weight * 0.5 if block in (STYLE, LAYOUT) else weight for block, weight in reach_weights(reach).items()}  # fmt: skip
    theirs = oracle.run([reference()], {
        site.name: [[(0, SWAP, blocks[site.block])] for _ in SAMPLES] for site in SITES if site.block in blocks
    })  # fmt: skip
    assert error(Studio([swapping(weights=blocks)]).styled(), theirs) <= TOLERANCE


def test_several_references_each_with_its_share(oracle: Oracle) -> None:
    """One has a caption of another length, so that the rows of the pass fall into batches of their own."""
    references = [reference(0), reference(1, captioned=True), reference(2)]
    shares = (0.5, 0.2, 0.3)
    sources = [swapping(factor=share, references=(index,)) for index, share in enumerate(shares)]
    theirs = oracle.run(references, everywhere(lambda _row: [(i, SWAP, share) for i, share in enumerate(shares)]))
    assert error(Studio(sources, references).styled(), theirs) <= TOLERANCE


@pytest.mark.parametrize("captioned", [False, True])
@pytest.mark.parametrize("rule", [SWAP, SHARE, Rule(shares=True)], ids=["swap", "share, push 1", "share"])
def test_references_in_turn(oracle: Oracle, rule: Rule, captioned: bool) -> None:
    references = [reference(index, captioned=captioned) for index in range(3)]
    source = AttentionSource(((0,), (1,), (2,)), (1.0, 1.0, 1.0), rule, weights=EVERYTHING)
    theirs = oracle.run(references, everywhere(lambda row: [(ROWS[row].picture % 3, rule, pushed(rule, row))]))
    assert error(Studio([source], references).styled(), theirs) <= TOLERANCE


OUTPUTS = {  # what ends each stage in diffusers' UNet
    **{block.name: block.name for block in BLOCKS},
    "mid_block.attentions.0": "mid_block",
    "up_blocks.0.attentions.2": "up_blocks.0.upsamplers.0",
    "up_blocks.1.attentions.2": "up_blocks.1.upsamplers.0",
}


@pytest.mark.parametrize("push", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("weights", [EVERYTHING, {LAYOUT: 0.6}, {block: 0.2 * i for i, block in enumerate(BLOCKS)}])
def test_statistics_of_blocks(oracle: Oracle, weights: Any, push: float) -> None:
    """Where a block's statistics are taken over, its reference's stay as they were."""
    ours = Studio([BlockSource(((0,),), (1.0,), Rule(push=push), weights=weights)]).styled()
    blocks = [(OUTPUTS[block.name], weight, weight * (1 - push)) for block, weight in weights.items()]
    theirs = oracle.run([reference()], {}, blocks)
    assert error(ours, theirs) <= TOLERANCE
    assert error(ours, oracle.run([], {})) > 1e6 * TOLERANCE


def test_pictures_that_are_not_styled_stay_plain(oracle: Oracle) -> None:
    ours = Studio([swapping(pictures=frozenset({1, 2}))]).styled()
    theirs = oracle.run([reference()], everywhere(lambda row: [(0, SWAP, float(ROWS[row].picture in (1, 2)))]))
    assert error(ours, theirs) <= TOLERANCE
    plain = Studio([swapping()]).call()
    assert error(ours[[0, 3, 4, 7]], plain[[0, 3, 4, 7]]) <= TOLERANCE
