"""Files: pictures, adapters, image encoders, saved styles; whole, damaged, and lying about themselves."""

from __future__ import annotations

import base64
import io
import json
import struct
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from lib_instantstyle.library.saved_style import SavedStyle
from lib_instantstyle.library.style_file import decode, encode
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Kind, open_adapter
from lib_instantstyle.models.encoder_file import open_encoder
from lib_instantstyle.models.vision_tower import VisionTower
from lib_instantstyle.params.declared import Crop
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.crops import views
from lib_instantstyle.pictures.decoding import load_picture
from lib_instantstyle.pictures.formats import MAX_PIXELS, MIN_SIDE
from lib_instantstyle.pictures.regions import make_mask
from lib_instantstyle.unet.image_projection import ImageProjection
from lib_instantstyle.unet.plan import check_fits, image_terms
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.unet.sources import Sources
from tests.fuzz.trial import Target
from tests.support import files
from tests.support.unets import SmallUNet

Damage = Callable[[bytes], bytes]

# ---- damage to any file ----

_CUTS = st.floats(0, 1).map(lambda share: lambda content: content[: int(share * len(content))])
_BYTES = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6).map(
    lambda changes: lambda content: _exchanged(content, changes)
)
_FRONT = st.tuples(st.integers(0, 120), st.binary(min_size=1, max_size=12)).map(
    lambda change: lambda content: content[: change[0]] + change[1] + content[change[0] + len(change[1]) :]
)
_TAIL = st.binary(max_size=64).map(lambda more: lambda content: content + more)
_NOTHING = st.just(lambda content: content)
DAMAGE: st.SearchStrategy[Damage] = _CUTS | _BYTES | _FRONT | _TAIL | _NOTHING


def _exchanged(content: bytes, changes: list[tuple[float, int]]) -> bytes:
    octets = bytearray(content)
    for share, value in changes:
        if octets:
            octets[int(share * len(octets))] = value
    return bytes(octets)


def damaged(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.tuples(whole, DAMAGE).map(lambda pair: pair[1](pair[0])) | st.binary(max_size=200)


# ---- pictures ----

_SIZES = st.sampled_from([(16, 16), (20, 33), (64, 48), (15, 40), (1, 1), (16, 1700), (240, 16)])
_MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I"), "JPEG": ("L", "RGB", "CMYK"),
          "WEBP": ("RGB", "RGBA"), "GIF": ("L", "P", "RGB"), "BMP": ("1", "L", "P", "RGB"),
          "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "F", "YCbCr", "LAB"),
          "EPS": ("L", "RGB", "CMYK")}  # fmt: skip
_KINDS = [(form, mode) for form, modes in _MODES.items() for mode in modes]


def _drawn(mode: str, size: tuple[int, int]) -> Image.Image:
    width, height = size
    ramp = np.linspace(0, 1, width * height).reshape(height, width)
    if mode == "I;16":
        return Image.fromarray((ramp * 65535).astype(np.uint16))
    if mode == "I":
        return Image.fromarray((ramp * 70000).astype(np.int32))
    if mode == "F":
        return Image.fromarray(np.where(ramp > 0.9, np.nan, ramp * 300).astype(np.float32))
    return Image.fromarray((ramp * 255).astype(np.uint8)).convert("RGB" if mode == "LAB" else mode)


def _saved(kind: tuple[str, str], size: tuple[int, int], orientation: int, frames: int) -> bytes:
    form, mode = kind
    image, exif, buffer = _drawn(mode, size), Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"exif": exif} if form in ("PNG", "JPEG", "WEBP", "TIFF") else {}
    if mode == "P":
        options["transparency"] = 0
    if frames > 1 and form in ("GIF", "WEBP", "TIFF", "PNG"):
        options |= {"save_all": True, "append_images": [image] * (frames - 1)}
    image.save(buffer, form, **options)
    return buffer.getvalue()


_PICTURES = st.builds(
    _saved, st.sampled_from(_KINDS), _SIZES, st.sampled_from([1, 3, 6, 8, 9, 65535]), st.integers(1, 3)
)


def _lying_png(width: int, height: int) -> bytes:
    """A small PNG that says it is large: decoding begins with the memory for what it says."""
    whole = _saved(("PNG", "L"), (16, 16), 1, 1)
    header = struct.pack(">II", width, height) + whole[24:29]
    return whole[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + whole[33:]


_BOMBS = st.builds(
    _lying_png, st.sampled_from([16, 4000, 20_000, 2**31 - 1]), st.sampled_from([16, 4000, 20_000, 2**31 - 1])
)
_CARRIERS: tuple[Callable[[bytes], Any], ...] = (
    lambda content: base64.b64encode(content).decode(),
    lambda content: f"data:image/png;base64,{base64.b64encode(content).decode()}",
    lambda content: {"image": base64.b64encode(content).decode(), "mask": None},
    lambda content: [base64.b64encode(content).decode()],
    lambda content: content.decode("latin-1"),
)
PICTURES = st.tuples(damaged(_PICTURES) | _BOMBS, st.sampled_from(_CARRIERS)).map(lambda pair: pair[1](pair[0]))


def _use_picture(value: Any) -> None:
    picture = load_picture(value)
    if picture is None:
        return
    width, height = picture.image.size
    assert picture.image.mode == "RGB"
    assert min(width, height) >= MIN_SIDE
    assert width * height <= MAX_PIXELS
    for crop in Crop:
        assert all(view.size == (32, 32) for view in views(picture.image, crop, 32))
    make_mask(picture.image)


# ---- files of tensors ----

_DTYPES = ("F32", "F16", "BF16", "F64", "I64", "I8", "BOOL", "U16", "F8_E4M3", "nonsense")
_SHAPES = st.lists(st.sampled_from([0, 1, 2, 4, 8, 32, 128, 10**12, 2**63, -1]), max_size=4)


def _split(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def _joined(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def _with_entry(number: int, change: dict[str, Any]) -> Damage:
    def lie(content: bytes) -> bytes:
        header, data = _split(content)
        key = sorted(header)[number % len(header)]
        return _joined({**header, key: {**header[key], **change}}, data)

    return lie


def _renamed(number: int, name: str) -> Damage:
    def lie(content: bytes) -> bytes:
        header, data = _split(content)
        key = sorted(header)[number % len(header)]
        return _joined({name if known == key else known: entry for known, entry in header.items()}, data)

    return lie


def _with_length(length: int) -> Damage:
    return lambda content: struct.pack("<Q", length) + content[8:]


def _with_numbers(octets: bytes) -> Damage:
    """Write the same number everywhere: NaN, infinity, the largest."""

    def lie(content: bytes) -> bytes:
        header, data = _split(content)
        return _joined(header, (octets * len(data))[: len(data)])

    return lie


_ENTRIES = (
    st.fixed_dictionaries({"dtype": st.sampled_from(_DTYPES)})
    | st.fixed_dictionaries({"shape": _SHAPES})
    | st.fixed_dictionaries({"data_offsets": st.lists(st.sampled_from([0, 4, 8, 1024, 2**40, -4]), max_size=3)})
    | st.fixed_dictionaries({"shape": _SHAPES, "data_offsets": st.just([0, 0])})
)
_KEYS = st.sampled_from(["__metadata__", "", "ip_adapter.1.to_k_ip.weight", "ip_adapter.99999999999.to_k_ip.weight",
                         "image_proj.latents", "image_proj.proj.weight", "image_proj.layers.0.0.to_q.weight",
                         "style.1", "nothing", "\u202e", "x" * 5000])  # fmt: skip
_LIES = (
    st.builds(_with_entry, st.integers(0, 200), _ENTRIES)
    | st.builds(_renamed, st.integers(0, 200), _KEYS)
    | st.builds(_with_length, st.sampled_from([0, 1, 2**20, 2**31, 2**63, 2**64 - 1]))
    | st.builds(
        _with_numbers, st.sampled_from([b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\xff\xff\x7f\x7f", b"\xff", b"\0"])
    )
)


def _lying(whole: bytes) -> st.SearchStrategy[bytes]:
    return _LIES.map(lambda lie: lie(whole)) | DAMAGE.map(lambda damage: damage(whole)) | st.binary(max_size=200)


def _in_file(name: str, use: Callable[[Path], None]) -> Callable[[bytes], None]:
    def used(content: bytes) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_bytes(content)
            use(path)

    return used


UNET = SmallUNet()
LINEAR = save(files.linear_adapter(embedding=8))
PLUS = save(files.plus_adapter(hidden=8))


def _pickled() -> bytes:
    buffer = io.BytesIO()
    torch.save(files.linear_adapter(embedding=8), buffer)
    return buffer.getvalue()


def _use_adapter(path: Path) -> None:
    adapter = open_adapter(path)
    sites = enumerate_sites(UNET)
    check_fits(adapter, sites)
    width = min(adapter.embedding_width, 1 << 16)  # the encoder's, which must be the same, is a real one's
    seen = torch.ones(1, width) if adapter.kind is Kind.LINEAR else torch.ones(1, 5, width)
    params = StyleParams(enabled=True, preset="All blocks")  # type: ignore[arg-type]
    sources = Sources(params, Embeddings((seen,), torch.zeros_like(seen)), ImageProjection(adapter))
    terms = image_terms(sources.all(), sites, adapter)
    assert len(terms) == len(sites)
    assert all(
        torch.isfinite(term.key).all() and torch.isfinite(term.value).all() and term.key.numel() for term in terms
    )


TOWER = save({key: tensor.contiguous() for key, tensor in files.vision_tower(48, 32).state_dict().items()})
TOWER_CONFIG = files.vision_tower(48, 32).config.to_dict()
_VALUES = st.sampled_from([0, 1, -1, 7, 48, 224, 0.5, "gelu", "no such thing", None, [], {}, True])
CONFIGS = st.dictionaries(st.sampled_from(["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                                           "image_size", "patch_size", "hidden_act", "layer_norm_eps", "vision_config"]),
                          _VALUES, max_size=2)  # fmt: skip
TOWERS = st.tuples(_lying(TOWER), st.just({}) | CONFIGS)


def _use_tower(value: tuple[bytes, dict[str, Any]]) -> None:
    content, changes = value
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "model.safetensors").write_bytes(content)
        (folder / "config.json").write_text(json.dumps({**TOWER_CONFIG, **changes}), encoding="utf-8")
        tower = VisionTower(open_encoder(folder), torch.device("cpu"))
        assert torch.isfinite(tower.encode(Image.new("RGB", (32, 32)), Kind.LINEAR)).all()


STYLE = encode(
    SavedStyle(Kind.LINEAR, 8, Embeddings((torch.ones(1, 8),), torch.zeros(1, 8)), {"style_weight": 0.8}, b"png")
)


def _use_style(content: bytes) -> None:
    style = decode(content, "mine")
    assert all(torch.isfinite(embedding).all() for embedding in style.embeddings.style)
    assert style.params().enabled


TARGETS = (
    Target("pictures", PICTURES, _use_picture),
    Target("adapters, linear", _lying(LINEAR), _in_file("a.safetensors", _use_adapter)),
    Target("adapters, plus", _lying(PLUS), _in_file("a.safetensors", _use_adapter)),
    Target("adapters, pickled", damaged(st.just(_pickled())), _in_file("a.bin", _use_adapter)),
    Target("image encoders", TOWERS, _use_tower),
    Target("saved styles", _lying(STYLE), _use_style),
)
