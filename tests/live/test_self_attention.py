"""Styling without an adapter: what it meets beyond what the suite asks for with ``--method "No adapter"``."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import WebUI, encoded
from tests.live.test_combinations import HIRES, styled
from tests.live.test_controls import LEFT, RIGHT, mask
from tests.live.test_generation import INIT, half_mask
from tests.live.test_library import delete
from tests.tiny import pictures

JOBS: dict[str, dict[str, Any]] = {
    "one": {},
    "batch": {"batch_size": 3, "n_iter": 2},
    "and": {"prompt": "a house AND a tree :0.5"},
    "unguided": {"cfg_scale": 1},
    "two calls a step": {"sampler_name": "Heun", "steps": 4},
    "timesteps": {"sampler_name": "DDIM", "steps": 6},
    "hires": HIRES | {"hr_upscaler": "Latent"},
    "another shape": {"width": 64, "height": 128},
}
INPUT = {"init_images": [INIT], "denoising_strength": 0.7}
MASKED = INPUT | {"mask": half_mask(), "mask_blur": 4}


@pytest.fixture
def alone(style: dict[str, Any]) -> dict[str, Any]:
    return style | {"method": "No adapter"}


@pytest.mark.each_host
@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_every_kind_of_job(webui: WebUI, alone: dict[str, Any], fields: dict[str, Any]) -> None:
    answer = styled(webui, alone, **fields)
    assert "InstantStyle method: No adapter" in answer.infotexts[0]
    assert "adapter SHA-256" not in answer.infotexts[0]
    assert webui.txt2img(alone, **fields).pictures == answer.pictures


@pytest.mark.parametrize(
    "fields", [INPUT, MASKED, MASKED | {"inpaint_full_res": True}], ids=["img2img", "inpaint", "only masked"]
)
def test_img2img(webui: WebUI, alone: dict[str, Any], fields: dict[str, Any]) -> None:
    styled(webui, alone, "img2img", **fields)
    styled(webui, alone | {"self_weight": 0, "calibration": 1, "calibration_start": 0.2}, "img2img", steps=8, **fields)


def test_a_model_that_predicts_v(webui: WebUI, alone: dict[str, Any]) -> None:
    needs.checkpoint(webui, "tiny-sdxl-v")
    with webui.options(sd_model_checkpoint="tiny-sdxl-v.safetensors"):
        styled(webui, alone)
        styled(webui, alone, "img2img", **MASKED)


@pytest.mark.each_host
@pytest.mark.parametrize(
    "changes",
    [
        {"reading": "Share"},
        {"reading": "Share", "push": 0, "copies": 3},
        {"self_weight": 0.4},
        {"push": 1},
        {"reach": "Texture, colours from the prompt"},
        {"reach": "Custom", "self_blocks": "style:1, up_blocks.1.attentions.0:0.5"},
        {"calibration": 1},
        {"self_weight": 0, "block_adain": 0.8},
        {"every": 3},
        {"reference_area": 0.5},
        {"reference_caption": "stripes"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_every_control_changes_the_picture(webui: WebUI, alone: dict[str, Any], changes: dict[str, Any]) -> None:
    fields = {"width": 128, "height": 128, "steps": 6}
    assert styled(webui, alone | changes, **fields).pictures != webui.txt2img(alone, **fields).pictures


@pytest.mark.each_host
def test_both_are_more_than_either(webui: WebUI, style: dict[str, Any], alone: dict[str, Any]) -> None:
    by_adapter = {key: value for key, value in style.items() if key != "method"}
    made = {styled(webui, wish).pictures[0] for wish in (by_adapter, alone, style | {"method": "Both"})}
    assert len(made) == 3


def test_several_references(webui: WebUI, alone: dict[str, Any]) -> None:
    two = alone | {"images": [encoded(pictures.dots())]}
    made = [
        styled(webui, two | {"combine": combine}, batch_size=2).pictures[1]
        for combine in ("Blend", "Each place picks one", "Add up", "One per picture")
    ]
    assert len(set(made)) == 4
    styled(webui, two | {"masks": [mask(LEFT), mask(RIGHT)]})


def test_what_needs_an_adapter_is_said(webui: WebUI, alone: dict[str, Any]) -> None:
    answer = webui.txt2img(alone | {"content": "a cat", "negative_image": encoded(pictures.dots())})
    note = "no content was removed, since that needs an adapter; negative and subject picture were left out"
    assert note in answer.infotexts[0]
    unguided = webui.txt2img(alone | {"push": 1}, cfg_scale=1)
    assert "what acts through CFG only did nothing: push" in unguided.infotexts[0]


def test_a_saved_style_needs_no_picture(webui: WebUI, alone: dict[str, Any]) -> None:
    name = "read without an adapter"
    webui.post("/instantstyle/styles", {"name": name, "style": alone, "replace": True})
    by_name = webui.txt2img({"enabled": True, "style": name})
    by_tag = webui.txt2img(prompt=f"a house <instantstyle:{name}>")
    assert by_name.pictures == by_tag.pictures
    assert by_name.styled
    delete(webui, name)


def test_a_lora_changes_what_is_read(webui: WebUI, alone: dict[str, Any]) -> None:
    """Kept records are those of the weights that they were made with."""
    needs.network(webui, "loras", "tiny-lora")
    without, with_lora = "a house", "a house <lora:tiny-lora:1>"
    first = {prompt: styled(webui, alone, prompt=prompt).pictures for prompt in (without, with_lora)}
    assert first[without] != first[with_lora]
    assert {prompt: webui.txt2img(alone, prompt=prompt).pictures for prompt in first} == first
    fresh = webui.txt2img(alone | {"reference_area": 0.99}, prompt=without)  # another size rounds to the same one
    assert fresh.pictures == first[without]


def test_a_hypernetwork_changes_what_is_read(webui: WebUI, alone: dict[str, Any]) -> None:
    needs.hypernetwork(webui)
    prompt = f"a house {needs.HYPERNETWORK}"
    with_network, without = styled(webui, alone, prompt=prompt).pictures, styled(webui, alone).pictures
    assert with_network != without
    assert webui.txt2img(alone).pictures == without
