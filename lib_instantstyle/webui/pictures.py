"""The pictures and masks of one job: decoded, or known by the hashes that were pasted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_instantstyle.declared import MAX_PICTURES
from lib_instantstyle.errors import ParameterError, PictureError
from lib_instantstyle.recall import ROLES, Recalled
from lib_instantstyle.references import BLACK, Picture, is_empty, load_picture, load_pictures
from lib_instantstyle.regions import Mask, make_mask
from lib_instantstyle.webui.cache import find_mask, keep_mask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lib_instantstyle.params import StyleParams
    from lib_instantstyle.webui.host import Host


@dataclass(frozen=True)
class Seen:
    """A picture by its hash.

    Attributes:
        sha256: Of size and pixels.
        picture: None where only the hash was pasted.
        name: For messages.
        is_input: Whether it is the input of img2img, which is another one at the next job.
    """

    sha256: str
    picture: Picture | None
    name: str
    is_input: bool = False


@dataclass(frozen=True)
class Given:
    """The pictures of one job, decoded, and what stands for those that were only pasted as hashes."""

    style: tuple[Seen, ...]
    others: Mapping[str, Seen]
    masks: Mapping[int, Mask]

    @property
    def recalled(self) -> Recalled:
        """The hashes, for the infotext."""
        return Recalled(
            tuple(seen.sha256 for seen in self.style),
            {role: seen.sha256 for role, seen in self.others.items() if not seen.is_input},
            {index: mask.sha256 for index, mask in self.masks.items()},
        )


def style_alone(params: StyleParams) -> StyleParams:
    """Return ``params`` without what belongs to one picture and not to the style: regions and the subject."""
    recalled = params.recalled
    others = {role: sha256 for role, sha256 in recalled.others.items() if role != "subject"}
    return params.replace(
        masks=None, subject_image=None, subject_weight=0.0, reference=Recalled(recalled.style, others).text()
    )


def take_pictures(params: StyleParams, host: Host, subject: Any = None, references: int = 0) -> Given:
    """Decode every picture of ``params``, or find it by its hash.

    Args:
        params: With pictures as they arrive.
        host: Fetches addresses.
        subject: Stands in for the subject picture: the input of img2img.
        references: How many references a saved style brings, which takes the place of pictures.

    Raises:
        PictureError: If there is no reference, or a picture or mask cannot be used.
    """
    style = () if references else _style(params, host)
    # Hashes were pasted with another picture's parameters: a reference that is dropped puts them all aside.
    recalled = Recalled() if any(seen.picture for seen in style) else params.recalled
    roles = ("subject",) if references else ROLES
    others = {role: seen for role in roles if (seen := _other(role, params, recalled, host, subject))}
    masks = _masks(params, host) or _recalled_masks(recalled)
    for mask in masks.values():
        keep_mask(mask)
    count = references or len(style)
    if any(index >= count for index in masks):
        raise PictureError(
            f"There is a region mask for reference {max(masks) + 1}, but only {count} style reference(s). Remove the "
            "mask, or add the reference."
        )
    return Given(style, others, masks)


def _style(params: StyleParams, host: Host) -> tuple[Seen, ...]:
    dropped = [entry for entry in (params.image, *_listed(params.images)) if not is_empty(entry)]
    pictures = load_pictures(dropped, MAX_PICTURES, host.fetch_picture, "style reference")
    found: list[tuple[str, Picture | None]] = [(picture.sha256, picture) for picture in pictures if picture]
    known = found or [(sha256, None) for sha256 in params.recalled.style]
    if not known:
        raise PictureError(
            "No reference picture was given. Drop one into the accordion, send it as 'image', or untick InstantStyle."
        )
    return tuple(
        Seen(sha256, picture, f"style reference {number}") for number, (sha256, picture) in enumerate(known, start=1)
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _other(role: str, params: StyleParams, recalled: Recalled, host: Host, subject: Any) -> Seen | None:
    if role == "subject" and not params.subject_weight:
        return None
    given, name = getattr(params, f"{role}_image"), f"{role} picture"
    sha256 = recalled.others.get(role) if is_empty(given) else None
    is_input = role == "subject" and is_empty(given) and sha256 is None
    picture = load_picture(subject if is_input else given, host.fetch_picture, name)
    if picture is not None:
        return Seen(picture.sha256, picture, name, is_input)
    if is_input:
        raise ParameterError(
            f"Subject weight (subject_weight) is {params.subject_weight:g}, but there is no subject picture. Give one, "
            "use img2img, or set the weight to 0."
        )
    return None if sha256 is None else Seen(sha256, None, name)


def _masks(params: StyleParams, host: Host) -> dict[int, Mask]:
    pictures = load_pictures(_listed(params.masks), MAX_PICTURES, host.fetch_picture, "region mask", BLACK)
    return {index: make_mask(picture.image) for index, picture in enumerate(pictures) if picture}


def _recalled_masks(recalled: Recalled) -> dict[int, Mask]:
    masks = {}
    for index, sha256 in recalled.masks.items():
        mask = find_mask(sha256)
        if mask is None:
            raise PictureError(
                f"The region mask of reference {index + 1} (SHA-256 {sha256[:12]}…) is not in the cache. Paint it anew."
            )
        masks[index] = mask
    return masks
