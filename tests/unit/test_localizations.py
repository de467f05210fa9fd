"""Each language has every text of the page, in the form that the host looks for, and says what the English says."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable

import pytest

from lib_instantstyle import NAME
from lib_instantstyle.params.style_params import controls
from tests.strings import LANGUAGES, ROOT, axes, choices, texts

KNOWN = {language: json.loads(path.read_text(encoding="utf-8")) for language, path in LANGUAGES.items()}
LABELS = {control.label for name, control in controls().items() if name != "enabled"}
SAME = {("fr_FR", "Style")}  # words that are the same in both languages
LETTERS = {"zh_CN": "[\u4e00-\u9fff]", "ja_JP": "[\u3040-\u30ff\u4e00-\u9fff]", "fr_FR": "[A-Za-z]"}
PROPER = (NAME, "UNet", "SDXL", "CFG", "AdaIN", "SHA-256", "CPU", "ADetailer", "ControlNet", "h94/IP-Adapter", "(Plus)")
NAMED_ELSEWHERE = ["Style", "Layout", "Adapter"]  # choices that are also a tab, blocks in the drawing, or a label
IN_WORDS = {"place:strength"}  # quoted, and no syntax
SENDS_TO = re.compile(r"(?:tab|press|under|into) ([A-Z]\w+(?: [a-z]+)*)")

OF_THE_HOST = ("PNG",)  # beginnings of tabs that its own languages name: PNG Info

pytestmark = pytest.mark.parametrize("language", KNOWN)
Judge = Callable[[str, str], bool]


def _failing(language: str, judge: Judge) -> list[str]:
    return [english for english, translation in KNOWN[language].items() if not judge(english, translation)]


def _numbers(text: str) -> Counter[str]:
    return Counter(re.findall(r"\d+(?:\.\d+)?", re.sub("img2img|txt2img", "", text)))


def test_all_texts_are_there_in_the_order_of_the_page(language: str) -> None:
    assert list(KNOWN[language]) == texts(), "`python -m tests.strings` puts them in order and says what is missing"


def test_the_file_can_be_read_and_compared(language: str) -> None:
    written = json.dumps(KNOWN[language], ensure_ascii=False, indent=2) + "\n"
    assert LANGUAGES[language].read_text(encoding="utf-8") == written


def test_nothing_is_left_in_english(language: str) -> None:
    def is_translated(english: str, translation: str) -> bool:
        differs = translation != english or (language, english) in SAME
        return differs and bool(re.search(LETTERS.get(language, r"[^\W\d_]"), translation))

    assert not _failing(language, is_translated)


def test_numbers_and_proper_names_are_kept(language: str) -> None:
    assert not _failing(language, lambda english, translation: _numbers(english) <= _numbers(translation))
    for name in PROPER:
        assert not _failing(language, lambda english, text, name=name: (name in english) == (name in text))


def test_what_is_quoted_is_kept_or_called_by_its_label(language: str) -> None:
    def is_kept(english: str, translation: str) -> bool:
        quoted = set(re.findall(r"(?<!\w)'([^']+)'(?!\w)", english)) - IN_WORDS
        return all((KNOWN[language][part] if part in LABELS else part) in translation for part in quoted)

    assert not _failing(language, is_kept)


def test_tabs_and_buttons_are_called_as_they_are_on_the_page(language: str) -> None:
    known = KNOWN[language]

    def is_named(english: str, translation: str) -> bool:
        names = (name for name in SENDS_TO.findall(english) if not name.startswith((NAME, *OF_THE_HOST)))
        labels = [max((key for key in known if name.startswith(key)), key=len) for name in names]
        return all(known[label] in translation for label in labels)

    assert not _failing(language, is_named)


def test_sentences_and_brackets_end_alike(language: str) -> None:
    def ends_alike(english: str, translation: str) -> bool:
        end = translation.rstrip()[-1]
        brackets = translation[0] + end in ("()", "（）") if english[0] == "(" else translation[0] not in "(（"
        return brackets and (english[-1] == ".") == (end in ".。") and (english[-1] != ":" or end in ":：")

    assert not _failing(language, ends_alike)


def test_choices_and_axes_show_the_english_too(language: str) -> None:
    """The box of a dropdown shows what was chosen untranslated."""
    known = KNOWN[language]
    assert [choice for choice in choices() if f"({choice})" not in known[choice]] == NAMED_ELSEWHERE
    assert all(known[axis] == f"[{NAME}] {known[label]} ({label})" for axis, label in axes().items())


def test_different_things_have_different_names(language: str) -> None:
    for group in (LABELS, choices()):
        assert len({KNOWN[language][text] for text in group}) == len(group)


def test_the_list_has_whatever_a_module_of_the_page_gives_to_show(language: str) -> None:
    page = ROOT / "lib_instantstyle/webui/page"
    for path in (*page.glob("*.py"), *page.glob("tabs/*.py")):
        shown = re.findall(r'(?:label|info|tooltip)="([^"{]+)"', path.read_text(encoding="utf-8"))
        assert set(shown) <= set(KNOWN[language]), path.name
