"""The formulas of reading references: noise, size, statistics, colours, and how several are combined."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import pytest
import torch
from PIL import Image

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.latents import NoiseLevels, fixed_noise, reference_size
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.method.self_attention import align, attend, beside
from lib_instantstyle.method.statistics import PIXELS, POSITIONS, adain, calibrate, mean_statistics, statistics
from lib_instantstyle.params.blocks import BLOCKS, STYLE
from lib_instantstyle.params.combination import Combine
from lib_instantstyle.params.self_attention import Reach, reach_weights
from lib_instantstyle.pictures.regions import MASK_SIZE, make_mask
from lib_instantstyle.self_attention.sources import AttentionSource, Wish, attention_sources
from lib_instantstyle.unet.rows import Row
from tests.support.reading import ALPHAS, LATENTS, Studio, numbers, reference, swapping

SHA256 = hashlib.sha256(b"a picture").hexdigest()
WISH = Wish({STYLE: 0.7}, Schedule())


# ---- noise ----


@pytest.mark.parametrize("timestep", [0, 1, 437, 998, 999])
def test_at_whole_timesteps_the_levels_are_the_model_s(timestep: int) -> None:
    picture, noise = NoiseLevels(ALPHAS).at(float(timestep))
    assert picture == pytest.approx(float(ALPHAS[timestep].sqrt()), rel=1e-12)
    assert noise == pytest.approx(float((1 - ALPHAS[timestep]).sqrt()), rel=1e-12)


def test_between_timesteps_the_logarithm_of_sigma_is_interpolated() -> None:
    sigmas = ((1 - ALPHAS) / ALPHAS).sqrt()
    picture, noise = NoiseLevels(ALPHAS).at(437.25)
    wanted = math.exp(0.75 * math.log(sigmas[437]) + 0.25 * math.log(sigmas[438]))
    assert noise / picture == pytest.approx(wanted, rel=1e-12)
    assert picture**2 + noise**2 == pytest.approx(1.0, rel=1e-12)


@pytest.mark.parametrize(("timestep", "end"), [(-3.0, 0.0), (1200.0, 999.0)])
def test_timesteps_beyond_the_table_are_its_ends(timestep: float, end: float) -> None:
    assert NoiseLevels(ALPHAS).at(timestep) == NoiseLevels(ALPHAS).at(end)


def test_a_schedule_that_ends_in_pure_noise_has_a_level_there() -> None:
    """As of checkpoints with zero terminal signal-to-noise ratio."""
    zero = ALPHAS.clone()
    zero[-1] = 0.0
    for timestep in (998.5, 999.0):
        picture, noise = NoiseLevels(zero).at(timestep)
        assert 0.0 <= picture < 1e-2 < 0.99 < noise <= 1.0


def test_the_noise_is_that_of_the_picture() -> None:
    noise = fixed_noise(SHA256, (1, 4, 64, 64))
    assert torch.equal(noise, fixed_noise(SHA256, (1, 4, 64, 64)))
    assert not torch.equal(noise, fixed_noise(SHA256.replace("a", "b"), (1, 4, 64, 64)))
    assert abs(float(noise.mean())) < 0.03
    assert abs(float(noise.std()) - 1) < 0.03


def test_making_noise_leaves_the_host_s_seed_alone() -> None:
    studio = Studio([swapping()])
    before = torch.get_rng_state()
    fixed_noise(SHA256, (1, 4, 8, 8))
    studio.styled()
    assert torch.equal(torch.get_rng_state(), before)


# ---- size ----


@pytest.mark.parametrize(
    ("picture", "job", "share", "size"),
    [
        ((1024, 1024), (1024, 1024), 1.0, (1024, 1024)),
        ((300, 300), (1024, 1024), 1.0, (1024, 1024)),
        ((4000, 4000), (1152, 896), 1.0, (1024, 1024)),
        ((1600, 900), (1024, 1024), 1.0, (1344, 768)),
        ((900, 1600), (1024, 1024), 1.0, (768, 1344)),
        ((1024, 1024), (1024, 1024), 0.25, (512, 512)),
        ((10, 4000), (64, 64), 1.0, (64, 1280)),
    ],
)
def test_a_reference_has_the_job_s_area_at_its_own_aspect(picture: Any, job: Any, share: float, size: Any) -> None:
    assert reference_size(picture, job, share) == size


# ---- statistics ----


def test_adain_gives_the_statistics_of_the_target() -> None:
    ours, theirs = numbers(1, 3, 20, 5), 4 * numbers(2, 1, 7, 5) + 3
    aligned = align(ours, theirs)
    torch.testing.assert_close(aligned.mean(1), theirs.mean(1).expand(3, -1))
    torch.testing.assert_close(aligned.std(1), theirs.std(1).expand(3, -1), rtol=1e-4, atol=0)
    torch.testing.assert_close(align(theirs, theirs), theirs)


def test_a_single_position_has_no_deviation() -> None:
    one = numbers(1, 1, 1, 5)
    assert torch.equal(statistics(one, POSITIONS).deviation, torch.full((1, 1, 5), 1e-5**0.5, dtype=torch.float64))
    torch.testing.assert_close(align(one, 3 * one), 3 * one)


def test_half_precision_is_summed_in_single() -> None:
    wide = 300 + numbers(1, 1, 4096, 3)
    found = statistics(wide.half(), POSITIONS)
    assert found.mean.dtype is torch.float32
    assert adain(wide.half(), found, POSITIONS).dtype is torch.float16
    torch.testing.assert_close(found.deviation.double(), wide.std(1, keepdim=True), rtol=1e-2, atol=0)


def test_statistics_are_averaged_by_weight() -> None:
    one, other = (statistics(numbers(seed, 1, 4, 8, 8), PIXELS) for seed in (1, 2))
    mean = mean_statistics([one, other], [3.0, 1.0])
    torch.testing.assert_close(mean.mean, 0.75 * one.mean + 0.25 * other.mean)
    torch.testing.assert_close(mean.deviation, 0.75 * one.deviation + 0.25 * other.deviation)


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_calibration_moves_colours_towards_the_reference_s(amount: float) -> None:
    denoised, clean = LATENTS, 2 * reference(1, size=(4, 20)).latent + 0.5
    seen = calibrate(denoised, statistics(clean, PIXELS), amount)
    for row in range(len(denoised)):
        for channel in range(4):
            x, r = denoised[row, channel], clean[0, channel]
            sd, sd_r = (x.var() + 1e-5).sqrt(), (r.var() + 1e-5).sqrt()
            wanted = x + amount * ((x - x.mean()) / sd * sd_r + r.mean() - x)
            torch.testing.assert_close(seen[row, channel], wanted, rtol=1e-12, atol=1e-12)


def test_calibration_with_its_own_colours_or_none_changes_nothing() -> None:
    own = reference().colours
    torch.testing.assert_close(calibrate(reference().latent, own), reference().latent, rtol=1e-12, atol=1e-12)
    assert torch.equal(calibrate(LATENTS, own, 0.0), LATENTS)


def test_calibration_by_place() -> None:
    amount = torch.zeros(LATENTS.shape[2:])
    amount[:, :6] = 1.0
    seen = calibrate(LATENTS, reference().colours, amount)
    torch.testing.assert_close(seen[..., :6], calibrate(LATENTS, reference().colours)[..., :6])
    assert torch.equal(seen[..., 6:], LATENTS[..., 6:])


# ---- attention ----


@pytest.mark.parametrize("copies", [1, 2, 5])
def test_copies_add_their_logarithm_to_the_scores(copies: int) -> None:
    q, k, v = numbers(1, 1, 6, 8), numbers(2, 1, 6, 8), numbers(3, 1, 6, 8)
    kr, vr = numbers(4, 1, 9, 8), numbers(5, 1, 9, 8)
    scores = torch.cat((q @ k.mT, q @ kr.mT + math.log(copies) * 8**0.5), dim=-1) / 8**0.5
    wanted = scores.softmax(-1) @ torch.cat((v, vr), dim=1)
    torch.testing.assert_close(
        attend(q, beside(k, kr, copies), beside(v, vr, copies), 1), wanted, rtol=1e-12, atol=1e-12
    )


def test_sharing_is_a_mixture_of_both() -> None:
    q, k, v = numbers(1, 1, 6, 8), numbers(2, 1, 6, 8), numbers(3, 1, 6, 8)
    kr, vr = numbers(4, 1, 9, 8), numbers(5, 1, 9, 8)
    z, zr = ((q @ key.mT / 8**0.5).exp().sum(-1, keepdim=True) for key in (k, kr))
    wanted = (z * attend(q, k, v, 1) + zr * attend(q, kr, vr, 1)) / (z + zr)
    torch.testing.assert_close(attend(q, beside(k, kr, 1), beside(v, vr, 1), 1), wanted, rtol=1e-12, atol=1e-12)


# ---- which blocks ----


def test_reaches() -> None:
    assert set(reach_weights(Reach.EVERYTHING)) == set(BLOCKS)
    left = set(BLOCKS) - set(reach_weights(Reach.TEXTURE))
    assert {block.name for block in left} == {f"up_blocks.1.attentions.{index}" for index in range(3)}


# ---- several references ----


def entries(sources: list[AttentionSource]) -> list[tuple[Any, ...]]:
    assert all(source.weights == {STYLE: 0.7} for source in sources)
    return [(source.cycle, tuple(round(factor, 9) for factor in source.factors)) for source in sources]


@pytest.mark.parametrize(
    ("combine", "weights", "wanted"),
    [
        (Combine.MEAN, [1.0], [(((0,),), (1.0,))]),
        (Combine.MEAN, [0.4], [(((0,),), (1.0,))]),
        (Combine.MEAN, [1.0, 3.0], [(((0,),), (0.25,)), (((1,),), (0.75,))]),
        (Combine.NORMALISED_MEAN, [1.0, 0.0, 1.0], [(((0,),), (0.5,)), (((2,),), (0.5,))]),
        (Combine.ADD, [1.0, 3.0], [(((0,),), (1.0,)), (((1,),), (3.0,))]),
        (Combine.CONCATENATE, [0.5, 0.0, 0.5], [(((0, 2),), (0.5,))]),
        (Combine.PER_PICTURE, [1.0, 0.0, 0.5], [(((0,), (1,), (2,)), (1.0, 0.0, 0.5))]),
    ],
)
def test_references_are_combined_as_the_adapter_s(combine: Combine, weights: list[float], wanted: Any) -> None:
    assert entries(attention_sources(WISH, weights, combine)) == wanted


def test_concatenated_references_have_equal_weights() -> None:
    with pytest.raises(ParameterError, match="equal weights"):
        attention_sources(WISH, [1.0, 0.5], Combine.CONCATENATE)


def halves() -> dict[int, Any]:
    """Return a mask of the left half for the first reference."""
    picture = Image.new("L", (MASK_SIZE, MASK_SIZE))
    picture.paste(255, (0, 0, MASK_SIZE // 2, MASK_SIZE))
    return {0: make_mask(picture)}


def test_masked_references_act_in_their_own_areas_the_others_in_the_rest() -> None:
    left, right, third = attention_sources(WISH, [1.0, 1.0, 3.0], Combine.MEAN, halves())
    assert (left.cycle, right.cycle, third.cycle) == (((0,),), ((1,),), ((2,),))
    assert (left.factors, right.factors, third.factors) == ((1.0,), (0.25,), (0.75,))
    assert all(source.region is not None for source in (left, right, third))
    torch.testing.assert_close(left.region + right.region, torch.ones(1, MASK_SIZE, MASK_SIZE))
    assert torch.equal(right.region, third.region)


def test_references_in_turn_keep_their_masks() -> None:
    (source,) = attention_sources(WISH, [1.0, 1.0], Combine.PER_PICTURE, halves())
    assert source.region.shape == (2, MASK_SIZE, MASK_SIZE)
    assert source.region[1].all()
    assert float(source.region[0].mean()) == pytest.approx(0.5, abs=0.01)


def test_a_mask_over_everything_leaves_no_rest() -> None:
    everywhere = {0: make_mask(Image.new("L", (8, 8), 255))}
    assert len(attention_sources(WISH, [1.0, 1.0], Combine.MEAN, everywhere)) == 1


def test_portions_are_remembered_for_few_layouts() -> None:
    source = swapping()
    for picture in range(100):
        assert [portion.rows for portion in source.portions((Row(True, picture), Row(False, picture)))] == [slice(0, 1), slice(1, 2)]  # fmt: skip
    assert len(source._known) <= 16
