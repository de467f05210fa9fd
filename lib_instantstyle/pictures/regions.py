"""Regions: masks that say where in the picture each reference acts.

All masks are resized to one square, whose coordinates are fractions of the picture, and resampled to the grid of each
cross-attention. Area averaging keeps soft edges soft, and the shares of a place still add up to 1.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from lib_instantstyle.errors import PictureError

if TYPE_CHECKING:
    from collections.abc import Mapping

MASK_SIZE = 512  # four times the finest grid of a 2048-pixel picture
ASPECT_TOLERANCE = 0.04  # relative; the WebUI rounds sizes to multiples of 8


class CropWindow(NamedTuple):
    """The part of the picture that a pass samples, as fractions; beyond 0 to 1 where the host pads the picture."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0


WHOLE = CropWindow()


@dataclass(frozen=True)
class Mask:
    """A region: 0 outside, 255 inside."""

    values: torch.Tensor  # [MASK_SIZE, MASK_SIZE], uint8
    size: tuple[int, int] | None = None  # width and height of the picture it was painted for, where known

    @functools.cached_property
    def sha256(self) -> str:
        """Hash of the values."""
        return hashlib.sha256(self.values.numpy().tobytes()).hexdigest()

    def fits(self, width: int, height: int) -> bool:
        """Whether a picture of that size has the mask's aspect ratio, up to rounding; a mask of unknown size fits."""
        return self.size is None or _same_aspect(self.size, (width, height))


def make_mask(image: Image.Image) -> Mask:
    """Make a mask of a greyscale picture: the reference acts fully where it is white, not at all where it is black.

    A picture of another aspect ratio stretches it: a region is fractions of the picture, so that the left half stays
    the left half, nothing is cut off, and regions that meet go on meeting.

    Raises:
        PictureError: If it is all black.
    """
    squashed = image.convert("L").resize((MASK_SIZE, MASK_SIZE), Image.Resampling.BOX)
    values = torch.from_numpy(np.array(squashed, dtype=np.uint8))
    if not values.any():
        raise PictureError("A region mask is black throughout, so its reference would act nowhere. Paint white.")
    return Mask(values, image.size)


def fitted(image: Image.Image, width: int, height: int) -> Image.Image:
    """Return a mask stretched to the aspect ratio of a picture of that size; itself if it has that already."""
    if _same_aspect(image.size, (width, height)):
        return image
    scale = max(image.size) / max(width, height)
    return image.resize((max(round(width * scale), 1), max(round(height * scale), 1)), Image.Resampling.BOX)


def area_of(mask: Mask | None) -> torch.Tensor:
    """Return where ``mask`` lets a reference act, ``[MASK_SIZE, MASK_SIZE]`` in 0…1; without one, everywhere."""
    return torch.ones(MASK_SIZE, MASK_SIZE) if mask is None else mask.values.float() / 255.0


def partition(masks: Mapping[int, Mask], count: int) -> tuple[list[torch.Tensor | None], torch.Tensor | None]:
    """Divide the picture among ``count`` references, some of which have masks.

    Where masks add up to more than 1 they are divided by their sum. References without a mask share the rest.

    Returns:
        For each reference its area ``[MASK_SIZE, MASK_SIZE]`` in float32, or None if it has no mask; and the area of
        the rest, or None if there are no masks.
    """
    if not masks:
        return [None] * count, None
    areas = {index: area_of(mask) for index, mask in masks.items()}
    total = torch.stack(list(areas.values())).sum(dim=0)
    divided = {index: area / total.clamp_min(1.0) for index, area in areas.items()}
    return [divided.get(index) for index in range(count)], (1.0 - total).clamp_min(0.0)


def sample(areas: torch.Tensor, window: CropWindow, height: int, width: int) -> torch.Tensor:
    """Resample ``areas`` ``[n, MASK_SIZE, MASK_SIZE]`` to the grid of one cross-attention, which covers ``window``.

    Returns:
        ``[n, height · width, 1]``, in the order of the query's positions.
    """
    size = areas.shape[-1]
    rows, columns = _span(window.top, window.bottom, size), _span(window.left, window.right, size)
    part = areas[:, rows][:, :, columns].unsqueeze(1).float()
    return F.interpolate(part, (height, width), mode="area").flatten(2).transpose(1, 2)


class RegionSampler:
    """Resamples areas during one sampling pass, once for all cross-attentions with the same grid."""

    def __init__(self, window: CropWindow) -> None:
        self._window = window
        self._sampled: dict[tuple[int, int, int], torch.Tensor] = {}

    def sample(self, areas: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Return `sample` of the window of this pass, cached. ``areas`` must outlive the sampler."""
        known = (id(areas), height, width)
        if known not in self._sampled:
            self._sampled[known] = sample(areas, self._window, height, width)
        return self._sampled[known]


def _same_aspect(one: tuple[int, int], other: tuple[int, int]) -> bool:
    ratio = (one[0] * other[1]) / (one[1] * other[0])
    return 1 - ASPECT_TOLERANCE <= ratio <= 1 + ASPECT_TOLERANCE


def _span(start: float, end: float, size: int) -> torch.Tensor:
    """Return the indices of a span; beyond the picture, those of its edge are repeated."""
    first = round(start * size)
    return torch.arange(first, max(round(end * size), first + 1)).clamp(0, size - 1)
