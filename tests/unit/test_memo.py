"""What earlier jobs computed, and how many bytes of an adapter are read."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from lib_instantstyle.errors import AdapterError
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.method.memo import TensorMemo, digest
from lib_instantstyle.models.adapter import Adapter, open_adapter
from lib_instantstyle.params.blocks import ADAPTER_ORDER, STYLE, Block, Preset, preset_weights
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.unet.image_projection import ImageProjection
from lib_instantstyle.unet.plan import ImageTerm, Source, image_terms
from lib_instantstyle.unet.sites import Site, enumerate_sites
from lib_instantstyle.unet.sources import Sources
from tests.support import files
from tests.support.counting import Reading, reading
from tests.support.unets import CONTEXT, SmallUNet
from tests.tiny.adapters import linear_shapes
from tests.tiny.unet import UNetConfig

SDXL = UNetConfig(320, (1, 2, 4), (0, 2, 10), 10, 2048, 2816)
SEEN, NOTHING, OTHER = torch.randn(3, 1, 4, CONTEXT, generator=torch.Generator().manual_seed(3))
MEGABYTE = 1_000_000


@pytest.fixture
def meter() -> Iterator[Reading]:
    """What left tensor files since."""
    with reading() as meter:
        yield meter


@pytest.fixture
def sites() -> tuple[Site, ...]:
    return enumerate_sites(SmallUNet())


def same(first: tuple[ImageTerm, ...], second: tuple[ImageTerm, ...]) -> bool:
    pairs = zip(first, second, strict=True)
    return all(torch.equal(a.key, b.key) and torch.equal(a.value, b.value) for a, b in pairs)


def test_what_was_put_is_found() -> None:
    memo = TensorMemo()
    assert memo.get("a") is None
    memo.put("a", torch.ones(2), torch.zeros(3))
    first, second = memo.get("a") or ()
    assert torch.equal(first, torch.ones(2))
    assert torch.equal(second, torch.zeros(3))


def test_the_least_recently_used_goes_first() -> None:
    memo = TensorMemo(limit=24)
    for key in "ab":
        memo.put(key, torch.ones(3))
    memo.get("a")
    memo.put("c", torch.ones(3))
    assert [memo.get(key) is not None for key in "abc"] == [True, False, True]
    assert memo.bytes_kept == 24


def test_what_is_put_again_is_counted_once() -> None:
    memo = TensorMemo(limit=24)
    for _ in range(5):
        memo.put("a", torch.ones(3))
    assert memo.bytes_kept == 12


@pytest.mark.parametrize("limit", [0, 11])
def test_what_is_too_large_is_not_kept(limit: int) -> None:
    memo = TensorMemo(limit)
    memo.put("a", torch.ones(3))
    assert memo.get("a") is None
    assert memo.bytes_kept == 0


def test_a_digest_tells_values_shapes_and_dtypes_apart() -> None:
    tensors = [torch.zeros(4), torch.zeros(2, 2), torch.zeros(4, dtype=torch.int32), torch.ones(4), torch.zeros(8)[::2]]
    digests = [digest(tensor) for tensor in tensors]
    assert len(set(digests)) == 4
    assert digests[0] == digests[4], "how it lies in memory does not matter"


def test_a_repeated_source_reads_nothing(adapter: Adapter, sites: tuple[Site, ...], meter: Reading) -> None:
    memo = TensorMemo()
    first = image_terms([Source({STYLE: 1.0}, SEEN, NOTHING)], sites, adapter, memo)
    assert meter.octets > 0
    meter.octets = 0
    again = image_terms([Source({STYLE: 0.5}, SEEN, NOTHING)], sites, adapter, memo)
    assert meter.octets == 0
    assert same(first, again)
    assert [float(term.weight[0]) for term in again] == [0.5] * len(again), "weights are not remembered"


def test_only_what_is_new_is_read(adapter: Adapter, sites: tuple[Site, ...], meter: Reading) -> None:
    memo, both = TensorMemo(), preset_weights(Preset.STYLE_LAYOUT)
    image_terms([Source({STYLE: 1.0}, SEEN, NOTHING)], sites, adapter, memo)
    style, meter.octets = meter.octets, 0
    known = image_terms([Source(both, SEEN, NOTHING)], sites, adapter, memo)
    layout, meter.octets = meter.octets, 0
    fresh = image_terms([Source(both, SEEN, NOTHING)], sites, adapter)
    assert style + layout == meter.octets
    assert same(known, fresh)


def test_sources_share_what_is_read(adapter: Adapter, sites: tuple[Site, ...], meter: Reading) -> None:
    image_terms([Source({STYLE: 1.0}, SEEN, NOTHING)], sites, adapter)
    one, meter.octets = meter.octets, 0
    image_terms([Source({STYLE: 1.0}, tokens, NOTHING) for tokens in (SEEN, OTHER)], sites, adapter)
    assert meter.octets == one


def test_a_changed_file_is_read_anew(sites: tuple[Site, ...], tmp_path: Path) -> None:
    memo, path = TensorMemo(), tmp_path / "adapter.safetensors"
    answers = []
    for seed in (1, 2):
        adapter = open_adapter(files.save_safetensors(path, files.linear_adapter(seed=seed)))
        os.utime(path, (seed, seed))
        answers.append(image_terms([Source({STYLE: 1.0}, SEEN, NOTHING)], sites, adapter, memo))
    assert not same(*answers)


def test_a_file_that_is_gone_is_an_adapter_error(sites: tuple[Site, ...], tmp_path: Path) -> None:
    adapter = open_adapter(files.save_safetensors(tmp_path / "adapter.safetensors", files.linear_adapter()))
    adapter.path.unlink()
    with pytest.raises(AdapterError, match=r"adapter\.safetensors cannot be read"):
        image_terms([Source({STYLE: 1.0}, SEEN, NOTHING)], sites, adapter, TensorMemo())


def test_tokens_are_remembered(adapter: Adapter, meter: Reading) -> None:
    params, memo = StyleParams(enabled=True), TensorMemo()
    embeddings = Embeddings((torch.randn(1, 1280),), torch.zeros(1, 1280))
    (first,) = Sources(params, embeddings, ImageProjection(adapter, memo)).all()
    meter.octets = 0
    (again,) = Sources(params, embeddings, ImageProjection(adapter, memo)).all()
    assert meter.octets == 0
    assert torch.equal(first.tokens, again.tokens)


def test_numbers_that_are_not_finite_are_not_kept(sites: tuple[Site, ...], tmp_path: Path) -> None:
    tensors = files.linear_adapter()
    for key in tensors:
        if key.startswith("ip_adapter"):
            tensors[key][0, 0] = float("nan")
    broken = open_adapter(files.save_safetensors(tmp_path / "broken.safetensors", tensors))
    memo = TensorMemo()
    for _ in range(2):
        with pytest.raises(AdapterError, match="NaN"):
            image_terms([Source({STYLE: 1.0}, SEEN, NOTHING)], sites, broken, memo)


@pytest.mark.parametrize(
    ("preset", "limit"),
    [(Preset.STYLE, 130), (Preset.STYLE_LAYOUT, 235), (Preset.ALL, 704)],
    ids=lambda value: str(value),
)
def test_of_the_official_adapter_only_what_is_planned_is_read(
    tmp_path: Path, meter: Reading, preset: Preset, limit: int
) -> None:
    adapter = open_adapter(_empty_file(tmp_path / "ip-adapter_sdxl.safetensors", linear_shapes(1280, SDXL)))
    assert adapter.path.stat().st_size == pytest.approx(703 * MEGABYTE, rel=0.01)
    planned = [number for block, numbers in _numbers().items() if block in preset_weights(preset) for number in numbers]
    adapter.read_projection()
    assert sum(1 for _ in adapter.read_matrices(planned)) == len(planned)
    assert limit * 0.9 * MEGABYTE < meter.octets <= limit * MEGABYTE


def _numbers() -> dict[Block, list[int]]:
    depths = {"down_blocks.1": 2, "up_blocks.1": 2}
    counts = [(block, depths.get(block.name.partition(".attentions")[0], 10)) for block in ADAPTER_ORDER]
    numbers, count = {}, 0
    for block, depth in counts:
        numbers[block] = [2 * (count + layer) + 1 for layer in range(depth)]
        count += depth
    return numbers


def _empty_file(path: Path, shapes: dict[str, tuple[int, ...]]) -> Path:
    """Write a file of zeros, which takes no room on disk, in half precision."""
    header, offset = {}, 0
    for key, shape in shapes.items():
        size = 2 * torch.Size(shape).numel()
        header[key] = {"dtype": "F16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    encoded = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(encoded)) + encoded)
        file.truncate(8 + len(encoded) + offset)
    return path
