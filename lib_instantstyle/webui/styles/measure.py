"""How much of the content to remove the references of a style hold, measured without making a picture."""

from __future__ import annotations

from typing import NamedTuple

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.embeddings import mean_embedding
from lib_instantstyle.method.removal import UNRELATED, Resemblance
from lib_instantstyle.webui.styles.prepared_style import PreparedStyle


class Measurement(NamedTuple):
    """How much the references resemble the content to remove, with warnings about unsuitable words or strengths."""

    resemblances: list[Resemblance]
    warnings: list[str]


def measure(style: PreparedStyle) -> Measurement:
    """Compare the references of ``style`` with the content to remove, before and after removal.

    Raises:
        ParameterError: If there is nothing to compare.
    """
    remover = style.remover
    if remover is None:
        raise ParameterError("There is nothing to measure: write into Content to remove what the reference shows.")
    found = remover.resemblances(mean_embedding(style.params, style.for_adapter.embeddings))
    return Measurement(found, [warning for entry in found for warning in _warnings(entry)])


def _warnings(entry: Resemblance) -> list[str]:
    words, warnings = entry.content.words, []
    if entry.is_unrelated:
        warnings.append(
            f"'{words}' says little about the reference (cosine {entry.before:.2f}, below {UNRELATED:g}). Describe "
            "what it shows."
        )
    if entry.is_flipped:
        warnings.append(
            f"More of '{words}' is removed than there was (−{-entry.after:.2f}). Lower the removal strength."
        )
    return warnings
