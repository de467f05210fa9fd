"""Looks at a style without making a picture: what the encoder sees, and how much content is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lib_instantstyle.checkpoint import Kind
from lib_instantstyle.embeddings import mean_embedding
from lib_instantstyle.errors import ParameterError
from lib_instantstyle.subtraction import UNRELATED, Resemblance
from lib_instantstyle.webui.host import A1111Host
from lib_instantstyle.webui.pictures import style_alone
from lib_instantstyle.webui.stylist import from_accordion

if TYPE_CHECKING:
    from lib_instantstyle.params import StyleParams
    from lib_instantstyle.webui.stylist import Stylist


class Measurement(NamedTuple):
    """How much the references resemble the content to remove, and what to think of it."""

    resemblances: list[Resemblance]
    warnings: list[str]


def measure(params: StyleParams) -> Measurement:
    """Compare the references with the content to remove, before and after removal.

    Raises:
        ParameterError: If there is nothing to compare, or the adapter's embeddings have no words.
        InstantStyleError: If pictures, adapter or encoder cannot be used.
    """
    return measure_stylist(from_accordion(style_alone(params), A1111Host()))


def measure_stylist(stylist: Stylist) -> Measurement:
    """Measure a style that is ready, as `measure` does."""
    remover = stylist.remover()
    if remover is None or stylist.adapter.kind is not Kind.LINEAR:
        raise ParameterError("There is nothing to measure: write into Content to remove what the reference shows.")
    found = remover.resemblances(mean_embedding(stylist.params, stylist.embeddings))
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
