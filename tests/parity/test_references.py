"""Several references equal diffusers' IP-Adapter with several images: concatenated, and added with masks."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.method.projection import project_linear
from lib_instantstyle.params.block_weights import SiteName
from lib_instantstyle.params.blocks import LAYOUT, STYLE, Preset, preset_weights
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.unet.image_projection import ImageProjection
from lib_instantstyle.unet.plan import Source
from lib_instantstyle.unet.sources import Sources
from tests.parity.test_diffusers import EMBEDDING, ROWS, TOLERANCE, Pair, error

LATENT = (16, 32)  # height and width: grids of 8×16 and 4×8 divide the masks without a rest
DEEP = ("down_blocks.2", "mid_block", "up_blocks.0")


class References(Pair):
    """Two references instead of one, in a picture whose grids divide a mask evenly."""

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        generator = torch.Generator().manual_seed(11)
        self.x = torch.randn(len(ROWS), 4, *LATENT, generator=generator)
        self.pictures = torch.randn(3, EMBEDDING, generator=generator)

    def styled(self, combine: str, blocks: dict[str, float], **wishes: Any) -> torch.Tensor:
        """Through the controls, as a job does it."""
        style = tuple(self.pictures[:2, None])
        params = StyleParams(enabled=True, preset="Custom", blocks=written(blocks), combine=combine, **wishes)
        embeddings = Embeddings(style, torch.zeros(1, EMBEDDING))
        return self.inject(Sources(params, embeddings, ImageProjection(self.adapter)).all())

    def tokens(self, picture: torch.Tensor) -> torch.Tensor:
        return project_linear(picture[None], self.adapter.read_projection())

    @torch.no_grad()
    def theirs(
        self,
        scales: dict[str, Any],
        pictures: torch.Tensor | None = None,
        masks: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """``scales`` by the name of the cross-attention: a number, or one number a picture where there are masks."""
        pictures = self.pictures[:2] if pictures is None else pictures
        off = 0.0 if masks is None else [0.0] * len(pictures)
        for name, processor in self.diffusers.attn_processors.items():
            if hasattr(processor, "scale"):
                processor.scale = [scales.get(name.removesuffix(".processor"), off)]
        seen = torch.stack([pictures if row.conditional else torch.zeros_like(pictures) for row in ROWS])
        added = {"text_embeds": self.pooled, "time_ids": self.time_ids, "image_embeds": [seen]}
        return self.diffusers(
            self.x,
            self.timesteps,
            self.context,
            added_cond_kwargs=added,
            cross_attention_kwargs=None if masks is None else {"ip_adapter_masks": [masks]},
        ).sample


def written(weights: dict[str, float]) -> str:
    """The text of the preset Custom, single layers by their short names."""
    short = {name: name.replace(".transformer_blocks", "").removesuffix(".attn2") for name in weights}
    return ", ".join(f"{short[name]}:{weight}" for name, weight in weights.items())


@pytest.fixture(scope="module")
def references(tmp_path_factory: pytest.TempPathFactory) -> References:
    return References(tmp_path_factory.mktemp("references"))


def names(references: References, preset: Preset) -> list[str]:
    return [site.name for site in references.sites if site.block in preset_weights(preset)]


def random_weights(references: References, seed: int) -> dict[str, float]:
    """A weight for each of the 70 cross-attentions, rounded as people write them."""
    generator = torch.Generator().manual_seed(seed)
    weights = (2 * torch.rand(len(references.sites), generator=generator) - 0.5).tolist()
    return {site.name: round(weight, 2) for site, weight in zip(references.sites, weights, strict=True)}


@pytest.mark.parametrize("weight", [0.6, 1.5])
@pytest.mark.parametrize("preset", [Preset.STYLE, Preset.LAYOUT, Preset.ALL])
def test_concatenated_references_are_diffusers_several_images(
    references: References, preset: Preset, weight: float
) -> None:
    ours = references.styled("Concatenate", dict.fromkeys((b.name for b in preset_weights(preset)), weight))
    theirs = references.theirs(dict.fromkeys(names(references, preset), weight))
    assert error(ours, theirs) <= TOLERANCE
    one = references.theirs(dict.fromkeys(names(references, preset), weight), references.pictures[:1])
    assert error(ours, one) > 100 * TOLERANCE


def test_concatenated_references_with_a_weight_at_each_of_70_sites(references: References) -> None:
    weights = random_weights(references, seed=1)
    assert error(references.styled("Concatenate", weights), references.theirs(weights)) <= TOLERANCE


def test_the_order_of_concatenated_references_does_not_matter(references: References) -> None:
    weights = {STYLE.name: 1.0}
    swapped = references.theirs(dict.fromkeys(names(references, Preset.STYLE), 1.0), references.pictures[[1, 0]])
    assert error(references.styled("Concatenate", weights), swapped) <= TOLERANCE


def test_one_reference_three_times_concatenated_is_the_reference(references: References) -> None:
    """Attention over repeated tokens is the same attention: concatenation adds no strength."""
    picture = references.pictures[:1]
    scales = dict.fromkeys(names(references, Preset.STYLE), 1.0)
    once, thrice = references.theirs(scales, picture), references.theirs(scales, picture.repeat(3, 1))
    assert error(once, thrice) <= TOLERANCE
    params = StyleParams(enabled=True, combine="Concatenate")
    embeddings = Embeddings((picture,) * 3, torch.zeros(1, EMBEDDING))
    sources = Sources(params, embeddings, ImageProjection(references.adapter)).all()
    assert error(references.inject(sources), once) <= TOLERANCE


@pytest.mark.parametrize("shares", ["1, 1", "1, 0.5"])
def test_added_references_are_diffusers_images_with_white_masks(references: References, shares: str) -> None:
    """With masks diffusers attends to each image by itself and adds; a white mask is 1 everywhere."""
    ours = references.styled("Add", {STYLE.name: 0.8, LAYOUT.name: 0.5}, weights=shares)
    parts = [float(share) for share in shares.split(",")]
    scales = {name: [0.8 * part for part in parts] for name in names(references, Preset.STYLE)}
    scales |= {name: [0.5 * part for part in parts] for name in names(references, Preset.LAYOUT)}
    assert error(ours, references.theirs(scales, masks=torch.ones(1, 2, 64, 128))) <= TOLERANCE
    assert error(ours, references.styled("Concatenate", {STYLE.name: 0.8, LAYOUT.name: 0.5})) > 100 * TOLERANCE


def test_added_references_with_weights_of_their_own_at_each_of_70_sites(references: References) -> None:
    one, two = random_weights(references, seed=2), random_weights(references, seed=3)
    sources = [
        Source(layers(references, weights), references.tokens(picture), references.tokens(torch.zeros(EMBEDDING)))
        for weights, picture in zip((one, two), references.pictures, strict=False)
    ]
    scales = {name: [one[name], two[name]] for name in one}
    theirs = references.theirs(scales, masks=torch.ones(1, 2, 64, 128))
    assert error(references.inject(sources), theirs) <= TOLERANCE


def layers(references: References, weights: dict[str, float]) -> dict[SiteName, float]:
    return {SiteName(site.block, site.depth): weights[site.name] for site in references.sites}


def at_level(deep: bool, references: References) -> list[str]:
    """The cross-attentions that work on the 4×8 grid, or on the 8×16 one."""
    return [site.name for site in references.sites if site.name.startswith(DEEP) == deep]


@pytest.mark.parametrize(("deep", "grid"), [(True, (4, 8)), (False, (8, 16))], ids=["level 4", "level 2"])
def test_masked_references_are_diffusers_ip_adapter_masks(
    references: References, deep: bool, grid: tuple[int, int]
) -> None:
    """Soft masks given to diffusers on the grid of the sites that act, where its bicubic scaling changes nothing."""
    weights = {
        name: weight for name, weight in random_weights(references, 4).items() if name in at_level(deep, references)
    }
    masks = torch.rand(2, *grid, generator=torch.Generator().manual_seed(6))
    sources = [
        Source(
            {SiteName(site.block, site.depth): weights.get(site.name, 0.0) for site in references.sites},
            references.tokens(picture),
            references.tokens(torch.zeros(EMBEDDING)),
            region=enlarged(mask)[None],
        )
        for picture, mask in zip(references.pictures[:2], masks, strict=True)
    ]
    ours = references.inject(sources)
    scales = {name: [weight, weight] for name, weight in weights.items()}
    assert error(ours, references.theirs(scales, masks=masks[None])) <= TOLERANCE
    mirrored = references.theirs(scales, masks=masks.flip(-1)[None])
    assert error(ours, mirrored) > 100 * TOLERANCE


def enlarged(mask: torch.Tensor) -> torch.Tensor:
    """A square mask, as they are kept: each of the values a rectangle. Small, so that averages are exact."""
    height, width = mask.shape
    return mask.repeat_interleave(32 // height, 0).repeat_interleave(32 // width, 1)


def test_three_references_everything_at_random(references: References) -> None:
    """Level shares, a weight for each reference at each of 70 sites; diffusers scales a level mask to itself."""
    weights = [random_weights(references, seed) for seed in (7, 8, 9)]
    shares = [0.3, 0.45, 0.25]
    sources = [
        Source(
            layers(references, own),
            references.tokens(picture),
            references.tokens(torch.zeros(EMBEDDING)),
            factors=(2.0, 2.0),
            region=torch.full((1, 32, 32), share),
        )
        for own, picture, share in zip(weights, references.pictures, shares, strict=True)
    ]
    scales = {name: [2.0 * own[name] for own in weights] for name in weights[0]}
    masks = torch.tensor(shares).view(1, 3, 1, 1).expand(1, 3, 64, 128).contiguous()
    theirs = references.theirs(scales, references.pictures, masks)
    assert error(references.inject(sources), theirs) <= TOLERANCE
