"""Style files: what is saved is read back; what others hand over as a style file is read with care."""

import base64
import json
import pickle
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save

from lib_instantstyle.errors import StyleError
from lib_instantstyle.library import style_file
from lib_instantstyle.library.saved_style import SETTINGS, SavedStyle, settings_of
from lib_instantstyle.library.style_file import decode, encode, fingerprint, read
from lib_instantstyle.library.style_name import check_name
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.params.style_params import StyleParams

GENERATOR = torch.Generator().manual_seed(9)
COVER = "ssmd_cover_images"


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=GENERATOR)


def linear(count: int = 1, **others: torch.Tensor) -> SavedStyle:
    embeddings = Embeddings(tuple(random(1, 1280) for _ in range(count)), torch.zeros(1, 1280), **others)
    return SavedStyle(Kind.LINEAR, 1280, embeddings, {"style_weight": 0.8, "content": "a cat, balloons"})


def plus() -> SavedStyle:
    style = (random(1, 17, 48), random(3, 17, 48))  # one reference as it is, one in three tiles
    embeddings = Embeddings(style, random(1, 17, 48), layout=random(1, 17, 48), negative=random(2, 17, 48))
    return SavedStyle(Kind.PLUS, 48, embeddings, {"preset": "Style + layout", "layout_weight": 0.5})


ALL = {
    "linear": linear(),
    "eight references": linear(8),
    "layout and negative": linear(2, layout=random(1, 1280), negative=random(4, 1280)),
    "plus": plus(),
}


def assert_same(read_back: SavedStyle, style: SavedStyle) -> None:
    assert (read_back.kind, read_back.width) == (style.kind, style.width)
    assert read_back.settings == style.settings
    assert read_back.thumbnail == style.thumbnail
    pairs = [(getattr(read_back.embeddings, name), getattr(style.embeddings, name)) for name in ("layout", "negative")]
    pairs += [(read_back.embeddings.nothing, style.embeddings.nothing)]
    pairs += list(zip(read_back.embeddings.style, style.embeddings.style, strict=True))
    for ours, theirs in pairs:
        assert (ours is None) == (theirs is None)
        assert ours is None or torch.equal(ours, theirs)
    assert read_back.embeddings.subject is None


@pytest.mark.parametrize("style", ALL.values(), ids=list(ALL))
def test_what_is_saved_is_read_back(style: SavedStyle, tmp_path: Path) -> None:
    content = encode(style)
    assert_same(decode(content, "mine"), style)
    path = tmp_path / "mine.safetensors"
    path.write_bytes(content)
    assert_same(read(path, "mine"), style)


def test_the_thumbnail_lies_where_the_webui_looks_for_covers(tmp_path: Path) -> None:
    style = SavedStyle(Kind.LINEAR, 1280, linear().embeddings, {}, b"\x89PNG picture")
    path = tmp_path / "mine.safetensors"
    path.write_bytes(encode(style))
    with safe_open(str(path), framework="pt") as file:
        assert base64.b64decode(json.loads(file.metadata()["ssmd_cover_images"])[0]) == b"\x89PNG picture"
    assert read(path, "mine").thumbnail == b"\x89PNG picture"


def test_a_linear_style_is_small() -> None:
    assert len(encode(linear())) < 16 * 1024


def test_the_file_holds_embeddings_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(encode(ALL["layout and negative"]))
    assert set(load_file(str(path))) == {"style.0", "style.1", "layout", "negative"}
    with safe_open(str(path), framework="pt") as file:
        assert set(file.metadata()) == {"format", "kind", "settings", COVER}


def test_the_fingerprint_is_of_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    path.write_bytes(encode(linear()))
    before = fingerprint(path)
    path.write_bytes(encode(SavedStyle(Kind.LINEAR, 1280, linear().embeddings, {"style_weight": 0.7})))
    assert len(before) == 64
    assert fingerprint(path) != before


WISHES = [
    StyleParams(enabled=True),
    StyleParams(enabled=True, preset="Style + layout", layout_weight=0.4, content="a cat:0.8", content_strength=0.7),
    StyleParams(enabled=True, preset="Custom", blocks="style:1, layout.1:0.3"),
    StyleParams(enabled=True, combine="Concatenate", crop="Tiles", weights="1, 0.5", removal="Mask"),
    StyleParams(enabled=True, anti_layout=2.0, prompt_colours=0.5, curve="0:0.4, 1:0", start=0.1, end=0.9),
    StyleParams(enabled=True, hires_curve="Fade out", hires_start=0.2, hires_end=0.8),
    StyleParams(enabled=True, preset="Style", blocks="layout:1"),  # a leftover of the accordion
]


@pytest.mark.parametrize("params", WISHES, ids=[str(settings_of(params)) for params in WISHES])
def test_settings_survive_in_a_file(params: StyleParams) -> None:
    style = SavedStyle(Kind.LINEAR, 1280, linear().embeddings, settings_of(params))
    found = decode(encode(style), "mine").params()
    assert found.block_weights == params.block_weights
    for name in SETTINGS:
        if name != "blocks":
            assert getattr(found, name) == getattr(params, name)


def test_a_style_keeps_nothing_of_one_picture_or_one_machine() -> None:
    params = StyleParams(
        enabled=True,
        image=object(),
        adapter="mine",
        reference="a" * 64,
        passes="First pass",
        subject_weight=0.2,
        style="x",
    )
    assert settings_of(params) == {}


@pytest.mark.parametrize(
    "name", ["watercolour", "Ölkreide 2", "水彩", "it's (new) - v1.2_b", "x", "x" * 64, "  spaced  ", "7th", "a..b"]
)
def test_names_that_are_taken(name: str) -> None:
    assert check_name(name) == name.strip()


REFUSED = ["../x", "..", ".", "a/b", "a\\b", "/etc/passwd", "C:\\x", ".x", "-x", "_x", "con", "CON", "Nul",
           "com1", "LPT9", "nul.txt", "con.a.b", "x" * 65, "a:b", "<a>", "a>b", "a|b", "a?b", "a*b", 'a"b', "a\0b", "a\nb",
           "a\tb", "x.", "x. ", "a\u202eb", "a\u200bb", "%2e%2e", "a,b", "a;b", "{a}", "$HOME", "`a`"]  # fmt: skip


@pytest.mark.parametrize("name", ["", "   "], ids=repr)
def test_a_name_is_asked_for(name: str) -> None:
    with pytest.raises(StyleError, match="Give the style a name first"):
        check_name(name)


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(StyleError, match="cannot be the name of a style"):
        check_name(name)


@pytest.mark.parametrize(
    "name", ["\U00020000" * 64, "COM\u00b9", "con .txt"], ids=["256 bytes", "superscript", "space"]
)
def test_names_that_only_some_file_systems_refuse(name: str, tmp_path: Path) -> None:
    """Linux: at most 255 bytes. Windows: COM¹ is COM1, and 'con .txt' is con."""
    with pytest.raises(StyleError, match="cannot be the name of a style"):
        check_name(name)


@given(st.text(max_size=80))
def test_no_name_leaves_its_folder(name: str) -> None:
    try:
        taken = check_name(name)
    except StyleError:
        return
    assert Path(f"styles/{taken}.safetensors").parent == Path("styles")
    assert not set(taken) & set('/\\:*?"<>|\0\n\r')
    assert taken[0] not in ".-_ "


def file(tensors: dict[str, torch.Tensor] | None = None, **metadata: str | None) -> bytes:
    """A style file with anything in it; metadata given as None is left out."""
    full = {"format": "instantstyle-1", "kind": "linear", "settings": "{}", **metadata}
    return save(tensors or {"style.0": random(1, 8)}, {key: text for key, text in full.items() if text is not None})


def wishing(**values: Any) -> bytes:
    return file(settings=json.dumps(values))


GOOD = encode(linear())
HUGE_HEADER = struct.pack("<Q", 2**62) + GOOD[8:]
INFINITE = torch.full((1, 8), float("inf"))
PLUS = {"style.0": torch.zeros(1, 5, 8), "nothing": torch.zeros(1, 5, 8)}

HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cannot be used"),
    "truncated": (GOOD[:-100], "cannot be used"),
    "header only": (GOOD[:200], "cannot be used"),
    "eight bytes": (GOOD[:8], "cannot be used"),
    "more than it says": (GOOD + b"x" * 100, "cannot be used"),
    "header length bomb": (HUGE_HEADER, "is not an InstantStyle style, or is damaged: it cannot be used"),
    "pickle": (pickle.dumps({"style.0": [1.0]}), "cannot be used"),
    "text": (b"a style, honestly", "cannot be used"),
    "zeros": (bytes(5000), "cannot be used"),
    "no metadata": (save({"style.0": torch.zeros(1, 8)}), "no style saved by this extension"),
    "no format": (file(format=None), "no style saved by this extension"),
    "another format": (file(format="instantstyle-3"), "its format is 'instantstyle-3'"),
    "a LoRA": (save({"lora_up.weight": torch.zeros(4, 4)}, {"format": "pt"}), "its format is 'pt'"),
    "no kind": (file(kind=None), "cannot be used"),
    "unknown kind": (file(kind="faceid"), "'faceid'"),
    "foreign tensor": (file({"style.0": torch.zeros(1, 8), "mask": torch.zeros(1, 8)}), "other tensors"),
    "subject": (file({"style.0": torch.zeros(1, 8), "subject": torch.zeros(1, 8)}), "other tensors"),
    "ninth reference": (file({"style.0": torch.zeros(1, 8), "style.8": torch.zeros(1, 8)}), "other tensors"),
    "no reference": (file({"layout": torch.zeros(1, 8)}), "other tensors"),
    "gap": (file({"style.0": torch.zeros(1, 8), "style.2": torch.zeros(1, 8)}), "cannot be used"),
    "no dimension": (file({"style.0": torch.tensor(1.0)}), "style.0 is no embedding"),
    "one dimension": (file({"style.0": torch.zeros(8)}), "style.0 is no embedding"),
    "three dimensions": (file({"style.0": torch.zeros(1, 5, 8)}), "style.0 is no embedding"),
    "no rows": (file({"style.0": torch.zeros(0, 8)}), "style.0 is no embedding"),
    "no width": (file({"style.0": torch.zeros(1, 0)}), "style.0 is no embedding"),
    "nine rows": (file({"style.0": torch.zeros(9, 8)}), "style.0 is no embedding"),
    "two widths": (file({"style.0": torch.zeros(1, 8), "layout": torch.zeros(1, 9)}), "layout is no embedding"),
    "plus without nothing": (file({"style.0": torch.zeros(1, 5, 8)}, kind="plus"), "cannot be used"),
    "plus in two dimensions": (file({**PLUS, "style.0": torch.zeros(1, 8)}, kind="plus"), "style.0 is no embedding"),
    "plus without patches": (file({**PLUS, "style.0": torch.zeros(1, 0, 8)}, kind="plus"), "style.0 is no embedding"),
    "NaN": (file({"style.0": torch.full((1, 8), float("nan"))}), "style.0 is no embedding"),
    "infinity": (file({"style.0": torch.zeros(1, 8), "negative": INFINITE}), "negative is no embedding"),
    "double": (file({"style.0": torch.zeros(1, 8, dtype=torch.float64)}), "torch.float64"),
    "half": (file({"style.0": torch.zeros(1, 8, dtype=torch.float16)}), "torch.float16"),
    "integers": (file({"style.0": torch.zeros(1, 8, dtype=torch.int64)}), "torch.int64"),
    "truths": (file({"style.0": torch.zeros(1, 8, dtype=torch.bool)}), "torch.bool"),
    "no settings": (file(settings=None), "cannot be used"),
    "settings not JSON": (file(settings="{style_weight: 1}"), "cannot be used"),
    "settings a list": (file(settings='["style_weight"]'), "settings are no dict"),
    "settings null": (file(settings="null"), "settings are no dict"),
    "settings too deep": (file(settings="[" * 100_000), "cannot be used"),
    "endless number": (file(settings='{"style_weight": ' + "9" * 10_000 + "}"), "cannot be used"),
    "unknown setting": (wishing(colour="red"), "'colour', which no style has"),
    "picture": (wishing(image="aGVsbG8="), "'image', which no style has"),
    "address": (wishing(images=["http://example.org/a.png"]), "'images', which no style has"),
    "masks": (wishing(masks=["aGVsbG8="]), "'masks', which no style has"),
    "enabled": (wishing(enabled=True), "'enabled', which no style has"),
    "style in style": (wishing(style="another"), "'style', which no style has"),
    "adapter": (wishing(adapter="../../x"), "'adapter', which no style has"),
    "weight out of range": (wishing(style_weight=99), "Style weight .* must be between -1 and 3"),
    "weight NaN": (file(settings='{"style_weight": NaN}'), "Style weight .* must be between"),
    "weight a text": (wishing(style_weight="1"), "Style weight .* must be a number"),
    "weight a list": (wishing(style_weight=[1]), "Style weight .* must be a number"),
    "unknown preset": (wishing(preset="Colour"), "Preset .* must be one of"),
    "preset a dict": (wishing(preset={}), "Preset .* must be one of"),
    "bad blocks": (wishing(preset="Custom", blocks="head:1"), "No UNet block is called 'head'"),
    "bad curve": (wishing(curve="0.5"), "no point and no shape"),
    "endless text": (wishing(content="a" * 9000), "9000 characters long"),
    "cover not JSON": (file(ssmd_cover_images="["), "cannot be used"),
    "cover too deep": (file(ssmd_cover_images="[" * 100_000), "cannot be used"),
    "cover a dict": (file(ssmd_cover_images="{}"), "no list of texts"),
    "cover a number": (file(ssmd_cover_images="[1]"), "no list of texts"),
    "cover not base64": (file(ssmd_cover_images='["?!"]'), "cover picture is damaged"),
    "cover cut off": (file(ssmd_cover_images='["abc"]'), "cover picture is damaged"),
    "cover not ASCII": (file(ssmd_cover_images='["ä"]'), "cannot be used"),
}  # fmt: skip


@pytest.mark.parametrize(("content", "message"), HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_files_are_refused_with_a_reason(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(StyleError, match=message) as raised:
        decode(content, "mine")
    assert "mine" in str(raised.value)
    assert len(str(raised.value)) < 500
    path = tmp_path / "mine.safetensors"
    path.write_bytes(content)
    with pytest.raises(StyleError, match="mine"):
        read(path, "mine")


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(StyleError, match="mine"):
            read(path, "mine")


def test_a_file_of_the_largest_size_is_read_and_a_byte_more_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    content = file()
    monkeypatch.setattr(style_file, "MAX_BYTES", len(content))
    assert decode(content, "mine").width == 8
    with pytest.raises(StyleError, match="The style mine is"):
        decode(content + b" ", "mine")
    path = tmp_path / "mine.safetensors"
    path.write_bytes(content + b" ")
    with pytest.raises(StyleError, match="too large"):
        read(path, "mine")


def test_a_cover_picture_has_a_limit() -> None:
    with pytest.raises(StyleError, match="cover picture is too large"):
        decode(file(ssmd_cover_images=json.dumps(["A" * (3 << 20)])), "mine")


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_no_damage_does_worse_than_a_style_error(data: st.DataObject) -> None:
    """Bytes of the header are exchanged, the file is cut."""
    content = bytearray(encode(SMALL))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.none() | st.integers(0, len(content)))
    try:
        style = decode(bytes(content[:cut]), "mine")
    except StyleError:
        return
    assert all(torch.isfinite(embedding).all() for embedding in style.embeddings.style)
    assert style.params().enabled


SMALL = SavedStyle(Kind.LINEAR, 2, Embeddings((random(1, 2),), torch.zeros(1, 2)), {"style_weight": 0.8}, b"png")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(SETTINGS), JSON, max_size=4) | JSON)
def test_no_settings_do_worse_than_a_style_error(values: Any) -> None:
    try:
        decode(file(settings=json.dumps(values)), "mine").params()
    except StyleError:
        return
