"""The pictures and masks of one job: decoded, or known by pasted hashes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lib_instantstyle.errors import PictureError
from lib_instantstyle.params.combination import MAX_PICTURES
from lib_instantstyle.params.picture_hashes import ROLES, SHORT, PictureHashes
from lib_instantstyle.params.self_attention import Method
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.pictures.decoding import BLACK, Picture, is_empty, load_picture, load_pictures
from lib_instantstyle.pictures.regions import Mask, make_mask
from lib_instantstyle.webui.encoding.cache import find_mask, keep_mask

Fetch = Callable[[str], Image.Image]


@dataclass(frozen=True)
class JobPicture:
    """A picture and its hash.

    Attributes:
        sha256: Hash of its size and pixels; its beginning where only that was pasted.
        decoded: The picture; None where only the hash was pasted.
        name: What messages call it.
        is_input: Whether it is the img2img input, which differs from job to job.
    """

    sha256: str
    decoded: Picture | None
    name: str
    is_input: bool = False


@dataclass(frozen=True)
class JobPictures:
    """The pictures of one job: references, other pictures by role, and masks by the index of their reference."""

    style: tuple[JobPicture, ...]
    others: Mapping[str, JobPicture]
    masks: Mapping[int, Mask]

    @property
    def hashes(self) -> PictureHashes:
        """The hashes, for the infotext."""
        return PictureHashes(
            tuple(picture.sha256 for picture in self.style),
            {role: picture.sha256 for role, picture in self.others.items() if not picture.is_input},
            {index: mask.sha256 for index, mask in self.masks.items()},
        )


def style_alone(params: StyleParams) -> StyleParams:
    """Return ``params`` without what belongs to one picture and not to the style: regions and the subject."""
    hashes = params.picture_hashes
    others = {role: sha256 for role, sha256 in hashes.others.items() if role != "subject"}
    return params.replace(
        masks=None, subject_image=None, subject_weight=0.0, reference=PictureHashes(hashes.style, others).text()
    )


def with_adapter(params: StyleParams) -> StyleParams:
    """Return ``params`` with the method Adapter, whose embeddings are wanted whatever a job would use."""
    return params.replace(method=Method.ADAPTER)


def take_pictures(params: StyleParams, fetch: Fetch, subject: Any = None, references: int = 0) -> JobPictures:
    """Decode every picture of ``params``, or find it by its hash.

    Args:
        params: Settings with the pictures as they arrived.
        fetch: Fetches a picture by its address.
        subject: The img2img input, used where no subject picture is given.
        references: Number of references in the saved style that replaces the pictures; 0 without one.

    Raises:
        PictureError: If there is no reference, or a picture or mask cannot be used.
    """
    style = () if references else _style(params, fetch)
    # Pasted hashes belong to another picture's parameters: a reference that was dropped in overrides them all.
    hashes = PictureHashes() if any(picture.decoded for picture in style) else params.picture_hashes
    roles = ("subject",) if references else ROLES
    others = {role: picture for role in roles if (picture := _other(role, params, hashes, fetch, subject))}
    masks = take_masks(params, hashes, fetch, references or len(style))
    for mask in masks.values():
        keep_mask(mask)
    return JobPictures(style, others, masks)


def take_masks(params: StyleParams, hashes: PictureHashes, fetch: Fetch, references: int) -> dict[int, Mask]:
    """Decode the masks of ``params``, or find them by ``hashes``, by the index of their reference.

    Raises:
        PictureError: If one cannot be used, or there are fewer ``references``.
    """
    masks = _masks(params, fetch) or _known_masks(hashes)
    if any(index >= references for index in masks):
        raise PictureError(
            f"There is a region mask for reference {max(masks) + 1}, but only {references} style reference(s). Remove "
            "the mask, or add the reference."
        )
    return masks


def known_style(hashes: PictureHashes) -> tuple[JobPicture, ...]:
    """Return the style references of which only the hashes are known."""
    return _numbered((sha256, None) for sha256 in hashes.style)


def known_others(params: StyleParams, hashes: PictureHashes, roles: Collection[str]) -> dict[str, JobPicture]:
    """Return by role, of ``roles``, the pictures of which only hashes are known; a subject only if it has a weight."""
    wanted = [role for role in ROLES if role in roles and (role != "subject" or params.subject_weight)]
    return {role: JobPicture(hashes.others[role], None, f"{role} picture") for role in wanted if role in hashes.others}


def given_references(params: StyleParams) -> list[Any]:
    """Return the style references as they arrived, without empty ones."""
    return [entry for entry in (params.image, *_listed(params.images)) if not is_empty(entry)]


def _style(params: StyleParams, fetch: Fetch) -> tuple[JobPicture, ...]:
    pictures = load_pictures(given_references(params), MAX_PICTURES, fetch, "style reference")
    decoded = _numbered((picture.sha256, picture) for picture in pictures if picture)
    known = decoded or known_style(params.picture_hashes)
    if not known:
        raise PictureError(
            "No reference picture was given. Drop one into Style reference ('image' in the API), or untick "
            "InstantStyle."
        )
    return known


def _numbered(pictures: Iterable[tuple[str, Picture | None]]) -> tuple[JobPicture, ...]:
    return tuple(
        JobPicture(sha256, picture, f"style reference {number}")
        for number, (sha256, picture) in enumerate(pictures, start=1)
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _other(role: str, params: StyleParams, hashes: PictureHashes, fetch: Fetch, subject: Any) -> JobPicture | None:
    if role == "subject" and not params.subject_weight:
        return None
    given, name = getattr(params, f"{role}_image"), f"{role} picture"
    sha256 = hashes.others.get(role) if is_empty(given) else None
    is_input = role == "subject" and is_empty(given) and sha256 is None
    picture = load_picture(subject if is_input else given, fetch, name)
    if picture is not None:
        return JobPicture(picture.sha256, picture, name, is_input)
    return None if sha256 is None else JobPicture(sha256, None, name)


def _masks(params: StyleParams, fetch: Fetch) -> dict[int, Mask]:
    pictures = load_pictures(_listed(params.masks), MAX_PICTURES, fetch, "region mask", BLACK)
    return {index: make_mask(picture.image) for index, picture in enumerate(pictures) if picture}


def _known_masks(hashes: PictureHashes) -> dict[int, Mask]:
    masks = {}
    for index, sha256 in hashes.masks.items():
        name = f"region mask of reference {index + 1}"
        mask = find_mask(sha256, name)
        if mask is None:
            raise PictureError(f"The {name} (SHA-256 {sha256[:SHORT]}…) is not in the cache. Paint it anew.")
        masks[index] = mask
    return masks
