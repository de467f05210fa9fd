"""Mistakes end in a message that tells what to do; after each the plain picture is bit-identical."""

from __future__ import annotations

import base64
import threading
import time
from typing import Any

import pytest
from PIL import Image

from tests.live.client import WebUI, encoded


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"image": None}, ["No reference picture"]),
        ({"image": base64.b64encode(b"\x89PNG\r\n\x1a\n damaged").decode()}, ["cannot be read", "PNG"]),
        ({"image": encoded(Image.new("RGB", (1, 1)))}, ["1×1", "at least 16"]),
        ({"image": encoded(Image.new("1", (12_000, 12_000)))}, ["12000×12000", "scale it down"]),
        ({"image": base64.b64encode(b"just some text").decode()}, ["cannot be read"]),
        ({"image": 7}, ["must be a base64 text", "int"]),
        ({"image": "http://127.0.0.1/secret.png"}, ["Request to local resource not allowed"]),
        ({"adapter": "nowhere"}, ["'nowhere' was not found", "ip-adapter_sdxl.safetensors"]),
        ({"adapter": "../../etc/passwd"}, ["was not found"]),
        ({"adapter": "ip-adapter_sdxl_vit-h", "content": "a cat"}, ["1024", "1280", "ip-adapter_sdxl"]),
        ({"adapter": "ip-adapter-plus_sdxl_vit-h", "content": "a cat"}, ["Plus adapters", "ip-adapter_sdxl"]),
        ({"start": 0.8, "end": 0.2}, ["End (end)", "start 0.8", "end 0.2"]),
        ({"style_weight": "abc"}, ["Style weight (style_weight)", "number", "'abc'"]),
        ({"style_weight": None}, ["number", "null"]),
        ({"style_weight": 9}, ["between -1 and 3", "9"]),
        ({"content": ["a cat"]}, ["Content to remove (content)", "text"]),
        ({"style_wieght": 1}, ["style_wieght", "'style_weight'"]),
        ({"preset": "loud"}, ["loud", "Style + layout"]),
        ({"preset": "custom", "blocks": "head:1"}, ["head", "up_blocks.0.attentions.1"]),
        ({"enabled": "yes"}, ["Enabled (enabled)", "'yes'"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_mistakes_are_answered_with_422(
    webui: WebUI, style: dict[str, Any], changes: dict[str, Any], words: list[str]
) -> None:
    for answer in (webui.txt2img(style | changes), _img2img(webui, style | changes)):
        assert answer.status == 422, answer.body
        assert answer.body["detail"] == answer.error
        assert all(word in answer.body["detail"] for word in words), answer.body["detail"]


def _img2img(webui: WebUI, style: dict[str, Any]) -> Any:
    return webui.img2img(style, init_images=[encoded(Image.new("RGB", (64, 64)))])


@pytest.mark.parametrize(
    ("checkpoint", "word"), [("tiny-sd15", "Stable Diffusion 1.x"), ("tiny-refiner", "SDXL refiner")]
)
def test_other_models_are_refused_by_name(webui: WebUI, style: dict[str, Any], checkpoint: str, word: str) -> None:
    before = webui.option("sd_model_checkpoint")
    try:
        webui.set_option("sd_model_checkpoint", checkpoint)
        answer = webui.txt2img(style)
        assert answer.status == 422, answer.body
        assert word in answer.body["detail"]
        assert webui.txt2img().status == 200
    finally:
        webui.set_option("sd_model_checkpoint", before)


def test_a_checkpoint_switch_leaves_nothing(webui: WebUI, style: dict[str, Any]) -> None:
    before = webui.option("sd_model_checkpoint")
    first = webui.txt2img(style).pictures
    try:
        webui.set_option("sd_model_checkpoint", "tiny-sdxl-b")
        plain = webui.txt2img().pictures
        assert webui.txt2img(style).pictures not in (first, plain)
        assert webui.txt2img().pictures == plain
    finally:
        webui.set_option("sd_model_checkpoint", before)
    assert webui.txt2img(style).pictures == first


@pytest.mark.parametrize("route", ["interrupt", "skip"])
def test_stopping_in_mid_sampling_leaves_nothing(webui: WebUI, style: dict[str, Any], route: str) -> None:
    answers: list[Any] = []
    job = threading.Thread(target=lambda: answers.append(webui.txt2img(style, steps=100, width=128, height=128)))
    job.start()
    deadline = time.monotonic() + 60
    while webui.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"] < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    webui.post(f"/sdapi/v1/{route}", {})
    job.join()
    assert answers[0].status == 200


def test_a_warning_instead_of_an_error(webui: WebUI, style: dict[str, Any], plain: list[bytes]) -> None:
    before = webui.option("instantstyle_on_error")
    webui.set_option("instantstyle_on_error", "Warn and continue unstyled")
    try:
        answer = webui.txt2img(style | {"image": None})
        assert (answer.status, answer.styled, answer.pictures) == (200, False, plain)
    finally:
        webui.set_option("instantstyle_on_error", before)
