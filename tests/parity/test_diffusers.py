"""The injected UNet equals diffusers' IP-Adapter on the same weights, site by site."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib_instantstyle.method.projection import project_linear
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import open_adapter
from lib_instantstyle.params.block_weights import SiteName
from lib_instantstyle.params.blocks import BLOCKS, LAYOUT, STYLE, Preset, preset_weights
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import PlannedSite, Source, image_terms, make_plan
from lib_instantstyle.unet.rows import Row
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from tests.support.architecture import SIZE_NUMBERS, Architecture, fill_diffusers
from tests.support.files import save_safetensors
from tests.tiny import adapters
from tests.tiny.tensors import random_tensors
from tests.tiny.unet import UNetConfig, unet_shapes

CONTEXT, POOLED, TIME_WIDTH, EMBEDDING = 64, 16, 8, 1280
CONFIG = UNetConfig(32, (1, 2, 4), (0, 2, 10), 10, CONTEXT, POOLED + SIZE_NUMBERS * TIME_WIDTH)
ARCHITECTURE = Architecture(CONFIG, head_width=8, number_width=TIME_WIDTH)
TOLERANCE = 1e-5  # relative, single precision
PICTURES = 2
# Two conditional rows, then two unconditional ones, as the host orders them.
ROWS = tuple(Row(conditional, picture) for conditional in (True, False) for picture in range(PICTURES))


class Pair:
    """One set of weights in the LDM UNet with our injection and in diffusers' UNet with its IP-Adapter."""

    def __init__(self, folder: Path) -> None:
        tensors = random_tensors(unet_shapes(CONFIG), seed=3, dtype=torch.float32)
        self.ldm = ARCHITECTURE.ldm().eval()
        self.ldm.load_state_dict(tensors)
        self.diffusers = fill_diffusers(ARCHITECTURE.diffusers(), tensors)
        weights = random_tensors(adapters.linear_shapes(EMBEDDING, CONFIG), seed=4, dtype=torch.float32)
        self.adapter = open_adapter(save_safetensors(folder / "adapter.safetensors", weights))
        self.diffusers._load_ip_adapter_weights([adapters.nest(weights)])
        self.sites = enumerate_sites(self.ldm)
        generator = torch.Generator().manual_seed(5)
        self.x = torch.randn(len(ROWS), 4, 8, 12, generator=generator)
        self.context = torch.randn(len(ROWS), 7, CONTEXT, generator=generator)
        self.pooled = torch.randn(len(ROWS), POOLED, generator=generator)
        self.embedding = torch.randn(1, EMBEDDING, generator=generator)
        self.timesteps = torch.full((len(ROWS),), 437.0)
        self.time_ids = torch.tensor([[1024.0, 768.0, 0.0, 16.0, 1024.0, 768.0]]).expand(len(ROWS), -1)

    @torch.no_grad()
    def ours(self, plan: list[PlannedSite]) -> torch.Tensor:
        projection = self.adapter.read_projection()
        nothing = torch.zeros_like(self.embedding)
        weights = {SiteName(site.block, site.depth): weight for site, weight in plan}
        source = Source(weights, project_linear(self.embedding, projection), project_linear(nothing, projection))
        return self.inject([source])

    @torch.no_grad()
    def inject(self, sources: list[Source]) -> torch.Tensor:
        styling = ScheduledTerms(image_terms(sources, self.sites, self.adapter), Schedule())
        with Injection(self.ldm, [styling], lambda _args, kwargs: UNetCall(ROWS, kwargs["timesteps"])):
            times = self.diffusers.add_time_proj(self.time_ids.flatten()).reshape(len(ROWS), -1)
            vector = torch.cat((self.pooled, times), dim=-1)
            return self.ldm(self.x, timesteps=self.timesteps, context=self.context, y=vector)

    @torch.no_grad()
    def theirs(self, scales: dict[str, float]) -> torch.Tensor:
        """``scales`` by the name of the cross-attention; what is left out gets 0."""
        for name, processor in self.diffusers.attn_processors.items():
            if hasattr(processor, "scale"):
                processor.scale = [scales.get(name.removesuffix(".processor"), 0.0)]
        seen = [self.embedding[0] if row.conditional else torch.zeros(EMBEDDING) for row in ROWS]
        added = {
            "text_embeds": self.pooled,
            "time_ids": self.time_ids,
            "image_embeds": [torch.stack(seen)[:, None]],
        }
        return self.diffusers(self.x, self.timesteps, self.context, added_cond_kwargs=added).sample


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return Pair(tmp_path_factory.mktemp("parity"))


def error(ours: torch.Tensor, theirs: torch.Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


def test_without_an_adapter_the_two_unets_agree(pair: Pair) -> None:
    assert error(pair.ours([]), pair.theirs({})) <= TOLERANCE


def test_all_70_sites_carry_diffusers_names_in_the_adapter_s_order(pair: Pair) -> None:
    processors = list(pair.diffusers.attn_processors)
    assert len(pair.sites) == 70
    for site in pair.sites:
        assert processors[site.adapter_id] == f"{site.name}.processor"


def test_the_map_of_sdxl_is_pinned(pair: Pair) -> None:
    first_ids = {block.name: next(s.adapter_id for s in pair.sites if s.block is block) for block in BLOCKS}
    assert first_ids == {
        "down_blocks.1.attentions.0": 1,
        "down_blocks.1.attentions.1": 5,
        "down_blocks.2.attentions.0": 9,
        "down_blocks.2.attentions.1": 29,
        "mid_block.attentions.0": 121,
        "up_blocks.0.attentions.0": 49,
        "up_blocks.0.attentions.1": 69,
        "up_blocks.0.attentions.2": 89,
        "up_blocks.1.attentions.0": 109,
        "up_blocks.1.attentions.1": 113,
        "up_blocks.1.attentions.2": 117,
    }
    assert [s.adapter_id for s in pair.sites if s.block is STYLE] == list(range(69, 88, 2))
    assert [s.adapter_id for s in pair.sites if s.block is LAYOUT] == list(range(29, 48, 2))


@pytest.mark.parametrize("index", range(70))
def test_each_site_alone(pair: Pair, index: int) -> None:
    """One site in ours, the same name in diffusers': a shifted map meets other matrices and fails."""
    site = pair.sites[index]
    styled = pair.ours([PlannedSite(site, 2.0)])
    assert error(styled, pair.theirs({site.name: 2.0})) <= TOLERANCE
    assert error(styled, pair.theirs({})) > TOLERANCE


def test_every_site_with_a_weight_of_its_own(pair: Pair) -> None:
    weights = torch.linspace(-1, 3, len(pair.sites)).tolist()
    plan = [PlannedSite(site, weight) for site, weight in zip(pair.sites, weights, strict=True)]
    scales = {site.name: weight for site, weight in plan}
    assert error(pair.ours(plan), pair.theirs(scales)) <= TOLERANCE
    shifted = dict(zip(scales, [*weights[1:], weights[0]], strict=True))
    assert error(pair.ours(plan), pair.theirs(shifted)) > 100 * TOLERANCE


@pytest.mark.parametrize("weight", [0.35, 1.0, 2.5])
@pytest.mark.parametrize("preset", [Preset.STYLE, Preset.LAYOUT, Preset.STYLE_LAYOUT, Preset.STRONG_STYLE, Preset.ALL])
def test_presets(pair: Pair, preset: Preset, weight: float) -> None:
    blocks = dict.fromkeys(preset_weights(preset), weight)
    plan = list(make_plan(blocks, pair.sites))
    scales = {site.name: weight for site in pair.sites if site.block in blocks}
    assert error(pair.ours(plan), pair.theirs(scales)) <= TOLERANCE
