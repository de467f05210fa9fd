"""What a style needs to be possible, and what of it cannot act, both known before anything is encoded."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from torch import nn

from lib_instantstyle.errors import ParameterError, UnsupportedModelError
from lib_instantstyle.method.removal import check_space
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.block_weights import SiteName, Target
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.picture_hashes import PictureHashes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.self_attention.sources import check_concatenation
from lib_instantstyle.unet.plan import check_site_names
from lib_instantstyle.unet.sites import enumerate_sites


@dataclass(frozen=True)
class GivenPictures:
    """What is known of a job's pictures while they are unopened.

    Attributes:
        references: Number of style references; None if unknown.
        roles: Which of "layout", "negative" and "subject" there are; None if unknown.
        problem: Why one of them cannot be used; empty otherwise.
    """

    references: int | None = None
    roles: frozenset[str] | None = None
    problem: str = ""

    def pasted(self, params: StyleParams) -> PictureHashes:
        """Return the hashes in use: a style reference that was dropped puts all of them aside."""
        return PictureHashes() if self.references else params.picture_hashes


class LeftOut(NamedTuple):
    """Something that was given and cannot act."""

    note: str  # what happened to it, for the infotext; empty if there is none
    todo: str  # what to do about it, for the page


def check_requirements(
    params: StyleParams,
    adapter: Adapter | None,
    references: int,
    text_width: int | None,
    roles: Collection[str] | None = None,
) -> None:
    """Refuse settings that contradict each other, the pictures, the adapter or the checkpoint.

    Args:
        params: The settings.
        adapter: Reads the embeddings; None without one.
        references: Number of style references.
        text_width: Dimensions of the text tower's vectors, None while that is unknown.
        roles: The other pictures that there are, None while that is unknown.

    Raises:
        ParameterError: Saying which setting, and what to choose.
    """
    weights = params.reference_weights(references)
    if params.method.has_reading:
        masked = {index for index, mask in enumerate(params.masks or ()) if not is_empty(mask)}
        free = [w for index, w in enumerate(weights) if index not in masked | params.picture_hashes.masks.keys()]
        check_concatenation(params.combine, free)
    if adapter is None:
        return
    check_removal(params, adapter, text_width)
    if roles is not None:
        _check_roles(params, roles)


def check_removal(params: StyleParams, adapter: Adapter, text_width: int | None) -> None:
    """Refuse content that the adapter or the checkpoint cannot remove, as `check_requirements` does."""
    if not params.removed:
        return
    if not adapter.has_text_space:
        raise ParameterError(
            f"{adapter.path.name} cannot remove content ({quoted(params.content)}): choose ip-adapter_sdxl, or empty "
            "Content to remove. Plus adapters see patches of the picture, not one embedding that words could be "
            "subtracted from."
        )
    if text_width is not None:
        check_space(adapter.embedding_width, text_width)


def check_site_weights(weights: Iterable[Target], unet: nn.Module | None) -> None:
    """Refuse weights of single sites that ``unet`` lacks; where none is loaded, or no SDXL model, any may exist.

    Raises:
        ParameterError: If one is named that is not there.
    """
    if unet is not None and any(isinstance(target, SiteName) for target in weights):
        with contextlib.suppress(UnsupportedModelError):  # which has a check of its own
            check_site_names(weights, enumerate_sites(unet))


def left_out(params: StyleParams, roles: Collection[str], masks: Iterable[int] = ()) -> list[LeftOut]:
    """Return what cannot act of pictures with ``roles``, and of region masks by the index of their reference."""
    weights = params.reference_weights(MAX_PICTURES)
    by_adapter = any(params.block_weights.values()) or params.subject_weight or params.anti_layout
    by_reading = any(params.self_weights.values()) or params.calibration or params.block_adain
    method = params.method
    conditions = {
        _NO_WEIGHT: not ((method.has_adapter and by_adapter) or (method.has_reading and by_reading)),
        (_LAYOUT if method.has_adapter else _LAYOUT_ALONE): "layout" in roles and not uses_layout_picture(params),
        _SUBJECT: method.has_adapter and "subject" in roles and not params.subject_weight,
        _REGION: any(not weights[index] for index in masks),
        _CONTENT: method.has_adapter and bool(params.contents) and not params.content_strength,
    }
    if not method.has_adapter:
        conditions |= {
            _WORDS: bool(params.contents),
            _PICTURES: bool({"negative", "subject"} & {*roles}),
            _PROMPT_COLOURS: bool(params.prompt_colours or params.anti_layout),
        }
    return [said for said, holds in conditions.items() if holds]


def uses_layout_picture(params: StyleParams) -> bool:
    """Whether a layout picture would act."""
    method = params.method
    return (method.has_adapter and params.takes_layout) or (method.has_reading and bool(params.block_adain))


def _check_roles(params: StyleParams, roles: Collection[str]) -> None:
    if params.subject_weight and "subject" not in roles:
        raise ParameterError(
            f"Subject weight (subject_weight) is {params.subject_weight:g}, but there is no subject picture. Give one, "
            "use img2img, or set the weight to 0."
        )
    if params.anti_layout and params.takes_layout and "layout" not in roles:
        raise ParameterError(
            "Avoid its composition (anti_layout) pushes away from the composition that the preset "
            f"{params.preset.value} takes over. Choose a preset without layout, give a separate layout picture, or set "
            "anti-layout to 0."
        )


_NO_WEIGHT = LeftOut(
    "",  # such a job writes no infotext; its own note is below the picture
    "Nothing acts: every block's weight is 0. Raise Style weight, or choose another preset.",
)
_LAYOUT = LeftOut(
    "the layout picture was left out, since the preset or its weights leave the layout block out",
    "The layout picture does nothing: choose a preset with layout, or remove it.",
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
