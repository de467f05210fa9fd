"""LoRAs, textual inversion and hypernetworks in a prompt, with a style: the tiny ones of `python -m tests.tiny`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import WebUI
from tests.live.test_combinations import HIRES, assert_clean, styled
from tests.live.test_generation import INIT

UNET, TEXT = "a house <lora:tiny-lora:1>", "a house <lora:tiny-lora-text:1>"
BOTH = "a house <lora:tiny-lora:0.6> <lora:tiny-lora-text:-0.5>"
HYPERNETWORK = "a house <hypernet:tiny-hypernetwork:1>"
EMBEDDING = "a house, q"
JOBS: dict[str, dict[str, Any]] = {
    "one": {},
    "batch": {"batch_size": 2, "n_iter": 2},
    "hires": HIRES | {"hr_upscaler": "Latent"},
    "checkpoint": {"override_settings": {"sd_model_checkpoint": "tiny-sdxl-b"}},
}


def _with(network: str, webui: WebUI, style: dict[str, Any], prompt: str, **fields: Any) -> str:
    """Check a prompt with a network against the same one without; return the infotext."""
    answer, plain = (webui.txt2img(wish, prompt=prompt, **fields) for wish in (style, None))
    assert_clean(answer, plain)
    without = prompt.partition("<")[0].replace(", q", "")
    assert answer.pictures != webui.txt2img(style, prompt=without, **fields).pictures
    # With `--no-hashing` in neither; Classic notes an embedding in the first job of a prompt only, as it keeps the rest.
    assert network in answer.infotexts[0] or network not in plain.infotexts[0]
    return answer.infotexts[0]


@pytest.mark.parametrize("prompt", [UNET, TEXT, BOTH], ids=["attention", "text", "both"])
@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_lora(webui: WebUI, style: dict[str, Any], prompt: str, fields: dict[str, Any]) -> None:
    needs.network(webui, "loras", "tiny-lora")
    _with("Lora hashes: ", webui, style, prompt, **fields)


def test_a_lora_in_img2img(webui: WebUI, style: dict[str, Any]) -> None:
    needs.network(webui, "loras", "tiny-lora")
    styled(webui, style, "img2img", prompt=BOTH, init_images=[INIT], denoising_strength=0.6)


def test_a_lora_and_removed_content(webui: WebUI, style: dict[str, Any]) -> None:
    """The LoRA of this prompt shapes the text vector, and never that of the job before."""
    needs.network(webui, "loras", "tiny-lora")
    removing = style | {"content": "a cat", "content_strength": 1}
    without, with_lora = styled(webui, removing).pictures, styled(webui, removing, prompt=BOTH).pictures
    assert without != with_lora
    assert styled(webui, removing).pictures == without
    assert styled(webui, removing, prompt=BOTH).pictures == with_lora


def test_a_lora_shapes_the_image_term_too(webui: WebUI, style: dict[str, Any]) -> None:
    """On ``to_q`` and ``to_out``, whether the WebUI changes the weights or adds the LoRA's own output to theirs."""
    needs.network(webui, "loras", "tiny-lora")
    needs.option(webui, "lora_functional")
    changed = styled(webui, style, prompt=UNET, steps=1).pictures[0]
    with webui.options(lora_functional=True):
        added = styled(webui, style, prompt=UNET, steps=1).pictures[0]
    assert max(abs(a - b) for a, b in zip(changed, added, strict=True)) <= 2  # of 255: they round differently


@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_textual_inversion(webui: WebUI, style: dict[str, Any], fields: dict[str, Any]) -> None:
    needs.network(webui, "embeddings", "q")
    _with("TI hashes: ", webui, style, EMBEDDING, **fields)
    _with("TI hashes: ", webui, style, EMBEDDING, negative_prompt="q", **fields)


def test_textual_inversion_in_the_content(webui: WebUI, style: dict[str, Any]) -> None:
    """An embedding is a word like any other to the text tower; the infotext names those of the prompt only."""
    needs.network(webui, "embeddings", "q")
    answer = styled(webui, style | {"content": "q"})
    assert answer.pictures != webui.txt2img(style | {"content": "x"}).pictures
    assert "TI hashes" not in answer.infotexts[0]


@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_hypernetwork(webui: WebUI, style: dict[str, Any], fields: dict[str, Any]) -> None:
    needs.network(webui, "hypernetworks", "tiny-hypernetwork")
    without = HYPERNETWORK.partition("<")[0]
    acts = webui.txt2img(prompt=HYPERNETWORK).pictures != webui.txt2img(prompt=without).pictures
    needs.need(acts, "hypernetwork that acts, even without a style")
    _with("tiny-hypernetwork", webui, style, HYPERNETWORK, **fields)


def test_every_network_at_once(webui: WebUI, style: dict[str, Any]) -> None:
    needs.network(webui, "loras", "tiny-lora")
    needs.network(webui, "hypernetworks", "tiny-hypernetwork")
    needs.network(webui, "embeddings", "q")
    prompt = f"{BOTH} <hypernet:tiny-hypernetwork:0.5>, q AND a tree"
    styled(webui, style | {"content": "a cat"}, prompt=prompt, batch_size=2)
