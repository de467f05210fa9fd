"""Styling without an adapter, and with both, in jobs of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lifecycle.conftest import Studio

ALONE = {"method": "No adapter"}
BOTH = {"method": "Both"}


@pytest.mark.parametrize(
    ("style", "fields"),
    [
        (ALONE, {}),
        (ALONE, {"batch_size": 3}),
        (ALONE, {"n_iter": 2}),
        (ALONE, {"prompt": "a cat AND a dog :0.5"}),
        (ALONE, {"cfg_scale": 1.0}),
        (ALONE, {"sampler_name": "Heun"}),
        (ALONE, {"sampler_name": "DDIM"}),
        (ALONE, {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.7}),
        (ALONE | {"reading": "Share"}, {}),
        (ALONE | {"reading": "Share", "copies": 2}, {"batch_size": 2}),
        (ALONE | {"self_weight": 0.5}, {}),
        (ALONE | {"reach": "Texture"}, {}),
        (ALONE | {"reach": "Custom", "self_blocks": "style:1, up_blocks.1.attentions.0:0.5"}, {}),
        (ALONE | {"self_weight": 0.0, "calibration": 1.0}, {"steps": 6}),
        (ALONE | {"self_weight": 0.0, "calibration": 1.0}, {"sampler_name": "DDIM", "steps": 6}),
        (ALONE | {"self_weight": 0.0, "block_adain": 1.0}, {}),
        (ALONE | {"every": 2}, {}),
        (ALONE | {"reference_area": 0.25}, {}),
        (ALONE | {"reference_caption": "stripes"}, {}),
        (ALONE | {"push": 1.0}, {}),
        (ALONE | {"start": 0.3, "end": 0.7}, {"steps": 6}),
        (BOTH, {}),
        (BOTH | {"content": "a cat"}, {"batch_size": 2}),
    ],
    ids=str,
)
def test_it_styles_and_leaves_nothing(studio: Studio, style: dict[str, Any], fields: dict[str, Any]) -> None:
    plain = studio.plain(**fields)
    styled = studio.styled(style, **fields)
    assert len(styled) == len(plain)
    assert all(one != other for one, other in zip(styled, plain, strict=True))
    assert studio.styled(style, **fields) == styled
    assert studio.plain(**fields) == plain
