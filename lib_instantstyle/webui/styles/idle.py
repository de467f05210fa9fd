"""What was given and cannot act, known before anything is encoded, and what to do about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from lib_instantstyle.method.schedule import Schedule
from lib_instantstyle.params.blocks import LAYOUT, Preset
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.declared import Passes
from lib_instantstyle.params.self_attention import READING_ONLY
from lib_instantstyle.params.style_params import CUSTOM, StyleParams, controls, default_of


class LeftOut(NamedTuple):
    """Something that was given and cannot act."""

    note: str  # what happened to it, for the infotext; empty if there is none
    todo: str  # what to do about it, for the page


def left_out(
    params: StyleParams, roles: Collection[str], masks: Iterable[int] = (), *, is_guided: bool = True
) -> list[LeftOut]:
    """Return what cannot act of pictures with ``roles``, and of region masks by the index of their reference.

    ``is_guided`` says whether CFG is above 1.
    """
    weights = params.reference_weights(MAX_PICTURES)
    method = params.method
    layout = _layout(params) if method.has_adapter else _LAYOUT_ALONE
    conditions = {
        layout: "layout" in roles and not uses_layout_picture(params),
        _SUBJECT: method.has_adapter and "subject" in roles and not params.subject_weight,
        _REGION: any(not weights[index] for index in masks),
        _CONTENT: method.has_adapter and bool(params.contents) and not params.content_strength,
        _NO_CONTENT: method.has_adapter and any(not content.weight for content in params.contents),
    }
    if not method.has_adapter:
        conditions |= {
            _WORDS: bool(params.contents),
            _PICTURES: bool({"negative", "subject"} & {*roles}),
            _PROMPT_COLOURS: bool(params.prompt_colours or params.anti_layout),
        }
    said = [said for said, holds in conditions.items() if holds]
    unguided = [] if is_guided else _through_guidance(params, roles)
    return [
        *_nothing(params),
        *_idle_curves(params),
        *said,
        *_without_reading(params),
        *unguided,
        *_waiting_texts(params),
    ]


def uses_layout_picture(params: StyleParams) -> bool:
    """Whether a layout picture would act."""
    method = params.method
    return (method.has_adapter and params.takes_layout) or (method.has_reading and bool(params.block_adain))


def to_raise(params: StyleParams, *, hires: bool) -> list[str]:
    """Return the labels of the controls at 0 that keep a pass plain."""
    curve = "hires_curve" if hires and params.has_hires_schedule else "curve"
    return _weights_at_zero(params) or [controls()[curve].label]


def _weights_at_zero(params: StyleParams) -> list[str]:
    """Return the labels of the controls that keep every weight at 0; none where anything has one."""
    method, chosen = params.method, params.selected
    by_adapter = any(params.block_weights.values()) or params.subject_weight or params.anti_layout
    by_reading = any(params.self_weights.values()) or params.calibration or params.block_adain
    if (method.has_adapter and by_adapter) or (method.has_reading and by_reading):
        return []
    conditions = {
        "style_weight": method.has_adapter and bool(chosen - {LAYOUT}),
        "layout_weight": method.has_adapter and LAYOUT in chosen,
        "blocks": method.has_adapter and not chosen,
        "self_weight": method.has_reading and not params.self_weight,
        "self_blocks": method.has_reading and bool(params.self_weight),
    }
    return [controls()[name].label for name, holds in conditions.items() if holds]


def _nothing(params: StyleParams) -> Iterator[LeftOut]:
    if zero := _weights_at_zero(params):  # such a job writes no infotext; its own note is below the picture
        yield LeftOut("", f"Nothing acts: raise {' or '.join(zero)} above 0.")


def _idle_curves(params: StyleParams) -> Iterator[LeftOut]:
    for name, hires, without in (("curve", False, Passes.HIRES), ("hires_curve", True, Passes.FIRST)):
        has_pass = params.passes is not without and (params.has_hires_schedule or not hires)
        if has_pass and not Schedule.of_pass(params, hires=hires).acts:
            label = controls()[name].label
            yield LeftOut("", f"{label} does nothing: it is 0 from start to end. Raise it, or move start and end.")


def _through_guidance(params: StyleParams, roles: Collection[str]) -> Iterator[LeftOut]:
    """Yield what acts on one kind of rows alone, which shows through CFG only."""
    conditions = {
        "anti-layout": params.method.has_adapter and bool(params.anti_layout),
        "negative picture": params.method.has_adapter and "negative" in roles,
        "push": params.method.has_reading and bool(params.push),
    }
    if names := ", ".join(name for name, holds in conditions.items() if holds):
        yield LeftOut(
            f"what acts through CFG only did nothing: {names}", f"CFG 1 leaves out {names}: raise CFG Scale above 1."
        )


def _without_reading(params: StyleParams) -> Iterator[LeftOut]:
    """Yield what was set for self-attentions where they read nothing."""
    changed = [name for name in READING_ONLY if getattr(params, name) != default_of(name)]
    if changed and not params.method.has_reading:
        names = ", ".join(controls()[name].label for name in changed)
        yield LeftOut(
            f"what self-attentions read with did nothing: {names}",
            f"{names}: nothing of it acts with the method Adapter. Choose No adapter or Both, or set it back.",
        )


def _waiting_texts(params: StyleParams) -> Iterator[LeftOut]:
    acting = {"preset": params.method.has_adapter, "reach": params.method.has_reading}
    for choice, text in CUSTOM.items():
        is_written = getattr(params, text) not in ("", default_of(text))
        if acting[choice] and is_written and getattr(params, choice).name != Preset.CUSTOM.name:
            label, chosen = controls()[text].label, controls()[choice].label
            yield LeftOut("", f"{label} do nothing: they wait for {chosen} Custom. Choose that, or empty them.")


def _layout(params: StyleParams) -> LeftOut:
    remedy = "raise Layout weight" if LAYOUT in params.selected else "choose a preset with layout"
    return LeftOut(
        "the layout picture was left out, since the preset or its weights leave the layout block out",
        f"The layout picture does nothing: {remedy}, or remove it.",
    )


_LAYOUT_ALONE = LeftOut(
    "the layout picture was left out, since Composition by blocks is 0",
    "The layout picture does nothing: raise Composition by blocks, or remove it.",
)
_WORDS = LeftOut(
    "no content was removed, since that needs an adapter",
    "Content to remove does nothing without an adapter, which brings hardly any content along. Empty it, or choose "
    "another method.",
)
_PICTURES = LeftOut(
    "negative and subject picture were left out, since they need an adapter",
    "Negative and subject picture do nothing without an adapter: remove them, or choose another method.",
)
_PROMPT_COLOURS = LeftOut(
    "keeping prompt colours and avoiding the composition were left out, since they need an adapter",
    "Keep prompt colours and Avoid its composition do nothing without an adapter: set them to 0, or choose another "
    "method.",
)
_SUBJECT = LeftOut(
    "the subject picture was left out, since its weight is 0",
    "The subject picture does nothing: raise Subject weight to 0.2, or remove it.",
)
_REGION = LeftOut(
    "a region mask was left out, since its reference has the weight 0",
    "A region mask does nothing: its reference has the weight 0. Raise that, or remove the mask.",
)
_CONTENT = LeftOut(
    "no content was removed, since the removal strength is 0",
    "Content to remove does nothing: Removal strength is 0.",
)
_NO_CONTENT = LeftOut(
    "a content with the weight 0 was not removed",
    "A content with the weight 0 is not removed: raise its weight, or take it out.",
)
