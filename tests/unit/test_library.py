"""The style library on disk: names in any script, twins, files that cannot be used, and that nothing is read twice."""

from __future__ import annotations

import logging
import os
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import StyleError, UnknownStyleError
from lib_instantstyle.library import style_index
from lib_instantstyle.library.saved_style import SavedStyle
from lib_instantstyle.library.style_file import encode
from lib_instantstyle.library.style_library import StyleLibrary, content_of
from lib_instantstyle.library.style_name import check_name, composed, folded, is_name
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Kind
from lib_instantstyle.params.tags import StyleTag, read_tags


def style(weight: float = 1.0) -> SavedStyle:
    embeddings = Embeddings((torch.full((1, 8), weight),), torch.zeros(1, 8))
    return SavedStyle(Kind.LINEAR, 8, embeddings, {"style_weight": weight} if weight != 1.0 else {})


@pytest.fixture
def library(tmp_path: Path) -> StyleLibrary:
    return StyleLibrary(tmp_path / "styles")


def put(library: StyleLibrary, *stems: str) -> None:
    """Write styles as a file manager does: under these very names, each with another weight."""
    library.folder.mkdir(exist_ok=True)
    for number, stem in enumerate(stems):
        (library.folder / f"{stem}.safetensors").write_bytes(encode(style(0.1 * (number + 1))))


# ---- names ----

SCRIPTS = {
    "Thai": "หมึกจีน", "Hindi": "स्याही", "Tamil": "மை ஓவியம்", "Arabic": "حِبْر", "Hebrew": "דְּיוֹ", "Bengali": "কালি", "Khmer": "ទឹកខ្មៅ",
    "Burmese": "မှင်", "Tibetan": "སྣག་ཚ"[:3], "Telugu": "సిరా", "Malayalam": "മഷി", "Persian": "نقاشی‌ها", "Sinhala": "තීන්ත ක්‍රම",
    "Vietnamese": "mực tàu", "Korean": "먹그림", "Greek": "μελάνι", "Yoruba": "ẹ̀yìn", "Japanese": "水墨ガ々ー",
}  # fmt: skip


@pytest.mark.parametrize("name", SCRIPTS.values(), ids=list(SCRIPTS))
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_style_is_called_in_any_script(library: StyleLibrary, name: str, form: str) -> None:
    """Saved, listed, found, named by a tag, replaced and deleted, whichever form asks and whichever lies on the disk."""
    asked = unicodedata.normalize(form, name)
    library.keep(asked, style())
    assert library.names() == [unicodedata.normalize("NFC", name)]
    for other in ("NFC", "NFD"):
        spelt = unicodedata.normalize(other, name)
        assert library.existing(spelt).name == library.names()[0]
        assert read_tags([(spelt, "0.5"), (asked, "0.5")], library.called) == [StyleTag(library.names()[0], 1.0)]
        with pytest.raises(StyleError, match="already"):
            library.keep(spelt, style())
    library.keep(asked, style(0.5), replace=True)
    assert library.find(name).settings == {"style_weight": 0.5}
    library.delete(asked)
    assert library.names() == []


@pytest.mark.parametrize("name", ["Ölkreide é", "ガラス", "한글", "क़लम", "ẹ̀yìn"])
def test_a_file_that_a_mac_wrote_is_found(library: StyleLibrary, name: str) -> None:
    put(library, unicodedata.normalize("NFD", name))
    listed = unicodedata.normalize("NFC", name)
    assert library.names() == [listed]
    assert library.existing(listed).path.is_file()
    library.keep(listed, style(0.7), replace=True)  # the same file, not a second one
    assert len(list(library.folder.iterdir())) == 1
    library.delete(listed)
    assert not list(library.folder.iterdir())


REFUSED = [
    "\u0301a", "\u0e36ก", "- \u0301", "a-\u0301", "(\u0301)", "a\u034fb", "a\ufe0f", "水\U000e0100", "ក\u17b4", "a\u20dd", "a\x01", "é\x01", "水\x01",
    "a\u200db", "\u200cن", "ن\u200c", "ن\u200c\u200cن", "水 \u200c水", "1\u200c2", "a\u037eb", "a\u0338/", "a\ud800",
]  # fmt: skip


@pytest.mark.parametrize("name", REFUSED, ids=ascii)
def test_marks_and_joiners_belong_to_letters(name: str) -> None:
    """And none may be invisible, which would only make twins; U+037E is another semicolon."""
    with pytest.raises(StyleError, match="cannot be the name of a style"):
        check_name(name)


@given(st.text(st.characters(min_codepoint=1), max_size=80))
def test_a_name_that_is_taken_stays_a_name(name: str) -> None:
    composed_name = composed(name)
    if is_name(composed_name):
        assert check_name(composed_name) == composed_name
        assert folded(composed_name) == folded(unicodedata.normalize("NFD", composed_name))
        assert not set(composed_name) & set('/\\:*?"<>|\0\n\r')
        assert len(composed_name.encode()) <= 200


def test_bytes_are_counted_as_they_are_written() -> None:
    assert check_name("ก" * 64)
    assert check_name("e\u0301" * 64) == "é" * 64
    with pytest.raises(StyleError):
        check_name("\U00011103" * 51)  # 204 bytes


# ---- twins ----


def test_twins_in_case_are_two_styles(library: StyleLibrary) -> None:
    put(library, "Ink", "ink")
    assert library.names() == ["Ink", "ink"]
    assert [library.find(name).settings["style_weight"] for name in library.names()] == pytest.approx([0.1, 0.2])
    with pytest.raises(UnknownStyleError, match=r"no saved style 'INK'. There are: Ink, ink\."):
        library.find("INK")
    library.keep("ink", style(0.9), replace=True)
    assert [library.find(name).settings["style_weight"] for name in library.names()] == pytest.approx([0.1, 0.9])
    tags = read_tags([("Ink", "1"), ("ink", "0.5"), ("Ink", "0.5")], library.called)
    assert tags == [StyleTag("Ink", 1.5), StyleTag("ink", 0.5)]
    library.delete("Ink")
    with pytest.raises(UnknownStyleError):
        library.delete("Ink")  # pressed twice
    assert library.names() == ["ink"]


@pytest.mark.parametrize(("kept", "asked"), [("ink", "Ink"), ("Ölkreide", "ölkreide"), ("МУСКАТ", "мускат")])
def test_only_deleting_asks_for_the_case(library: StyleLibrary, kept: str, asked: str) -> None:
    put(library, kept)
    assert library.existing(asked).name == kept
    assert read_tags([(asked, "0.5"), (kept, "0.5")], library.called) == [StyleTag(kept, 1.0)]
    with pytest.raises(StyleError, match="already"):
        library.keep(asked, style())
    with pytest.raises(UnknownStyleError, match=f"no saved style '{asked}'"):
        library.delete(asked)
    assert library.names() == [kept]


def test_what_only_sounds_alike_is_no_twin(library: StyleLibrary) -> None:
    put(library, "Maße")
    library.keep("Masse", style())
    assert library.names() == ["Masse", "Maße"]


def test_twins_in_form_are_two_styles(library: StyleLibrary) -> None:
    nfc, nfd = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    put(library, nfc, nfd)
    assert library.names() == [nfd, nfc]  # the second keeps its own spelling
    assert [library.find(name).settings["style_weight"] for name in (nfc, nfd)] == pytest.approx([0.1, 0.2])
    library.delete(nfd)
    assert [path.name for path in library.folder.iterdir()] == [f"{nfc}.safetensors"]


def test_a_file_named_with_surrounding_space_costs_nobody(library: StyleLibrary) -> None:
    put(library, "ink ", " wash", "ink")
    assert library.names() == ["ink", "ink ", "wash"]
    library.delete("ink ")
    library.delete("wash")
    assert library.names() == ["ink"]


def test_a_style_takes_its_own_companions_along_and_no_others(library: StyleLibrary) -> None:
    put(library, "Ink", "ink", "Ink.preview")
    for name in ("Ink.png", "Ink.json", "Ink.txt", "ink.png", "ink.json", "Ink.preview.png", "Ink.preview.preview.png"):
        (library.folder / name).touch()
    library.delete("Ink")
    left = [
        "Ink.preview.png",
        "Ink.preview.preview.png",
        "Ink.preview.safetensors",
        "ink.json",
        "ink.png",
        "ink.safetensors",
    ]
    assert sorted(path.name for path in library.folder.iterdir()) == left


# ---- files that cannot be used ----


def folder(path: Path) -> None:
    path.mkdir()


def dangling(path: Path) -> None:
    path.symlink_to(path.parent / "nowhere")


def circle(path: Path) -> None:
    path.symlink_to(path)


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "folder": folder, "dangling link": dangling, "circle": circle, "pipe": os.mkfifo,
    "empty": Path.touch, "damaged": lambda path: path.write_bytes(b"\xff" * 64),
    "cut off": lambda path: path.write_bytes(encode(style())[:-1]),
    "wrong settings": lambda path: path.write_bytes(encode(style()).replace(b"0.5", b"9.5")),
}  # fmt: skip
LISTED = {"empty", "damaged", "cut off"}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_an_unusable_file_costs_its_own_line(library: StyleLibrary, kind: str) -> None:
    put(library, "good")
    UNUSABLE[kind](library.folder / "bad.safetensors")
    errors = {entry.name: library.facts(entry).error for entry in library.entries()}
    assert errors.pop("good") == ""
    assert library.find("good")
    if kind in LISTED:
        assert "bad" in errors["bad"]
        library.delete("bad")
        assert library.names() == ["good"]


def refusing(path: Path, original: Callable[..., object]) -> Callable[..., object]:
    """Like ``original``, but for ``path`` as on a file of another account: tests may run as root."""

    def refuse(asked: Path, *args: object, **options: object) -> object:
        if Path(asked) == path:
            raise PermissionError(13, "Permission denied", str(path))
        return original(asked, *args, **options)

    return refuse


def test_a_file_that_may_not_be_read_is_read_once_it_may(
    library: StyleLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(library, "good", "other's")
    path = library.folder / "other's.safetensors"
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refusing(path, Path.read_bytes))
        message = "The style other's cannot be read: Permission denied. Check that its file is there and may be read."
        assert [library.facts(entry).error for entry in library.entries()] == ["", message]
        for read in (library.find, lambda _name: content_of(path)):
            with pytest.raises(StyleError, match="cannot be read: Permission denied"):
                read("other's")
    assert [library.facts(entry).error for entry in library.entries()] == ["", ""]


def test_a_folder_that_may_not_be_read_is_told(
    library: StyleLibrary, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    put(library, "ink")
    monkeypatch.setattr(os, "scandir", refusing(library.folder, os.scandir))
    with caplog.at_level(logging.WARNING, "instantstyle"):
        assert library.names() == []
    assert f"The style library {library.folder} cannot be read: Permission denied." in caplog.text
    for action in (library.find, library.delete, lambda name: library.keep(name, style())):
        with pytest.raises(StyleError, match=r"The style library .* cannot be read"):
            action("ink")


@pytest.mark.parametrize("made", [folder, Path.touch], ids=["empty", "a file"])
def test_a_library_without_styles(library: StyleLibrary, made: Callable[[Path], object]) -> None:
    assert library.names() == []
    made(library.folder)
    assert library.names() == []


def test_what_cannot_be_deleted_is_told(library: StyleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    put(library, "ink")
    monkeypatch.setattr(Path, "unlink", refusing(library.folder / "ink.safetensors", Path.unlink))
    with pytest.raises(StyleError, match=r"The style 'ink' cannot be deleted from .*: Permission denied"):
        library.delete("ink")


# ---- nothing is read twice ----


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the styles whose files were read."""
    names: list[str] = []
    original = style_index.read_whole

    def counting(path: Path, name: str) -> object:
        names.append(name)
        return original(path, name)

    monkeypatch.setattr(style_index, "read_whole", counting)
    return names


def facts_of_all(library: StyleLibrary) -> list[style_index.StyleFacts]:
    return [library.facts(entry) for entry in library.entries()]


def test_a_file_is_read_when_it_has_changed(library: StyleLibrary, read: list[str]) -> None:
    put(library, "a", "b", "c")
    (library.folder / "d.safetensors").write_bytes(b"damaged")
    before = facts_of_all(library)
    assert facts_of_all(library) == before
    assert read == ["a", "b", "c", "d"]
    library.keep("b", style(0.4), replace=True)  # of the same size and perhaps within the clock's resolution
    os.utime(library.folder / "c.safetensors", ns=(0, 0))
    library.delete("a")
    put(library, "e")
    after = facts_of_all(library)
    assert read[4:] == ["b", "c", "e"]
    assert after[0].settings == {"style_weight": 0.4}
    assert after[1] == before[2]
    assert len(after) == 4


def test_twins_that_swap_names_are_not_confused(library: StyleLibrary) -> None:
    put(library, "Ink", "ink")
    before = facts_of_all(library)
    (library.folder / "Ink.safetensors").rename(library.folder / "x")
    (library.folder / "ink.safetensors").rename(library.folder / "Ink.safetensors")
    (library.folder / "x").rename(library.folder / "ink.safetensors")
    assert [facts.settings for facts in facts_of_all(library)] == [facts.settings for facts in reversed(before)]
