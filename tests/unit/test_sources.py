"""Every wish as a list of sources of image tokens; projections recomputed with torch modules and loops."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lib_instantstyle.errors import AdapterError, ParameterError
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.method.memo import TensorMemo
from lib_instantstyle.method.projection import project_resampler
from lib_instantstyle.models.adapter import Adapter, open_adapter
from lib_instantstyle.params.block_weights import SiteName, Target
from lib_instantstyle.params.blocks import BLOCKS, LAYOUT, STYLE
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.regions import Mask, make_mask
from lib_instantstyle.unet.image_projection import ImageProjection
from lib_instantstyle.unet.plan import Source, _projected, image_terms
from lib_instantstyle.unet.rows import Row
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.sources import Sources
from lib_instantstyle.webui.styles.requirements import check_requirements
from tests.support import files
from tests.support.unets import CONTEXT, SmallUNet

WIDTH, HIDDEN = 1280, 48
GENERATOR = torch.Generator().manual_seed(21)
STYLES = tuple(torch.randn(1, WIDTH, generator=GENERATOR) * length for length in (1.0, 4.0, 0.5))
ONE, TWO, THREE = STYLES
LAYOUT_PICTURE, NEGATIVE, SUBJECT, WORDS = torch.randn(4, 1, WIDTH, generator=GENERATOR)
NOTHING = torch.zeros(1, WIDTH)


def without_words(embedding: torch.Tensor) -> torch.Tensor:
    return embedding - 0.7 * WORDS


def project(embedding: torch.Tensor) -> torch.Tensor:
    """The adapter's linear projection, by torch's own modules."""
    weights = {key[11:]: tensor for key, tensor in files.linear_adapter().items() if key.startswith("image_proj.")}
    linear, norm = nn.Linear(WIDTH, 4 * CONTEXT), nn.LayerNorm(CONTEXT)
    linear.load_state_dict({"weight": weights["proj.weight"], "bias": weights["proj.bias"]})
    norm.load_state_dict({"weight": weights["norm.weight"], "bias": weights["norm.bias"]})
    with torch.no_grad():
        return norm(linear(embedding).unflatten(-1, (4, CONTEXT)))


@pytest.fixture
def wish(adapter: Adapter) -> Callable[..., list[Source]]:
    """Make sources of pictures and settings."""

    def make(
        style: tuple[torch.Tensor, ...] = (ONE,),
        others: dict[str, Any] | None = None,
        factor: float = 1.0,
        **values: Any,
    ) -> list[Source]:
        pictures = dict(others or {})
        masks = pictures.pop("masks", None)
        embeddings = Embeddings(style, NOTHING, **pictures)
        projection = ImageProjection(adapter)
        return Sources(StyleParams(enabled=True, **values), embeddings, projection, masks=masks, factor=factor).all()

    return make


def same(tokens: torch.Tensor, expected: torch.Tensor) -> None:
    torch.testing.assert_close(tokens, expected, rtol=1e-4, atol=1e-5)


def half(left: bool = True, level: int = 255) -> Mask:
    picture = Image.new("L", (64, 64))
    picture.paste(level, (0, 0, 32, 64) if left else (32, 0, 64, 64))
    return make_mask(picture)


def test_one_reference_is_one_source(wish) -> None:
    (source,) = wish(style_weight=0.8)
    same(source.conditional, project(ONE))
    same(source.unconditional, project(NOTHING))
    assert (source.weights, source.factors, source.token_factors, source.region) == (
        {STYLE: 0.8},
        (1.0, 1.0),
        None,
        None,
    )


def test_tiles_are_averaged_before_they_are_projected(wish) -> None:
    tiles = torch.cat(STYLES)
    (source,) = wish((tiles,))
    same(source.conditional, project((ONE + TWO + THREE) / 3))


def test_the_mean_is_taken_of_embeddings_by_weight(wish) -> None:
    (source,) = wish(STYLES, weights="1, 0.5, 0.25")
    same(source.conditional, project((ONE + 0.5 * TWO + 0.25 * THREE) / 1.75))
    (halved,) = wish(STYLES, weights="0.5, 0.25, 0.125")
    same(halved.conditional, source.conditional)
    assert halved.factors == (1.0, 1.0)


def test_the_normalised_mean_is_taken_of_directions(wish) -> None:
    (source,) = wish((ONE, TWO), combine="Normalised mean", weights="1, 0.5")
    lengths = [float(np.sqrt((vector.numpy() ** 2).sum())) for vector in (ONE, TWO)]
    direction = ONE.numpy() / lengths[0] + 0.5 * TWO.numpy() / lengths[1]
    expected = direction / np.sqrt((direction**2).sum()) * (lengths[0] + 0.5 * lengths[1]) / 1.5
    same(source.conditional, project(torch.from_numpy(expected)))


@pytest.mark.parametrize("combine", ["Mean", "Normalised mean", "Concatenate", "Add"])
def test_weight_0_leaves_a_reference_out(wish, combine: str) -> None:
    (source,) = wish(STYLES, combine=combine, weights="0, 1, 0")
    same(source.conditional, project(TWO))


def test_concatenation_puts_tokens_side_by_side(wish) -> None:
    (source,) = wish((ONE, TWO), combine="Concatenate", weights="1, 0.5")
    assert source.conditional.shape == source.unconditional.shape == (1, 8, CONTEXT)
    same(source.conditional, torch.cat([project(ONE), project(TWO)], dim=1))
    same(source.unconditional, torch.cat([project(NOTHING)] * 2, dim=1))
    assert source.token_factors == (1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5)
    assert source.factors == (1.0, 1.0)


def test_adding_is_one_source_a_reference(wish) -> None:
    sources = wish(STYLES, combine="Add", weights="1, 0, 0.5")
    for source, embedding in zip(sources, (ONE, THREE), strict=True):
        same(source.conditional, project(embedding))
        same(source.unconditional, project(NOTHING))
    assert [source.factors for source in sources] == [(1.0, 1.0), (0.5, 0.5)]


def test_one_per_picture_is_one_cycle(wish) -> None:
    (source,) = wish(STYLES, combine="One per picture", weights="1, 0.5, 0")
    same(source.conditional, torch.cat([project(embedding) for embedding in STYLES]))
    same(source.unconditional, torch.cat([project(NOTHING)] * 3))
    assert source.factors == (1.0, 1.0, 0.5, 0.5, 0.0, 0.0)
    same(source.tokens[0::2], source.unconditional)  # variants: unconditional, conditional, …
    same(source.tokens[1::2], source.conditional)


def test_other_references_change_no_bit_of_a_reference_s_keys_and_values() -> None:
    """Matrix products of SDXL's widths round by their size on some processors."""
    tokens, matrix = torch.randn(6, 4, 2048), torch.randn(1280, 2048)
    assert torch.equal(_projected(tokens, matrix)[:2], _projected(tokens[:2], matrix))


@pytest.mark.parametrize("combine", ["Mean", "Concatenate", "Add", "One per picture"])
def test_a_negative_picture_stands_where_nothing_stood(wish, combine: str) -> None:
    for source in wish((ONE, TWO), {"negative": NEGATIVE}, combine=combine):
        for tokens in source.unconditional.reshape(-1, 4, CONTEXT):
            same(tokens, project(NEGATIVE)[0])


@pytest.mark.parametrize("combine", ["Mean", "Normalised mean", "Concatenate", "Add", "One per picture"])
def test_content_is_removed_from_style_references_alone(adapter: Adapter, combine: str) -> None:
    others = {"layout": LAYOUT_PICTURE, "negative": NEGATIVE, "subject": SUBJECT}
    wishes = {"preset": "Style + layout", "subject_weight": 0.2, "anti_layout": 1.0, "combine": combine}
    embeddings = Embeddings((ONE, ONE), NOTHING, **others)
    *styles, layout, subject, anti = Sources(
        StyleParams(enabled=True, **wishes), embeddings, ImageProjection(adapter), without_words
    ).all()
    for source in styles:
        for tokens in source.conditional.reshape(-1, 4, CONTEXT):
            same(tokens, project(without_words(ONE))[0])
        for tokens in source.unconditional.reshape(-1, 4, CONTEXT):
            same(tokens, project(NEGATIVE)[0])
    same(layout.conditional, project(LAYOUT_PICTURE))
    same(subject.conditional, project(SUBJECT))
    same(anti.unconditional, project(ONE))


def test_content_is_removed_from_the_mean_not_before_it(adapter: Adapter) -> None:
    def halves_the_largest(embedding: torch.Tensor) -> torch.Tensor:  # not linear, so that the order shows
        return torch.where(embedding == embedding.max(), embedding / 2, embedding)

    params, embeddings = StyleParams(enabled=True), Embeddings((ONE, TWO), NOTHING)
    (source,) = Sources(params, embeddings, ImageProjection(adapter), halves_the_largest).all()
    same(source.conditional, project(halves_the_largest((ONE + TWO) / 2)))


def test_a_layout_picture_takes_the_layout_block_and_no_other(wish) -> None:
    style, layout = wish(
        others={"layout": LAYOUT_PICTURE}, preset="Style + layout", style_weight=0.9, layout_weight=0.4
    )
    assert (style.weights, layout.weights) == ({STYLE: 0.9}, {LAYOUT: 0.4})
    same(style.conditional, project(ONE))
    same(layout.conditional, project(LAYOUT_PICTURE))
    same(layout.unconditional, project(NOTHING))


def test_a_layout_picture_takes_single_layers_of_the_layout_block_too(wish) -> None:
    blocks = "style:1, style.0:0, layout:0.5, layout.1:0.2"
    style, layout = wish(others={"layout": LAYOUT_PICTURE}, preset="Custom", blocks=blocks)
    assert style.weights == {STYLE: 1.0, SiteName(STYLE, 0): 0.0}
    assert layout.weights == {LAYOUT: 0.5, SiteName(LAYOUT, 1): 0.2}


@pytest.mark.parametrize(
    "wishes", [{"preset": "Style"}, {"preset": "Style + layout", "layout_weight": 0.0}, {"preset": "Strong style"},
               {"preset": "Custom", "blocks": "style:1, layout.1:0"}], ids=str,
)  # fmt: skip
def test_a_layout_picture_without_its_block_is_left_out(wish, wishes: dict[str, Any]) -> None:
    with_picture, without = wish(others={"layout": LAYOUT_PICTURE}, **wishes), wish(**wishes)
    assert [source.weights for source in with_picture] == [_without_layout(source.weights) for source in without]
    for one, other in zip(with_picture, without, strict=True):
        same(one.tokens, other.tokens)


def _without_layout(weights: Mapping[Target, float]) -> dict[Target, float]:
    return {
        target: weight for target, weight in weights.items() if LAYOUT not in (target, getattr(target, "block", None))
    }


def test_a_subject_acts_low_on_all_blocks(wish) -> None:
    style, subject = wish(others={"subject": SUBJECT, "negative": NEGATIVE}, subject_weight=0.2)
    assert style.weights == {STYLE: 1.0}
    assert subject.weights == dict.fromkeys(BLOCKS, 0.2)
    same(subject.conditional, project(SUBJECT))
    same(subject.unconditional, project(NOTHING))  # what is to be kept is not pushed away from another picture


def test_a_subject_without_weight_does_nothing(wish) -> None:
    assert len(wish(others={"subject": SUBJECT})) == 1


def test_anti_layout_is_for_unconditional_rows_alone(wish) -> None:
    style, anti = wish(STYLES, anti_layout=2.0, weights="1, 0.5, 0")
    same(anti.unconditional, project((ONE + 0.5 * TWO) / 1.5))
    assert anti.weights == {LAYOUT: 2.0}
    assert anti.factors == (1.0, 0.0)  # unconditional, conditional
    assert style.factors == (1.0, 1.0)


def test_anti_layout_at_a_site_is_exactly_zero_for_conditional_rows(wish, adapter: Adapter) -> None:
    terms = [t for t in image_terms(wish(anti_layout=2.0), enumerate_sites(SmallUNet()), adapter)
             if t.site.block is LAYOUT]  # fmt: skip
    assert terms
    for term in terms:
        weights = term.weight[term.variants([Row(True, 0), Row(True, 1), Row(False, 0)])]
        assert weights.tolist() == [0.0, 0.0, 2.0]


@pytest.mark.parametrize(
    "wishes", [{"preset": "Style + layout"}, {"preset": "Layout"}, {"preset": "All blocks"},
               {"preset": "Custom", "blocks": "style:1, layout.0:0.5"}], ids=str,
)  # fmt: skip
def test_anti_layout_contradicts_taking_the_layout_over(adapter: Adapter, wishes: dict[str, Any]) -> None:
    params = StyleParams(anti_layout=1.0, **wishes)
    with pytest.raises(ParameterError, match=r"Avoid its composition \(anti_layout\) pushes away from the composition"):
        check_requirements(params, adapter, 1, 1280, ())
    for roles in ({"layout"}, None):  # a separate picture, or nothing known
        check_requirements(params, adapter, 1, 1280, roles)


@pytest.mark.parametrize(
    "wishes", [{"preset": "Strong style"}, {"preset": "Style + layout", "layout_weight": 0.0},
               {"preset": "Custom", "blocks": "style:1, layout.0:0"}], ids=str,
)  # fmt: skip
def test_anti_layout_agrees_with_a_layout_block_that_is_off(wish, adapter: Adapter, wishes: dict[str, Any]) -> None:
    check_requirements(StyleParams(anti_layout=1.0, **wishes), adapter, 1, 1280, ())
    assert wish(anti_layout=1.0, **wishes)[-1].factors == (1.0, 0.0)


def test_anti_layout_agrees_with_a_separate_layout_picture(wish) -> None:
    style, layout, anti = wish(others={"layout": LAYOUT_PICTURE}, preset="Style + layout", anti_layout=1.0)
    assert [list(source.weights) for source in (style, layout, anti)] == [[STYLE], [LAYOUT], [LAYOUT]]
    same(anti.unconditional, project(ONE))


def shown(source: Source) -> list[float]:
    """A region at the left and the right edge."""
    assert source.region is not None
    assert source.region.shape == (1, 512, 512)
    return [source.region[0, 100, 3].item(), source.region[0, 100, 500].item()]


@pytest.mark.parametrize("combine", ["Mean", "Normalised mean", "Concatenate", "Add"])
def test_masked_references_act_in_their_regions_and_the_others_in_the_rest(wish, combine: str) -> None:
    masked, free = wish((ONE, TWO), {"masks": {1: half()}}, combine=combine)
    same(masked.conditional, project(TWO))
    same(free.conditional, project(ONE))
    assert (shown(masked), shown(free)) == ([1.0, 0.0], [0.0, 1.0])


def test_masks_divide_the_picture(wish) -> None:
    sources = wish((ONE, TWO), {"masks": {0: half(), 1: half(left=False, level=51)}})
    assert [shown(source) for source in sources] == [[1.0, 0.0], [0.0, pytest.approx(0.2)]]
    overlapping = wish((ONE, TWO), {"masks": {0: half(), 1: half()}})
    assert [shown(source) for source in overlapping] == [[0.5, 0.0], [0.5, 0.0]]


def test_a_picture_full_of_masks_leaves_no_room_for_the_others(wish) -> None:
    sources = wish(STYLES, {"masks": {0: half(), 2: half(left=False)}})
    assert [shown(source) for source in sources] == [[1.0, 0.0], [0.0, 1.0]]
    same(sources[1].conditional, project(THREE))


@pytest.mark.parametrize("combine", ["Mean", "Normalised mean", "Concatenate", "Add"])
def test_the_mask_of_a_reference_of_weight_0_takes_no_room(wish, combine: str) -> None:
    (masked,) = wish((ONE, TWO), {"masks": {0: half(), 1: half()}}, combine=combine, weights="1, 0")
    same(masked.conditional, project(ONE))
    assert shown(masked) == [1.0, 0.0]
    (free,) = wish((ONE, TWO), {"masks": {1: half()}}, combine=combine, weights="1, 0")
    same(free.conditional, project(ONE))
    assert free.region is None


def test_references_that_share_the_rest_are_combined_there(wish) -> None:
    masked, free = wish(STYLES, {"masks": {0: half()}}, weights="1, 1, 0.5")
    same(free.conditional, project((TWO + 0.5 * THREE) / 1.5))
    assert (shown(masked), shown(free)) == ([1.0, 0.0], [0.0, 1.0])


def test_one_per_picture_keeps_each_reference_in_its_own_mask(wish) -> None:
    (source,) = wish((ONE, TWO), {"masks": {1: half()}}, combine="One per picture")
    assert source.region.shape == (2, 512, 512)
    assert source.region[:, 100, [3, 500]].tolist() == [[1.0, 1.0], [1.0, 0.0]]


def test_colours_are_kept_from_the_style_alone(wish) -> None:
    """Composition, subject and anti-layout have no colours to keep away."""
    others = {"layout": LAYOUT_PICTURE, "subject": SUBJECT}
    sources = wish(STYLES, others, preset="style + layout", combine="add", subject_weight=0.2, anti_layout=1.0)
    assert [source.is_style for source in sources] == [True] * 3 + [False] * 3


def test_layout_subject_and_anti_layout_have_no_region(wish) -> None:
    others = {"masks": {0: half()}, "layout": LAYOUT_PICTURE, "subject": SUBJECT}
    *_, layout, subject, anti = wish(others=others, preset="Style + layout", subject_weight=0.2, anti_layout=1.0)
    assert [source.region for source in (layout, subject, anti)] == [None] * 3


def test_the_factor_of_a_saved_style_multiplies_every_strength(wish) -> None:
    others = {"layout": LAYOUT_PICTURE, "subject": SUBJECT}
    wishes = {"preset": "Style + layout", "style_weight": 0.8, "layout_weight": 0.4, "subject_weight": 0.2}
    sources = wish(others=others, factor=0.5, anti_layout=2.0, **wishes)
    assert [source.weights for source in sources] == [
        {STYLE: 0.4}, {LAYOUT: 0.2}, dict.fromkeys(BLOCKS, 0.1), {LAYOUT: 1.0}
    ]  # fmt: skip


# Plus adapters: patches have a place of their own, so tokens are averaged.
PATCHES = tuple(torch.randn(1, 17, HIDDEN, generator=GENERATOR) for _ in range(3))
NO_PATCHES = torch.randn(1, 17, HIDDEN, generator=GENERATOR)


@pytest.fixture(scope="module")
def plus(tmp_path_factory: pytest.TempPathFactory) -> Adapter:
    folder = tmp_path_factory.mktemp("plus")
    return open_adapter(files.save_safetensors(folder / "plus.safetensors", files.plus_adapter(HIDDEN)))


def resampled(patches: torch.Tensor) -> torch.Tensor:
    """Checked against diffusers in test_embedding_maths."""
    weights = {key[11:]: tensor for key, tensor in files.plus_adapter(HIDDEN).items() if key.startswith("image_proj.")}
    return project_resampler(patches, weights)


def wish_plus(plus: Adapter, style: tuple[torch.Tensor, ...], others: dict[str, Any] | None = None, **values: Any):
    embeddings = Embeddings(style, NO_PATCHES, **(others or {}))
    return Sources(StyleParams(enabled=True, **values), embeddings, ImageProjection(plus)).all()


def test_plus_adapters_average_tokens_over_references_and_tiles(plus: Adapter) -> None:
    tiled = torch.cat(PATCHES[1:])
    (source,) = wish_plus(plus, (PATCHES[0], tiled), weights="1, 0.5")
    of_tiles = (resampled(PATCHES[1]) + resampled(PATCHES[2])) / 2
    same(source.conditional, (resampled(PATCHES[0]) + 0.5 * of_tiles) / 1.5)
    same(source.unconditional, resampled(NO_PATCHES))
    assert source.conditional.shape == (1, 16, CONTEXT)


def test_plus_adapters_normalise_token_by_token(plus: Adapter) -> None:
    (source,) = wish_plus(plus, PATCHES[:2], combine="Normalised mean")
    one, two = (resampled(patches)[0].numpy() for patches in PATCHES[:2])
    for token, first, second in zip(source.conditional[0], one, two, strict=True):
        lengths = np.linalg.norm(first), np.linalg.norm(second)
        direction = first / lengths[0] + second / lengths[1]
        expected = direction / np.linalg.norm(direction) * (lengths[0] + lengths[1]) / 2
        np.testing.assert_allclose(token.numpy(), expected, rtol=1e-4, atol=1e-5)


def test_plus_adapters_concatenate_add_and_cycle(plus: Adapter) -> None:
    each = [resampled(patches) for patches in PATCHES]
    (concatenated,) = wish_plus(plus, PATCHES, combine="Concatenate", weights="1, 0.5")
    same(concatenated.conditional, torch.cat(each, dim=1))
    assert concatenated.token_factors == (1.0,) * 16 + (0.5,) * 16 + (1.0,) * 16
    for source, tokens in zip(wish_plus(plus, PATCHES, combine="Add"), each, strict=True):
        same(source.conditional, tokens)
    (cycled,) = wish_plus(plus, PATCHES, combine="One per picture")
    same(cycled.conditional, torch.cat(each))


def test_plus_adapters_project_the_other_pictures(plus: Adapter) -> None:
    others = {"layout": PATCHES[1], "negative": torch.cat(PATCHES[1:]), "subject": PATCHES[2]}
    style, layout, subject = wish_plus(plus, PATCHES[:1], others, preset="Style + layout", subject_weight=0.2)
    negative = (resampled(PATCHES[1]) + resampled(PATCHES[2])) / 2
    same(style.unconditional, negative)
    same(layout.conditional, resampled(PATCHES[1]))
    same(layout.unconditional, negative)
    same(subject.conditional, resampled(PATCHES[2]))
    same(subject.unconditional, resampled(NO_PATCHES))


def test_numbers_that_are_none_are_not_remembered(adapter: Adapter, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next job computes them anew: they were once kept, and every job failed until the WebUI's next start."""
    memo = TensorMemo()

    def sources() -> list[Source]:
        return Sources(StyleParams(enabled=True), Embeddings((ONE,), NOTHING), ImageProjection(adapter, memo)).all()

    with monkeypatch.context() as patch:
        patch.setattr(
            "lib_instantstyle.unet.image_projection.project_linear", lambda *_: torch.full((1, 4, CONTEXT), torch.nan)
        )
        with pytest.raises(AdapterError, match="NaN or infinity in its image projection"):
            sources()
    assert torch.isfinite(sources()[0].conditional).all()


def test_a_projection_without_all_its_parts_is_refused(tmp_path: Path) -> None:
    tensors = {key: tensor for key, tensor in files.linear_adapter().items() if key != "image_proj.norm.bias"}
    adapter = open_adapter(files.save_safetensors(tmp_path / "part.safetensors", tensors))
    with pytest.raises(AdapterError, match=r"The image projection of part\.safetensors cannot be used"):
        Sources(StyleParams(enabled=True), Embeddings((ONE,), NOTHING), ImageProjection(adapter)).all()
