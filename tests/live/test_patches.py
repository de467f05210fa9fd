"""The WebUI's own changes to the UNet and to its attention, each with a style."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import WebUI
from tests.live.test_combinations import HIRES, styled

LARGE = {"width": 512, "height": 512, "steps": 2}  # HyperTile cuts nothing smaller


@pytest.mark.parametrize("fields", [LARGE, LARGE | {"batch_size": 2, "prompt": "a AND b"}], ids=["one", "batch"])
def test_hypertile(webui: WebUI, style: dict[str, Any], fields: dict[str, Any]) -> None:
    needs.option(webui, "hypertile_enable_unet")
    whole = webui.txt2img(**fields).pictures
    with webui.options(hypertile_enable_unet=True, hypertile_max_tile_unet=128):
        answer = styled(webui, style, **fields)
        assert webui.txt2img(**fields).pictures != whole
    assert "Hypertile U-Net: True" in answer.infotexts[0]


def test_hypertile_in_the_hires_pass(webui: WebUI, style: dict[str, Any]) -> None:
    needs.option(webui, "hypertile_enable_unet_secondpass")
    fields = HIRES | {"width": 256, "height": 256, "hr_scale": 2, "hr_upscaler": "Latent", "steps": 2}
    with webui.options(hypertile_enable_unet_secondpass=True, hypertile_max_tile_unet=128):
        answer = styled(webui, style, **fields)
    assert "Hypertile U-Net second pass: True" in answer.infotexts[0]


def test_token_merging_of_both_passes(webui: WebUI, style: dict[str, Any]) -> None:
    needs.option(webui, "token_merging_ratio_hr")
    with webui.options(token_merging_ratio=0.5, token_merging_ratio_hr=0.3):
        answer = styled(webui, style, hr_upscaler="Latent", **HIRES)
    assert "Token merging ratio: 0.5" in answer.infotexts[0]


@pytest.mark.parametrize("cache", [False, True], ids=["", "fp16 kept"])
def test_weights_stored_in_fp8(webui: WebUI, style: dict[str, Any], cache: bool) -> None:
    for name in ("fp8_storage", "cache_fp16_weight"):
        needs.option(webui, name)
    with webui.options(cache_fp16_weight=cache, fp8_storage="Enable for SDXL"):
        plain = webui.txt2img()
        acts = plain.status == 200 and "FP8 weight" in plain.infotexts[0]
        needs.need(acts, "picture in fp8 even without a style")
        for request in (style, style | {"preset": "all blocks", "content": "a cat"}):
            answer = styled(webui, request)
        styled(webui, style, hr_upscaler="Latent", **HIRES)
    assert "FP8 weight: Enable for SDXL" in answer.infotexts[0]


def test_attention_in_float32(webui: WebUI, style: dict[str, Any]) -> None:
    with webui.options(upcast_attn=True):
        styled(webui, style)
