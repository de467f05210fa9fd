"""What a style may be called, in any script, and which spellings of a name are the same."""

from __future__ import annotations

import functools
import re
import unicodedata

from lib_instantstyle.errors import StyleError
from lib_instantstyle.params.controls import quoted

# Letters and digits (o: of a script without case), marks on them, joiners within a word, signs; see `_kind`.
_NAME = re.compile(r"[ao]m*([ao]m*|-|(?<=[om])j(?=o))*")
_SIGNS = frozenset(" _.()'-")
_INVISIBLE = re.compile("[\u034f\u17b4\u17b5\ufe00-\ufe0f\U000e0100-\U000e01ef]")  # marks that only make twins
_JOINERS = frozenset("\u200c\u200d")  # Persian and the scripts of India need them
_LONGEST, _MOST_BYTES = 64, 200  # file systems take 255 bytes, of which the suffix needs some
_RESERVED = re.compile(r"(con|prn|aux|nul|(com|lpt)[\d¹²³]) *(\..*)?", re.IGNORECASE)  # device names of Windows


def check_name(name: str) -> str:
    """Return ``name`` as styles are named: composed (NFC), without surrounding space.

    Raises:
        StyleError: If it could leave its folder or break a prompt, or is not a file name on every system.
    """
    if not name.strip():
        raise StyleError("Give the style a name first.")
    if not is_name(composed(name)):
        raise StyleError(
            f"{quoted(name)} cannot be the name of a style. Use up to 64 letters, digits, spaces and - _ . ( ) ', "
            "beginning with a letter or digit."
        )
    return composed(name)


def is_name(name: str) -> bool:
    """Return whether a style may be called ``name``, which is composed already."""
    if len(name) > _LONGEST or _INVISIBLE.search(name) or name.endswith(".") or _RESERVED.fullmatch(name):
        return False
    return bool(_NAME.fullmatch("".join(map(_kind, name)))) and len(name.encode()) <= _MOST_BYTES


def composed(name: str) -> str:
    """Return ``name`` in the form that is compared and written: a Mac hands out letters and accents apart (NFD)."""
    return unicodedata.normalize("NFC", name.strip())


def folded(name: str) -> str:
    """Return what names have in common that differ in case only. German ß stays: Maße are not Masse."""
    return composed(composed(name).lower())


@functools.lru_cache(maxsize=4096)
def _kind(character: str) -> str:
    if character in _SIGNS:
        return "-"
    if character in _JOINERS:
        return "j"
    if character.isalnum():
        return "o" if unicodedata.category(character) == "Lo" else "a"
    return "m" if unicodedata.category(character) in ("Mn", "Mc") else "?"  # Thai, Hindi, Tamil and Arabic vowels
