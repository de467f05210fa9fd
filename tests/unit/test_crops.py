"""The square views of a reference, against transformers' own preprocessing and against the picture itself."""

import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import CLIPImageProcessor

from lib_instantstyle.params.declared import Crop
from lib_instantstyle.pictures.crops import MAX_TILES, views

SIZES = [(301, 513), (513, 301), (224, 225), (225, 224), (1000, 240), (240, 1000), (224, 224), (16, 500), (500, 16),
         (64, 64), (223, 223), (1921, 1081), (17, 19)]  # fmt: skip


def noise(size: tuple[int, int], seed: int = 0) -> Image.Image:
    width, height = size
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_centre_is_what_transformers_sees_bit_for_bit(size: tuple[int, int]) -> None:
    processor, picture = CLIPImageProcessor(), noise(size)
    (view,) = views(picture, Crop.CENTRE)
    assert view.size == (224, 224)
    seen = processor(images=[view], return_tensors="pt").pixel_values
    assert torch.equal(seen, processor(images=[picture], return_tensors="pt").pixel_values)


@pytest.mark.parametrize("size", [(301, 513), (1000, 240)], ids=str)
def test_the_centre_at_another_size_of_tower(size: tuple[int, int]) -> None:
    processor = CLIPImageProcessor(size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56})
    (view,) = views(noise(size), Crop.CENTRE, 56)
    seen = processor(images=[view], return_tensors="pt").pixel_values
    assert torch.equal(seen, processor(images=[noise(size)], return_tensors="pt").pixel_values)


@pytest.mark.parametrize("crop", Crop)
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_every_view_is_a_square_in_colour(size: tuple[int, int], crop: Crop) -> None:
    for view in views(noise(size), crop):
        assert (view.size, view.mode) == ((224, 224), "RGB")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_squash_is_one_resize(size: tuple[int, int]) -> None:
    picture = noise(size)
    (view,) = views(picture, Crop.SQUASH)
    assert view.tobytes() == picture.resize((224, 224), Image.Resampling.BICUBIC).tobytes()


def test_squash_shows_all_four_corners() -> None:
    picture = Image.new("RGB", (400, 100))
    for index, corner in enumerate([(0, 0), (200, 0), (0, 50), (200, 50)]):
        picture.paste((255, 60 * index, 0), (*corner, corner[0] + 200, corner[1] + 50))
    (view,) = views(picture, Crop.SQUASH)
    assert [view.getpixel(place) for place in [(9, 9), (215, 9), (9, 215), (215, 215)]] == [
        (255, 60 * index, 0) for index in range(4)
    ]


@pytest.mark.parametrize("size", [(448, 112), (112, 448), (301, 513), (1000, 240), (16, 500)], ids=str)
def test_pad_shows_the_whole_picture_between_borders(size: tuple[int, int]) -> None:
    picture = noise(size)
    view = np.asarray(views(picture, Crop.PAD)[0]).astype(int)
    mean = np.asarray(picture).reshape(-1, 3).mean(axis=0)
    inner = [max(1, round(side * 224 / max(size))) for side in size]
    left, top = (224 - inner[0]) // 2, (224 - inner[1]) // 2
    shown = view[top : top + inner[1], left : left + inner[0]]
    assert np.array_equal(shown, np.asarray(picture.resize(tuple(inner), Image.Resampling.BICUBIC)))
    border = np.ones((224, 224), dtype=bool)
    border[top : top + inner[1], left : left + inner[0]] = False
    assert border.any()
    assert np.abs(view[border] - mean).max() <= 1.0  # the picture's mean colour, rounded


def test_pad_of_a_square_has_no_border() -> None:
    picture = noise((500, 500))
    assert views(picture, Crop.PAD)[0].tobytes() == views(picture, Crop.SQUASH)[0].tobytes()


def ramp(longer: int, *, tall: bool) -> Image.Image:
    """A strip 224 pixels wide whose colour tells the place along it."""
    places = np.arange(longer)
    line = np.stack([places // 256, places % 256, places * 0], axis=-1).astype(np.uint8)
    strip = np.broadcast_to(line, (224, longer, 3))
    return Image.fromarray(np.ascontiguousarray(strip.swapaxes(0, 1) if tall else strip))


def seen_places(view: Image.Image, axis: int) -> list[int]:
    line = np.asarray(view).astype(int)[0, :] if axis == 0 else np.asarray(view).astype(int)[:, 0]
    return (256 * line[:, 0] + line[:, 1]).tolist()


@pytest.mark.parametrize("longer", [224, 225, 300, 448, 449, 671, 672, 673, 1000, 1500, 1791, 1792])
@pytest.mark.parametrize("tall", [False, True], ids=["wide", "tall"])
def test_tiles_leave_no_column_and_no_row_out(longer: int, tall: bool) -> None:
    tiles = views(ramp(longer, tall=tall), Crop.TILES)
    assert len(tiles) == -(-longer // 224)
    places = [seen_places(tile, axis=int(tall)) for tile in tiles]
    assert all(tile == list(range(tile[0], tile[0] + 224)) for tile in places)
    assert {place for tile in places for place in tile} == set(range(longer))
    starts = [tile[0] for tile in places]
    steps = {after - before for before, after in itertools.pairwise(starts)}
    assert not steps or max(steps) - min(steps) <= 1  # they overlap evenly


def test_tiles_of_a_square_are_its_centre() -> None:
    picture = noise((600, 600))
    tiles = views(picture, Crop.TILES)
    assert [tile.tobytes() for tile in tiles] == [views(picture, Crop.CENTRE)[0].tobytes()]


def test_a_long_panorama_gives_eight_tiles_from_end_to_end() -> None:
    tiles = views(ramp(224 * 20, tall=False), Crop.TILES)
    assert len(tiles) == MAX_TILES == 8
    assert seen_places(tiles[0], 0)[0] == 0
    assert seen_places(tiles[-1], 0)[-1] == 224 * 20 - 1
