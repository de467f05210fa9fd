"""SHA-256 hashes of pictures and masks: the infotext contains them in place of the pictures."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.controls import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

ROLES = ("layout", "negative", "subject")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MASK = re.compile(r"mask ([1-8])")


@dataclass(frozen=True)
class PictureHashes:
    """SHA-256 hashes of a job's pictures."""

    style: tuple[str, ...] = ()  # one per style reference, in order
    others: Mapping[str, str] = field(default_factory=dict)  # by role, one of `ROLES`
    masks: Mapping[int, str] = field(default_factory=dict)  # by the index of the reference, from 0

    def text(self) -> str:
        """Format the hashes for `parse_picture_hashes`: ``<sha>, <sha>; layout <sha>; mask 1 <sha>``."""
        parts = [", ".join(self.style)] if self.style else []
        parts += [f"{role} {self.others[role]}" for role in ROLES if role in self.others]
        parts += [f"mask {index + 1} {digest}" for index, digest in sorted(self.masks.items())]
        return "; ".join(parts)


def parse_picture_hashes(text: str) -> PictureHashes:
    """Parse the text of `PictureHashes.text`.

    Raises:
        ParameterError: If a part is not a SHA-256 hash, or has an unknown role.
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
    if not _SHA256.fullmatch(digest):
        raise ParameterError(
            f"Reference SHA-256 (reference) must be made of 64 hexadecimal digits; got {quoted(digest)}. Paste the "
            "parameters of a styled picture, or leave it empty and give the picture."
        )
    return digest
