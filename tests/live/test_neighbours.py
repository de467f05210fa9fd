"""Side by side with the WebUI's other doings: other jobs, other checkpoints, its own scripts and patches."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.live import needs
from tests.live.client import WebUI
from tests.live.test_generation import INIT, assert_styled

PROMPT_MATRIX = [False, False, "positive", "comma", 0]
SCRIPTS: dict[tuple[str, str], dict[str, Any]] = {  # what is chosen of each, by label
    ("txt2img", "prompt matrix"): {},
    ("txt2img", "prompts from file or textbox"): {"list_of_prompt_inputs": "a cat\na dog"},
    ("img2img", "loopback"): {"loops": 2},
    ("img2img", "sd upscale"): {"tile_overlap": 16},
}


def test_jobs_at_the_same_time_do_not_mix(webui: WebUI, style: dict[str, Any], plain: list[bytes]) -> None:
    styled = webui.txt2img(style).pictures
    layout = webui.txt2img(style | {"preset": "layout"}).pictures
    requests: list[Any] = [None, style, style | {"preset": "layout"}, {"enabled": True, "image": None}] * 2
    with ThreadPoolExecutor(len(requests)) as pool:
        answers = list(pool.map(webui.txt2img, requests))
    assert [answer.status for answer in answers] == [200, 200, 200, 422] * 2
    assert [answer.pictures for answer in answers if answer.status == 200] == [plain, styled, layout] * 2


def test_progress_is_told_during_a_styled_job(webui: WebUI, style: dict[str, Any]) -> None:
    answers: list[Any] = []
    job = threading.Thread(target=lambda: answers.append(webui.txt2img(style, steps=30)))
    job.start()
    seen = []
    while job.is_alive():
        seen.append(webui.get("/sdapi/v1/progress?skip_current_image=true")["progress"])
        time.sleep(0.02)
    assert answers[0].styled
    assert any(0 < progress < 1 for progress in seen)


@pytest.mark.parametrize("route", ["interrupt", "skip"])
def test_a_stopped_batch_is_followed_by_whole_ones(webui: WebUI, style: dict[str, Any], route: str) -> None:
    whole = webui.txt2img(style, steps=20).pictures
    job = threading.Thread(target=webui.txt2img, args=[style], kwargs={"steps": 60, "n_iter": 2})
    job.start()
    while webui.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"] < 2 and job.is_alive():
        time.sleep(0.02)
    webui.post(f"/sdapi/v1/{route}", {})
    job.join()
    assert webui.txt2img(style, steps=20).pictures == whole


@pytest.mark.parametrize("ratio", [0.0, 0.5])
def test_token_merging(webui: WebUI, style: dict[str, Any], ratio: float) -> None:
    fields = {"override_settings": {"token_merging_ratio": ratio}}
    assert_styled(webui.txt2img(style, **fields), webui.txt2img(**fields))


@pytest.mark.parametrize("size", [(64, 128), (136, 72), (128, 192)], ids=str)
def test_other_shapes(webui: WebUI, style: dict[str, Any], size: tuple[int, int]) -> None:
    fields = {"width": size[0], "height": size[1]}
    assert_styled(webui.txt2img(style, **fields), webui.txt2img(**fields))


def test_a_hires_checkpoint(webui: WebUI, style: dict[str, Any]) -> None:
    hires = {"enable_hr": True, "hr_scale": 1.5, "hr_upscaler": "Latent", "denoising_strength": 0.6}
    fields = hires | {"hr_checkpoint_name": "tiny-sdxl-b"}
    for passes in ("both", "first pass", "hires pass"):
        assert_styled(webui.txt2img(style | {"passes": passes}, **fields), webui.txt2img(**fields))


def test_the_refiner_in_every_batch(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"refiner_checkpoint": "tiny-refiner", "refiner_switch_at": 0.5, "steps": 4, "n_iter": 2}
    assert_styled(webui.txt2img(style, **fields), webui.txt2img(**fields))


def test_a_checkpoint_for_one_request(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"override_settings": {"sd_model_checkpoint": "tiny-sdxl-b"}}
    answer = webui.txt2img(style, **fields)
    assert_styled(answer, webui.txt2img(**fields))
    assert answer.pictures != webui.txt2img(style).pictures


def test_several_checkpoints_in_memory(webui: WebUI, style: dict[str, Any]) -> None:
    """With room for two models a switch back builds nothing and calls no ``on_model_loaded``."""
    before = webui.option("sd_model_checkpoint")
    first = webui.txt2img(style).pictures
    webui.set_option("sd_checkpoints_limit", 2)
    try:
        for checkpoint in ("tiny-sdxl-b", before, "tiny-sdxl-b"):
            webui.set_option("sd_model_checkpoint", checkpoint)
            assert_styled(webui.txt2img(style), webui.txt2img())
    finally:
        webui.set_option("sd_model_checkpoint", before)
        webui.set_option("sd_checkpoints_limit", 1)
    assert webui.txt2img(style).pictures == first


def test_the_picture_carries_its_infotext(webui: WebUI, style: dict[str, Any]) -> None:
    answer = webui.txt2img(style | {"content": "a cat", "style_weight": 0.7})
    read = webui.post("/sdapi/v1/png-info", {"image": answer.body["images"][0]})
    assert read.status == 200, read.body
    assert read.body["info"] == answer.infotexts[0]
    assert read.body["parameters"]["InstantStyle style weight"] in (0.7, "0.7")
    assert read.body["parameters"]["InstantStyle content"] == "a cat"


@pytest.mark.parametrize(("kind", "script"), SCRIPTS, ids=[name for _, name in SCRIPTS])
def test_scripts_that_generate_several_times(webui: WebUI, style: dict[str, Any], kind: str, script: str) -> None:
    arguments = needs.script_arguments(webui, script, kind, **SCRIPTS[kind, script])
    fields = {"prompt": "a house|by the sea|at night", "script_name": script, "script_args": arguments}
    if kind == "img2img":
        fields |= {"init_images": [INIT], "denoising_strength": 0.6}
    generate = getattr(webui, kind)
    assert_styled(generate(style, **fields), generate(**fields))
