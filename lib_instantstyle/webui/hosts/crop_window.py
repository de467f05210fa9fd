"""The part of the whole picture that a pass samples: hosts crop for "Only masked", and in some hires passes."""

from __future__ import annotations

from typing import Any

from lib_instantstyle.pictures.regions import WHOLE, CropWindow

_LATENT = 8  # pixels of the picture per pixel of the latent


def crop_window(p: Any) -> CropWindow:
    """Return the part of the whole picture that the coming pass of ``p`` samples."""
    if getattr(p, "is_hr_pass", False):
        return _hires_window(p)
    cropped, pictures = getattr(p, "paste_to", None), getattr(p, "init_images", None)
    if not cropped or not pictures:
        return WHOLE
    left, top, width, height = cropped
    scale = min(p.width / width, p.height / height)  # the crop is fitted into the sampled shape and padded
    across, down = p.width / scale, p.height / scale
    left, top = left - (across - width) / 2, top - (down - height) / 2
    whole_width, whole_height = pictures[0].size
    return CropWindow(
        left / whole_width, top / whole_height, (left + across) / whole_width, (top + down) / whole_height
    )


def _hires_window(p: Any) -> CropWindow:
    """Return the part that remains when the upscaled picture is cut by ``truncate_x``, ``truncate_y`` latent pixels."""
    across, down = _LATENT * p.truncate_x / p.hr_upscale_to_x / 2, _LATENT * p.truncate_y / p.hr_upscale_to_y / 2
    return CropWindow(across, down, 1.0 - across, 1.0 - down)
