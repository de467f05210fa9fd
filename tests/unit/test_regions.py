"""Region masks: what each cross-attention gets of them, against numpy; sizes and shapes of real pictures."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lib_instantstyle.errors import PictureError, RegionError
from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.blocks import LAYOUT, STYLE, find_block
from lib_instantstyle.pictures.regions import MASK_SIZE, WHOLE, CropWindow, Mask, fitted, make_mask, partition, sample
from lib_instantstyle.unet.call import UNetCall
from lib_instantstyle.unet.injection import Injection
from lib_instantstyle.unet.plan import Source, image_terms
from lib_instantstyle.unet.rows import Row
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.terms import ScheduledTerms
from tests.support.unets import CONTEXT, GridUNet

RNG = np.random.default_rng(4)
SIZES = [(1024, 1024), (912, 1144), (1080, 1920), (832, 1216), (1040, 1520), (1456, 2128), (1000, 1000), (64, 64)]


def soft_mask(seed: int, size: tuple[int, int] = (96, 64)) -> Mask:
    grey = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    return make_mask(Image.fromarray(grey))


def half(width: int = 1024, height: int = 1024) -> Mask:
    """White on the left."""
    picture = Image.new("L", (width, height))
    picture.paste(255, (0, 0, width // 2, height))
    return make_mask(picture)


def shares_of(mask: Mask) -> torch.Tensor:
    return mask.values.float()[None] / 255


def grids(width: int, height: int) -> list[tuple[int, int]]:
    """Height and width at levels 2 and 4, by real stride-2 convolutions with padding 1."""
    down = nn.Conv2d(1, 1, 3, stride=2, padding=1)
    first = down(torch.zeros(1, 1, height // 8, width // 8))
    return [tuple(first.shape[-2:]), tuple(down(first).shape[-2:])]


def block_means(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """The average of each of the grid's rectangles, one by one."""
    rows, columns = values.shape[0] // height, values.shape[1] // width
    means = np.zeros((height, width))
    for row, column in itertools.product(range(height), range(width)):
        means[row, column] = values[row * rows : (row + 1) * rows, column * columns : (column + 1) * columns].mean()
    return means


@pytest.mark.parametrize("grid", [(1, 1), (64, 64), (32, 128), (128, 16), (256, 512), (512, 512)], ids=str)
def test_a_grid_gets_the_averages_of_its_rectangles(grid: tuple[int, int]) -> None:
    values = RNG.random((2, MASK_SIZE, MASK_SIZE)).astype(np.float32)
    found = sample(torch.from_numpy(values), WHOLE, *grid)
    assert found.shape == (2, grid[0] * grid[1], 1)
    for share, expected in zip(found, values, strict=True):
        np.testing.assert_allclose(share.reshape(grid).numpy(), block_means(expected, *grid), atol=1e-5)


def test_positions_run_along_the_rows_of_the_picture() -> None:
    """As the query's do: height · width, row by row."""
    values = torch.zeros(1, MASK_SIZE, MASK_SIZE)
    values[0, :128, 256:] = 1.0  # the upper quarter, right half
    assert sample(values, WHOLE, 4, 2).flatten().tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("frame", "pixels"),
    [
        (CropWindow(0.5, 0.0, 1.0, 1.0), (256, 0, 512, 512)),
        (CropWindow(0.25, 0.5, 0.75, 0.75), (128, 256, 384, 384)),
        (CropWindow(0.0, 0.0, 0.125, 0.0625), (0, 0, 64, 32)),
    ],
    ids=["right half", "middle", "corner"],
)
def test_a_frame_is_cut_out_before(frame: CropWindow, pixels: tuple[int, int, int, int]) -> None:
    values = RNG.random((MASK_SIZE, MASK_SIZE)).astype(np.float32)
    left, top, right, bottom = pixels
    expected = block_means(values[top:bottom, left:right], 16, 32)
    found = sample(torch.from_numpy(values)[None], frame, 16, 32).reshape(16, 32).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    "frame", [CropWindow(0.999, 0.999, 1.0, 1.0), CropWindow(0, 0, 0.0001, 1), CropWindow(-0.1, 0.2, 1.1, 0.3)]
)
def test_a_tiny_or_overlapping_frame_still_gives_every_position_a_share(frame: CropWindow) -> None:
    found = sample(shares_of(soft_mask(1)), frame, 8, 8)
    assert found.shape == (1, 64, 1)
    assert torch.isfinite(found).all()


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("frame", [WHOLE, CropWindow(0.1, 0.2, 0.73, 0.9)], ids=["whole", "frame"])
def test_shares_and_the_rest_fill_every_place_exactly_once(count: int, frame: CropWindow) -> None:
    masks = {index: soft_mask(index) for index in range(count)}
    shares, rest = partition(masks, count + 1)
    assert shares[count] is None
    parts = torch.stack([*(share for share in shares if share is not None), rest])
    assert parts.min() >= 0.0
    np.testing.assert_allclose(parts.sum(dim=0).numpy(), 1.0, atol=1e-6)
    for width, height in SIZES:
        for grid in grids(width, height):
            np.testing.assert_allclose(sample(parts, frame, *grid).sum(dim=0).numpy(), 1.0, atol=5e-5)


def test_overlaps_are_divided_and_gaps_are_not_filled_up() -> None:
    levels = {0: 255, 2: 255, 3: 51}
    masks = {
        index: Mask(torch.full((MASK_SIZE, MASK_SIZE), level, dtype=torch.uint8)) for index, level in levels.items()
    }
    shares, rest = partition(masks, 4)
    assert [None if share is None else pytest.approx(share[7, 9].item()) for share in shares] == [
        pytest.approx(1 / 2.2), None, pytest.approx(1 / 2.2), pytest.approx(0.2 / 2.2)
    ]  # fmt: skip
    assert not rest.any()
    (share,), rest = partition({0: masks[3]}, 1)
    assert share[7, 9].item() == pytest.approx(0.2)
    assert rest[7, 9].item() == pytest.approx(0.8)


def test_without_masks_there_is_nothing_to_divide() -> None:
    assert partition({}, 3) == ([None, None, None], None)


def test_masks_are_squashed_by_areas() -> None:
    grey = RNG.integers(0, 256, (1024, 2048), dtype=np.uint8)
    mask = make_mask(Image.fromarray(grey))
    assert mask.size == (2048, 1024)
    assert np.abs(mask.values.numpy() - block_means(grey, MASK_SIZE, MASK_SIZE)).max() <= 1.0


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P"])
def test_white_is_inside_in_every_mode(mode: str) -> None:
    mask = make_mask(Image.new("L", (50, 40), 255).convert(mode))
    assert set(mask.values.flatten().tolist()) == {255}


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_black_throughout_is_refused(mode: str) -> None:
    with pytest.raises(PictureError, match=r"black throughout.*Paint white"):
        make_mask(Image.new(mode, (50, 40)))


def test_hashes_tell_masks_apart() -> None:
    assert soft_mask(1).sha256 == soft_mask(1).sha256
    assert len({soft_mask(seed).sha256 for seed in range(5)}) == 5


@pytest.mark.parametrize(
    ("mask", "picture"),
    [((1024, 1024), (512, 512)), ((832, 1216), (1456, 2128)), ((683, 1024), (680, 1024)), ((1920, 1080), (1920, 1080)),
     ((1000, 1000), (1000, 968))],
)  # fmt: skip
def test_the_same_shape_at_another_size_is_taken(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    assert soft_mask(1, mask).fits(*picture)
    image = Image.new("L", mask)
    assert fitted(image, *picture) is image


@pytest.mark.parametrize(
    ("mask", "picture"), [((1024, 1024), (1024, 768)), ((832, 1216), (1216, 832)), ((1000, 1000), (1000, 1048))]
)
def test_another_shape_is_told_and_stretched_to(mask: tuple[int, int], picture: tuple[int, int]) -> None:
    assert not soft_mask(1, mask).fits(*picture)
    stretched = fitted(Image.new("L", mask, 255), *picture)
    assert make_mask(stretched).fits(*picture)
    assert max(stretched.size) == max(mask)


def test_a_mask_is_fractions_of_the_picture() -> None:
    """However it is stretched, the left half stays the left half."""
    left = Image.new("L", (64, 64))
    left.paste(255, (0, 0, 32, 64))
    assert torch.equal(make_mask(fitted(left, 1216, 832)).values, make_mask(left).values)


def test_a_mask_of_unknown_size_fits_every_picture() -> None:
    assert Mask(soft_mask(1).values).fits(1024, 256)


class Bench:
    """A UNet that works on grids, with half of the picture styled."""

    def __init__(self, adapter: Adapter, frame: CropWindow = WHOLE) -> None:
        self.unet = GridUNet()
        seen, nothing = torch.randn(2, 1, 4, CONTEXT, generator=torch.Generator().manual_seed(3))
        weights = {STYLE: 1.0, LAYOUT: 1.0, find_block("down_blocks.1.attentions.0"): 1.0}
        source = Source(weights, seen, nothing, region=shares_of(half()))
        terms = image_terms([source], enumerate_sites(self.unet), adapter)
        self.injection = Injection(self.unet, [ScheduledTerms(terms, Schedule())], self._describe, frame)

    def _describe(self, args, kwargs) -> UNetCall:
        return UNetCall((Row(True, 0), Row(False, 0)), kwargs["timesteps"])

    def __call__(self, latent: torch.Tensor) -> torch.Tensor:
        text = torch.randn(2, 3, CONTEXT, generator=torch.Generator().manual_seed(2))
        return self.unet(latent.expand(2, -1, -1, -1), timesteps=torch.full((2,), 500.0), context=text)


@pytest.mark.parametrize(("width", "height"), SIZES, ids=str)
def test_every_size_of_picture_finds_its_grids(adapter: Adapter, width: int, height: int) -> None:
    bench, seen = Bench(adapter), {}
    for site in enumerate_sites(bench.unet):
        key = site.block
        site.attention.to_q.register_forward_hook(lambda _m, _a, out, key=key: seen.update({key: out.shape[1]}))
    with bench.injection:
        bench(torch.randn(1, 4, height // 8, width // 8, generator=torch.Generator().manual_seed(7)))
    second, fourth = (rows * columns for rows, columns in grids(width, height))
    assert seen[STYLE] == seen[LAYOUT] == fourth
    assert seen[find_block("down_blocks.1.attentions.0")] == second


def changed_columns(bench: Bench, latent: torch.Tensor) -> list[bool]:
    plain = bench(latent)
    with bench.injection:
        styled = bench(latent)
    return (styled != plain).any(dim=0).any(dim=0).any(dim=0).tolist()


def test_a_masked_reference_acts_in_its_half_alone(adapter: Adapter) -> None:
    """There is no convolution and no self-attention here that could carry it to the other half."""
    latent = torch.randn(1, 4, 16, 32, generator=torch.Generator().manual_seed(7))
    assert changed_columns(Bench(adapter), latent) == [True] * 16 + [False] * 16


@pytest.mark.parametrize(
    ("frame", "expected"),
    [(CropWindow(0.5, 0.0, 1.0, 1.0), [False] * 32), (CropWindow(0.0, 0.25, 0.5, 0.5), [True] * 32),
     (CropWindow(0.25, 0.0, 0.75, 1.0), [True] * 16 + [False] * 16)],
    ids=["outside", "inside", "across"],
)  # fmt: skip
def test_an_inpainted_crop_finds_its_part_of_the_mask(
    adapter: Adapter, frame: CropWindow, expected: list[bool]
) -> None:
    latent = torch.randn(1, 4, 16, 32, generator=torch.Generator().manual_seed(7))
    assert changed_columns(Bench(adapter, frame), latent) == expected


def test_the_grid_may_change_between_calls(adapter: Adapter) -> None:
    """Hires fix, and tiles of other sizes, within one injection."""
    latents = [torch.randn(1, 4, *size, generator=torch.Generator().manual_seed(7)) for size in ((16, 32), (18, 10))]
    expected = []
    for latent in latents:
        with (bench := Bench(adapter)).injection:
            expected.append(bench(latent))
    with (bench := Bench(adapter)).injection:
        for latent, before in zip(latents * 2, expected * 2, strict=True):
            assert torch.equal(bench(latent), before)


def test_merged_positions_are_refused(adapter: Adapter) -> None:
    bench = Bench(adapter)
    site = next(site for site in enumerate_sites(bench.unet) if site.block is STYLE)
    site.attention.register_forward_pre_hook(lambda _module, args: (args[0][:, ::2], *args[1:]))
    with bench.injection, pytest.raises(RegionError, match=r"16 positions where its block has 4×8: .* merges or cuts"):
        bench(torch.randn(1, 4, 16, 32))
