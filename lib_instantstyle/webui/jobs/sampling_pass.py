"""One sampling pass of a job: what styling needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_instantstyle.params.tags import StyleTag
from lib_instantstyle.pictures.regions import CropWindow
from lib_instantstyle.webui.hosts.host import Host, PassReader


@dataclass(frozen=True)
class Pass:
    """What stays the same while one denoising loop runs.

    Attributes:
        is_hires: Whether it is the hires pass.
        has_hires: Whether the job has one.
        is_guided: Whether the unconditional rows act on the picture: CFG above 1.
        pictures: Those of the batch, by their numbers in the job.
        tags: The saved styles that prompts name, and the pictures whose prompts name them.
        window: The part of the whole picture that is sampled.
        size: Width and height in pixels that the job samples, before hires fix.
        reader: Tells the rows of the UNet's calls apart.
    """

    is_hires: bool
    has_hires: bool
    is_guided: bool
    pictures: range
    tags: Mapping[StyleTag, frozenset[int]]
    window: CropWindow
    size: tuple[int, int]
    reader: PassReader

    def named(self, tag: StyleTag | None) -> frozenset[int] | None:
        """Return the pictures whose prompts name ``tag``; None if it is all, as without a tag."""
        pictures = None if tag is None else self.tags[tag]
        return None if pictures is None or pictures.issuperset(self.pictures) else pictures


def coming_pass(p: Any, conditioning: Any, named: Sequence[Sequence[StyleTag]], host: Host) -> Pass:
    """Return the pass that ``p`` is about to sample; ``named`` are the tags in each picture's prompt."""
    first = p.iteration * p.batch_size
    tags: dict[StyleTag, frozenset[int]] = {}
    for picture, own in enumerate(named, start=first):
        for tag in own:
            tags[tag] = tags.get(tag, frozenset()) | {picture}
    return Pass(
        is_hires=bool(getattr(p, "is_hr_pass", False)),
        has_hires=bool(getattr(p, "enable_hr", False)),
        is_guided=p.cfg_scale > 1.0,
        pictures=range(first, first + (len(named) or p.batch_size)),
        tags=tags,
        window=host.crop_window(p),
        size=(p.width, p.height),
        reader=host.read_pass(p, conditioning),
    )


def picture_size(p: Any) -> tuple[int, int]:
    """Return the size of the whole picture that region masks are painted for."""
    cropped = getattr(p, "inpaint_full_res", False) and getattr(p, "image_mask", None) is not None
    size: tuple[int, int] = p.init_images[0].size if cropped else (p.width, p.height)
    return size
