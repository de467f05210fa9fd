"""What styling needs to know about one sampling pass of a job."""

from __future__ import annotations

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
        tags: The saved styles named in the prompt.
        window: The part of the whole picture that is sampled.
        reader: Tells the rows of the UNet's calls apart.
    """

    is_hires: bool
    has_hires: bool
    is_guided: bool
    tags: tuple[StyleTag, ...]
    window: CropWindow
    reader: PassReader


def coming_pass(p: Any, conditioning: Any, tags: tuple[StyleTag, ...], host: Host) -> Pass:
    """Return the pass that the processing object ``p`` is about to sample."""
    return Pass(
        is_hires=bool(getattr(p, "is_hr_pass", False)),
        has_hires=bool(getattr(p, "enable_hr", False)),
        is_guided=p.cfg_scale > 1.0,
        tags=tags,
        window=host.crop_window(p),
        reader=host.read_pass(p, conditioning),
    )
