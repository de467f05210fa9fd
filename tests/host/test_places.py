"""Where pictures of inpainting belong, and how large those of hires fix are."""

from __future__ import annotations

import pytest
from PIL import Image


def test_only_masked_notes_its_place_in_the_picture_s_coordinates(host):
    mask = Image.new("L", (200, 100))
    mask.paste(255, (120, 40, 140, 60))
    picture = Image.new("RGB", (200, 100), "red")
    p = host.job("img2img", init_images=[picture], mask=mask, mask_blur=0, inpaint_full_res_padding=10, width=128)
    result = host.run(p)
    assert p.paste_to == (90, 30, 80, 40)
    assert result.images[0].size == (200, 100)


def test_only_masked_with_a_blank_mask_is_plain_img2img(host):
    p = host.job("img2img", init_images=[Image.new("RGB", (64, 64))], mask=Image.new("L", (64, 64)), steps=1)
    result = host.run(p)
    assert (p.paste_to, p.mask_for_overlay, p.image_mask) == (None, None, None)
    assert "mask" in result.comments


@pytest.mark.parametrize(
    ("fields", "target", "cut", "size"),
    [
        ({"hr_scale": 1.5}, (96, 96), (0, 0), (96, 96)),
        ({"hr_resize_x": 128}, (128, 128), (0, 0), (128, 128)),
        ({"hr_resize_x": 128, "hr_resize_y": 64}, (128, 128), (0, 8), (128, 64)),
        ({"hr_resize_x": 64, "hr_resize_y": 128}, (128, 128), (8, 0), (64, 128)),
        ({"hr_scale": 1.3}, (83, 83), (0, 0), (80, 80)),
    ],
)
@pytest.mark.parametrize("upscaler", ["Latent", "Lanczos"])
def test_hires_sizes(host, fields, target, cut, size, upscaler):
    p = host.job(steps=1, enable_hr=True, denoising_strength=0.5, hr_upscaler=upscaler, **fields)
    result = host.run(p)
    assert (p.hr_upscale_to_x, p.hr_upscale_to_y) == target
    assert (p.truncate_x, p.truncate_y) == cut
    assert result.images[0].size == size
