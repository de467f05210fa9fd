"""SHA-256 hashes of pictures and masks: the infotext contains their beginnings in place of the pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROLES = ("layout", "negative", "subject")
WHOLE = 64  # hexadecimal digits of a hash
SHORT = 12  # of its beginning, which the infotext contains; among a million pictures two share it once in 500 times
_DIGITS = re.compile(rf"[0-9a-f]{{{SHORT},{WHOLE}}}")
_MASK = re.compile(r"mask ([1-8])")


@dataclass(frozen=True)
class PictureHashes:
    """SHA-256 hashes of a job's pictures, or their beginnings."""

    style: tuple[str, ...] = ()  # one per style reference, in order
    others: Mapping[str, str] = field(default_factory=dict)  # by role, one of `ROLES`
    masks: Mapping[int, str] = field(default_factory=dict)  # by the index of the reference, from 0

    def text(self, digits: int = WHOLE) -> str:
        """Format the hashes for `parse_picture_hashes`: ``<sha>, <sha>; layout <sha>; mask 1 <sha>``."""
        parts = [", ".join(digest[:digits] for digest in self.style)] if self.style else []
        parts += [f"{role} {self.others[role][:digits]}" for role in ROLES if role in self.others]
        parts += [f"mask {index + 1} {digest[:digits]}" for index, digest in sorted(self.masks.items())]
        return "; ".join(parts)

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield each hash with its name: ``reference 1``, ``layout``, ``mask 1`` and so on."""
        yield from ((f"reference {number}", digest) for number, digest in enumerate(self.style, start=1))
        yield from ((role, self.others[role]) for role in ROLES if role in self.others)
        yield from ((f"mask {index + 1}", digest) for index, digest in sorted(self.masks.items()))

    def without(self, name: str) -> PictureHashes:
        """Return the hashes without the one that `named` calls ``name``; a reference takes its mask along."""
        kind, _, number = name.partition(" ")
        others = {role: digest for role, digest in self.others.items() if role != name}
        if not number:
            return PictureHashes(self.style, others, self.masks)
        gone = int(number) - 1
        masks = {index: digest for index, digest in self.masks.items() if index != gone}
        if kind == "mask":
            return PictureHashes(self.style, others, masks)
        moved = {index - (index > gone): digest for index, digest in masks.items()}
        return PictureHashes(self.style[:gone] + self.style[gone + 1 :], others, moved)


def parse_picture_hashes(text: str) -> PictureHashes:
    """Parse the text of `PictureHashes.text`.

    Raises:
        ParameterError: If a part is no beginning of a SHA-256 hash, or has an unknown role.
    """
    style: tuple[str, ...] = ()
    others: dict[str, str] = {}
    masks: dict[int, str] = {}
    for part in (part.strip().lower() for part in text.split(";") if part.strip()):
        role, _, digest = part.rpartition(" ")
        if mask := _MASK.fullmatch(role):
            masks[int(mask[1]) - 1] = _checked(digest)
        elif role in ROLES:
            others[role] = _checked(digest)
        else:
            style = tuple(_checked(entry.strip()) for entry in part.split(","))
    return PictureHashes(style, others, masks)


def _checked(digest: str) -> str:
    if not _DIGITS.fullmatch(digest):
        raise ParameterError(
            f"Pictures from earlier (reference): {quoted(digest)} is no hash of a picture, which has {SHORT} to "
            f"{WHOLE} hexadecimal digits. Paste the parameters of a styled picture, or leave it empty and give the "
            "picture."
        )
    return digest
