"""What a style needs to be possible, and what of it cannot act, both known before anything is encoded."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from torch import nn

from lib_instantstyle.errors import ParameterError, UnsupportedModelError
from lib_instantstyle.method.removal import check_space
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.block_weights import SiteName, Target
from lib_instantstyle.params.controls import quoted
from lib_instantstyle.params.picture_hashes import ROLES, PictureHashes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.decoding import is_empty
from lib_instantstyle.self_attention.sources import check_concatenation
from lib_instantstyle.unet.plan import check_site_names
from lib_instantstyle.unet.sites import enumerate_sites
from lib_instantstyle.webui.encoding.job_pictures import given_references


@dataclass(frozen=True)
class GivenPictures:
    """What is known of a job's pictures while they are unopened.

    Attributes:
        references: Number of style references; None if unknown.
        roles: Which of "layout", "negative" and "subject" there are; None if unknown.
        has_input: Whether a subject is there that gives way to any other: the input of img2img.
        problem: Why one of them cannot be used; empty otherwise.
    """

    references: int | None = None
    roles: frozenset[str] | None = None
    has_input: bool = False
    problem: str = ""

    @classmethod
    def of(cls, params: StyleParams, *, has_input: bool) -> GivenPictures:
        """Return what ``params`` hold."""
        roles = frozenset(role for role in ROLES if not is_empty(getattr(params, f"{role}_image")))
        return cls(len(given_references(params)), roles, has_input)

    def pasted(self, params: StyleParams) -> PictureHashes:
        """Return the hashes in use: a style reference that was dropped puts all of them aside."""
        return PictureHashes() if self.references else params.picture_hashes


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
