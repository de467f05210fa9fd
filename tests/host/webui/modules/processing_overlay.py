"""What happens to one finished picture: hooks, and the overlay of inpainting."""

from __future__ import annotations

from typing import Any

from PIL import Image

from modules import images
from modules.scripts_base import PostprocessImageArgs, PostProcessMaskOverlayArgs


def postprocess_image(p: Any, index: int, image: Image.Image) -> Image.Image:
    if p.scripts is not None:
        args = PostprocessImageArgs(image)
        p.scripts.postprocess_image(p, args)
        image = args.image
    overlay = p.overlay_images[index] if p.overlay_images and index < len(p.overlay_images) else None
    if p.scripts is not None:
        mask_args = PostProcessMaskOverlayArgs(index, p.mask_for_overlay, overlay)
        p.scripts.postprocess_maskoverlay(p, mask_args)
        p.mask_for_overlay, overlay = mask_args.mask_for_overlay, mask_args.overlay_image
    image = apply_overlay(image, p.paste_to, overlay)
    if p.scripts is not None:
        args = PostprocessImageArgs(image)
        p.scripts.postprocess_image_after_composite(p, args)
        image = args.image
    return image


def apply_overlay(image: Image.Image, paste_loc: Any, overlay: Image.Image | None) -> Image.Image:
    """Put what inpainting left alone over the result."""
    if overlay is None:
        return image
    if paste_loc is not None:
        x, y, width, height = paste_loc
        whole = Image.new("RGBA", (overlay.width, overlay.height))
        whole.paste(images.resize_image(1, image, width, height), (x, y))
        image = whole
    image = image.convert("RGBA")
    image.alpha_composite(overlay)
    return image.convert("RGB")
