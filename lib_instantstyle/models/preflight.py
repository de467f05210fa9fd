"""The checks before a job: what a styled picture needs, what is missing, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lib_instantstyle.models.descriptions import adapter_abilities, encoder_kind
from lib_instantstyle.models.towers import BIGG_WIDTH
from lib_instantstyle.params.self_attention import Method

if TYPE_CHECKING:
    from lib_instantstyle.models.adapter import Adapter
    from lib_instantstyle.models.encoder_file import EncoderFile

_MODEL = "SDXL model"
_TAGS = "Saved styles in the prompt"
_GET = "Open the tab Models and press Get models."
_OR = "Choose the method No adapter, which needs no download, or open the tab Models and press Get models."


class Verdict(str, Enum):
    """What a check found."""

    READY = "ready"
    MISSING = "missing"
    UNKNOWN = "unknown"
    OPTIONAL = "optional"
    IDLE = "idle"  # given, and without effect


@dataclass(frozen=True)
class Facts:
    """What is known without loading anything."""

    model: str = ""  # name of the chosen checkpoint
    is_loaded: bool = False  # whether it is in memory
    model_problem: str = ""  # why it cannot be styled
    text_width: int = BIGG_WIDTH  # dimensions of its text vectors; SDXL's until it is loaded
    adapter: Adapter | None = None  # the one that a job would use
    adapter_problem: str = ""  # why the named adapter cannot be used
    encoder: EncoderFile | None = None  # the one that a job would use
    references: int | None = None  # number of pictures, None if unknown
    style: str = ""  # name of the saved style that replaces them
    content: str = ""  # the content to remove
    content_problem: str = ""  # why a job could not remove it
    problem: str = ""  # why a job would refuse the settings
    left_out: tuple[str, ...] = ()  # what to do about what was given and cannot act
    tags: tuple[str, ...] = ()  # names of the saved styles in the prompt
    tags_problem: str = ""  # why a job would refuse them
    method: Method = Method.ADAPTER  # the one that was chosen


@dataclass(frozen=True)
class Check:
    """One line of the list of checks."""

    name: str
    verdict: Verdict
    text: str  # what was found
    todo: str = ""  # what to do about it


def checks(facts: Facts) -> tuple[Check, ...]:
    """Return all checks, in the order in which a user should fix them."""
    found = tuple(check(facts) for check in (_model, _adapter, _encoder, _reference, _content, _settings))
    return (*found, _tags(facts)) if facts.tags or facts.tags_problem else found


def next_step(found: tuple[Check, ...], *, enabled: bool = True) -> str:
    """Return what to do about the first thing that is missing, or else about the first that has no effect."""
    if not enabled:
        if not any(check.name == _TAGS for check in found):
            return "InstantStyle is off: tick the box before its name."
        found = tuple(check for check in found if check.name in (_MODEL, _TAGS))  # what saved styles in the prompt need
    for verdict in (Verdict.MISSING, Verdict.IDLE):
        for check in found:
            if check.verdict is verdict:
                return check.todo
    if not enabled:
        return "InstantStyle is off, but the saved styles in the prompt act."
    return "Ready to generate."


def _model(facts: Facts) -> Check:
    if facts.model_problem:
        return Check(_MODEL, Verdict.MISSING, facts.model, facts.model_problem)
    if not facts.is_loaded:
        return Check(_MODEL, Verdict.UNKNOWN, f"{facts.model or 'a checkpoint'}, not loaded yet")
    return Check(_MODEL, Verdict.READY, facts.model)


def _adapter(facts: Facts) -> Check:
    if not facts.method.has_adapter:
        return Check("Adapter", Verdict.OPTIONAL, "the method needs none")
    if facts.adapter is None:
        return Check("Adapter", Verdict.MISSING, "none", facts.adapter_problem or f"There is no adapter yet. {_OR}")
    return Check(
        "Adapter", Verdict.READY, f"{facts.adapter.path.name}: {adapter_abilities(facts.adapter, facts.text_width)}"
    )


def _encoder(facts: Facts) -> Check:
    if not facts.method.has_adapter:
        return Check("Image encoder", Verdict.OPTIONAL, "the method needs none")
    if facts.encoder is not None:
        if facts.encoder.problem and not facts.style:
            return Check("Image encoder", Verdict.MISSING, facts.encoder.path.name, facts.encoder.problem)
        return Check("Image encoder", Verdict.READY, f"{facts.encoder.path.name} ({encoder_kind(facts.encoder)})")
    if facts.style:
        return Check("Image encoder", Verdict.OPTIONAL, "a saved style needs none")
    return Check("Image encoder", Verdict.MISSING, "none", f"The adapter needs its image encoder. {_GET}")


def _reference(facts: Facts) -> Check:
    if facts.style:
        return Check("Reference", Verdict.READY, f"saved style {facts.style}")
    if facts.references is None:
        return Check("Reference", Verdict.UNKNOWN, "not told; a job takes it as 'image'")
    if not facts.references:
        return Check("Reference", Verdict.MISSING, "none", "Drop a picture whose style you like into Style reference.")
    return Check("Reference", Verdict.READY, f"{facts.references} picture{'s' * (facts.references > 1)}")


def _content(facts: Facts) -> Check:
    if not facts.content.strip() or not facts.method.has_adapter:
        return Check("Content to remove", Verdict.OPTIONAL, "none named")
    if facts.content_problem:
        return Check("Content to remove", Verdict.MISSING, facts.content, facts.content_problem)
    return Check("Content to remove", Verdict.READY, facts.content)


def _settings(facts: Facts) -> Check:
    if facts.problem:
        return Check("Controls", Verdict.MISSING, "refused", facts.problem)
    if facts.left_out:
        return Check("Controls", Verdict.IDLE, "not all acts", " ".join(facts.left_out))
    return Check("Controls", Verdict.READY, "can be used")


def _tags(facts: Facts) -> Check:
    if facts.tags_problem:
        return Check(_TAGS, Verdict.MISSING, "refused", facts.tags_problem)
    return Check(_TAGS, Verdict.READY, ", ".join(facts.tags))
