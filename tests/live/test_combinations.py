"""What a request may ask of the WebUI beside a style, and that no other test asks for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import Answer, WebUI, encoded
from tests.live.test_generation import INIT, assert_styled, half_mask
from tests.tiny import pictures

HIRES = {"enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.6}
WIDE = encoded(pictures.sunset().resize((96, 48)))
LATENT, PIXELS = ["Latent", "Latent (nearest)", "Latent (bicubic antialiased)"], ["None", "Lanczos", "Nearest"]


def styled(webui: WebUI, style: dict[str, Any], kind: str = "txt2img", **fields: Any) -> Answer:
    """Make a picture styled and unstyled, compare them, and return the styled one."""
    generate = getattr(webui, kind)
    answer = generate(style, **fields)
    assert_clean(answer, generate(**fields))
    return answer


def assert_clean(answer: Answer, unstyled: Answer) -> None:
    """The pictures differ, and the infotext has no note of anything that failed."""
    assert_styled(answer, unstyled)
    assert "InstantStyle note" not in "".join(answer.infotexts)


def test_every_scheduler(webui: WebUI, style: dict[str, Any]) -> None:
    schedulers = needs.schedulers(webui)
    assert len(schedulers) >= 5
    for scheduler in schedulers:
        styled(webui, style, scheduler=scheduler)


def test_every_scheduler_honours_the_window(webui: WebUI, style: dict[str, Any]) -> None:
    for scheduler in needs.schedulers(webui):
        fields = {"scheduler": scheduler, "steps": 4}
        early = webui.txt2img(style | {"end": 0.4}, **fields)
        late = webui.txt2img(style | {"start": 0.4}, **fields)
        assert early.pictures != late.pictures, scheduler  # the calls of some lie all on one side of 0.4


@pytest.mark.parametrize("upscaler", [*LATENT, *PIXELS])
def test_hires_by_every_kind_of_upscaler(webui: WebUI, style: dict[str, Any], upscaler: str) -> None:
    modes = [entry["name"] for entry in webui.get("/sdapi/v1/latent-upscale-modes")]
    needs.need(upscaler in modes + [entry["name"] for entry in webui.get("/sdapi/v1/upscalers")], upscaler)
    styled(webui, style, hr_upscaler=upscaler, **HIRES)


def test_hires_with_another_sampler_prompt_and_steps(webui: WebUI, style: dict[str, Any]) -> None:
    other = {"hr_sampler_name": "DDIM", "hr_prompt": "a tree AND a cat", "hr_second_pass_steps": 5}
    styled(webui, style, hr_upscaler="Latent", **HIRES, **other)


def test_hires_with_refiner_and_another_checkpoint(webui: WebUI, style: dict[str, Any]) -> None:
    models = {"hr_checkpoint_name": "tiny-sdxl-b", "refiner_checkpoint": "tiny-sdxl", "refiner_switch_at": 0.5}
    styled(webui, style, hr_upscaler="Latent", steps=4, n_iter=2, **HIRES, **models)


@pytest.mark.parametrize("mode", [0, 1, 2, 3], ids=["squash", "crop", "pad", "latent"])
def test_img2img_of_another_shape(webui: WebUI, style: dict[str, Any], mode: int) -> None:
    styled(webui, style, "img2img", init_images=[WIDE], resize_mode=mode, denoising_strength=0.6)


@pytest.mark.parametrize("strength", [0.05, 1.0])
def test_img2img_from_little_to_all_noise(webui: WebUI, style: dict[str, Any], strength: float) -> None:
    styled(webui, style, "img2img", init_images=[INIT], denoising_strength=strength, steps=20)


@pytest.mark.parametrize("whole", [True, False], ids=["whole picture", "only masked"])
@pytest.mark.parametrize("fill", [0, 3], ids=["fill", "latent nothing"])
@pytest.mark.parametrize("inverted", [0, 1], ids=["masked", "not masked"])
def test_further_ways_to_inpaint(webui: WebUI, style: dict[str, Any], whole: bool, fill: int, inverted: int) -> None:
    fields = {"inpaint_full_res": not whole, "inpainting_fill": fill, "inpainting_mask_invert": inverted}
    init = {"init_images": [INIT], "mask": half_mask(), "mask_blur": 4, "denoising_strength": 0.8}
    styled(webui, style, "img2img", batch_size=2, **init, **fields)


def test_soft_inpainting(webui: WebUI, style: dict[str, Any]) -> None:
    needs.script(webui, "soft inpainting", "img2img")
    soft = {"Soft inpainting": {"args": [True, 1, 0.5, 4, 0, 0.5, 2]}}
    init = {"init_images": [INIT], "mask": half_mask(), "mask_blur": 8, "denoising_strength": 0.8}
    plain = [webui.img2img(alwayson_scripts=soft, seed=seed, **init).pictures for seed in (1, 2)]
    needs.need(plain[0] != plain[1], "soft inpainting that shows what was sampled")
    answer = styled(webui, style, "img2img", alwayson_scripts=soft, **init)
    assert "Soft inpainting enabled: True" in answer.infotexts[0]


@pytest.mark.parametrize(
    "prompt",
    ["a [house:tree:0.5]", "[a house|a tree] by the sea", "(a house:1.4), [b]", "a house BREAK a tree",
     "[a cat:a dog:0.3] AND [a house::0.6] :0.5"],
    ids=["edited", "alternating", "weighted", "break", "edited and"],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3])
def test_every_kind_of_prompt(webui: WebUI, style: dict[str, Any], prompt: str, size: int) -> None:
    styled(webui, style, prompt=prompt, batch_size=size, steps=4)


@pytest.mark.parametrize("content", ["", "a cat"], ids=["", "with content"])
def test_clip_skip(webui: WebUI, style: dict[str, Any], content: str) -> None:
    skip: dict[str, Any] = {"CLIP_stop_at_last_layers": 2}
    if "sdxl_clip_l_skip" in webui.get("/sdapi/v1/options"):
        skip["sdxl_clip_l_skip"] = True  # without it the WebUI skips nothing on SDXL
    with webui.options(**skip):
        answer = styled(webui, style | {"content": content})
    assert "Clip skip: 2" in answer.infotexts[0]


def test_a_plot_over_samplers_and_checkpoints(webui: WebUI, style: dict[str, Any]) -> None:
    """Each cell is what it is alone."""
    needs.true_plot(webui)
    samplers, checkpoints = ["Euler", "DDIM"], ["tiny-sdxl-b.safetensors", "tiny-sdxl.safetensors"]
    answer = webui.plot(style, ("Sampler", samplers), ("Checkpoint name", checkpoints))
    alone = [
        webui.txt2img(style, sampler_name=sampler, override_settings={"sd_model_checkpoint": checkpoint}).pictures[0]
        for checkpoint in checkpoints
        for sampler in samplers
    ]
    assert answer.pictures[-4:] == alone
    assert len(set(alone)) == 4


def test_a_model_that_predicts_v(webui: WebUI, style: dict[str, Any]) -> None:
    """The same weights as the first model's, read otherwise."""
    needs.checkpoint(webui, "tiny-sdxl-v")
    noise = webui.txt2img(style).pictures
    with webui.options(sd_model_checkpoint="tiny-sdxl-v.safetensors"):
        for sampler in ("Euler", "DDIM", "UniPC"):
            answer = styled(webui, style, sampler_name=sampler)
        assert styled(webui, style).pictures != noise
        window = [webui.txt2img(style | part, steps=6).pictures for part in ({}, {"end": 0.4}, {"start": 0.4})]
        styled(webui, style | {"content": "a cat", "preset": "all blocks"}, batch_size=2)
    assert answer.styled
    assert len({picture for pictures in window for picture in pictures}) == 3
