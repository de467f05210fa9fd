"""Every way to a picture: it is styled, says so, and leaves nothing behind (see `_nothing_stays`)."""

from __future__ import annotations

from typing import Any

import pytest
import webuiapi
from PIL import Image

from tests.live.client import Answer, WebUI, encoded
from tests.tiny import pictures

pytestmark = pytest.mark.each_host
INIT = encoded(pictures.sunset().resize((64, 64)))


def half_mask() -> str:
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    return encoded(mask)


def assert_styled(answer: Answer, unstyled: Answer) -> None:
    assert (answer.status, unstyled.status) == (200, 200), (answer.body, unstyled.body)
    assert answer.styled
    assert "InstantStyle" not in "".join(unstyled.infotexts)
    assert len(answer.pictures) == len(unstyled.pictures)
    assert all(a != b for a, b in zip(answer.pictures, unstyled.pictures, strict=True))


@pytest.mark.by_adapter
def test_txt2img(webui: WebUI, style: dict[str, Any]) -> None:
    first = webui.txt2img(style)
    assert_styled(first, webui.txt2img())
    assert webui.txt2img(style).pictures == first.pictures
    assert "InstantStyle adapter: ip-adapter_sdxl.safetensors" in first.infotexts[0]
    assert "InstantStyle reference: " in first.infotexts[0]


@pytest.mark.by_adapter
@pytest.mark.parametrize("preset", ["layout", "style + layout", "strong style", "all blocks"])
def test_presets_differ(webui: WebUI, style: dict[str, Any], preset: str) -> None:
    answer = webui.txt2img(style | {"preset": preset})
    assert_styled(answer, webui.txt2img(style | {"enabled": False}))
    assert answer.pictures != webui.txt2img(style).pictures


@pytest.mark.by_adapter
def test_custom_blocks_equal_the_preset(webui: WebUI, style: dict[str, Any]) -> None:
    custom = webui.txt2img(style | {"preset": "custom", "blocks": "style:1, layout:0.4"})
    preset = webui.txt2img(style | {"preset": "style + layout", "layout_weight": 0.4})
    assert custom.pictures == preset.pictures


@pytest.mark.by_adapter
def test_content_removal(webui: WebUI, style: dict[str, Any]) -> None:
    removed = webui.txt2img(style | {"content": "stripes, a flag"})
    assert_styled(removed, webui.txt2img())
    assert removed.pictures != webui.txt2img(style).pictures
    assert (
        webui.txt2img(style | {"content": "stripes", "content_strength": 0}).pictures == webui.txt2img(style).pictures
    )
    assert "Emphasis" not in webui.txt2img(style | {"content": "(stripes)"}).infotexts[0]


@pytest.mark.by_adapter
@pytest.mark.parametrize("adapter", ["ip-adapter_sdxl_vit-h", "ip-adapter-plus_sdxl_vit-h"])
def test_other_adapters(webui: WebUI, style: dict[str, Any], adapter: str) -> None:
    as_safetensors = webui.txt2img(style | {"adapter": f"{adapter}.safetensors"})
    assert_styled(as_safetensors, webui.txt2img())
    assert webui.txt2img(style | {"adapter": f"{adapter}.bin"}).pictures == as_safetensors.pictures


@pytest.mark.by_adapter
def test_positional_arguments(webui: WebUI, style: dict[str, Any]) -> None:
    assert webui.txt2img([True, style["image"], "Style"]).pictures == webui.txt2img(style).pictures


NO_WEIGHT: list[dict[str, Any]] = [{"style_weight": 0}, {"preset": "layout", "layout_weight": 0}]


@pytest.mark.parametrize(
    "switch", [{"enabled": False}, *(pytest.param(switch, marks=pytest.mark.by_adapter) for switch in NO_WEIGHT)]
)
def test_off_is_bit_identical(webui: WebUI, style: dict[str, Any], plain: list[bytes], switch: dict[str, Any]) -> None:
    answer = webui.txt2img(style | switch)
    assert answer.pictures == plain
    assert "InstantStyle" not in answer.infotexts[0]


def test_img2img(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"init_images": [INIT], "denoising_strength": 0.6}
    assert_styled(webui.img2img(style, **fields), webui.img2img(**fields))


@pytest.mark.parametrize("whole", [True, False], ids=["whole picture", "only masked"])
@pytest.mark.parametrize("fill", [1, 2], ids=["original", "latent noise"])
def test_inpaint(webui: WebUI, style: dict[str, Any], whole: bool, fill: int) -> None:
    fields = {
        "init_images": [INIT],
        "mask": half_mask(),
        "denoising_strength": 0.8,
        "inpaint_full_res": not whole,
        "inpainting_fill": fill,
        "mask_blur": 0,
    }
    assert_styled(webui.img2img(style, **fields), webui.img2img(**fields))


@pytest.mark.parametrize("passes", ["both", "first pass", "hires pass"])
def test_hires(webui: WebUI, style: dict[str, Any], passes: str) -> None:
    fields = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.6}
    answer = webui.txt2img(style | {"passes": passes}, **fields)
    assert_styled(answer, webui.txt2img(**fields))
    if passes != "both":
        assert answer.pictures != webui.txt2img(style, **fields).pictures


def test_batches(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"batch_size": 2, "n_iter": 2}
    answer = webui.txt2img(style, **fields)
    assert_styled(answer, webui.txt2img(**fields))
    assert all("InstantStyle: " in text for text in answer.infotexts)
    init = {"init_images": [INIT], "denoising_strength": 0.6}
    assert_styled(webui.img2img(style, **init, **fields), webui.img2img(**init, **fields))


def test_refiner(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"refiner_checkpoint": "tiny-refiner", "refiner_switch_at": 0.5, "steps": 4}
    answer = webui.txt2img(style, **fields)
    assert_styled(answer, webui.txt2img(**fields))
    assert "InstantStyle note: not applied after the refiner switch" in answer.infotexts[0]


def test_a_base_model_as_refiner_stays_styled(webui: WebUI, style: dict[str, Any]) -> None:
    fields = {"refiner_checkpoint": "tiny-sdxl-b", "refiner_switch_at": 0.5, "steps": 4}
    answer = webui.txt2img(style, **fields)
    assert_styled(answer, webui.txt2img(**fields))
    assert "InstantStyle note" not in answer.infotexts[0]


def test_a_client_library(webui: WebUI, style: dict[str, Any]) -> None:
    host, _, port = webui.url.rpartition("//")[2].partition(":")
    api = webuiapi.WebUIApi(host=host, port=int(port))
    scripts = {"InstantStyle": {"args": [style]}}
    result = api.txt2img(prompt="a house", steps=2, width=64, height=64, seed=1, alwayson_scripts=scripts)
    assert "InstantStyle: " in result.info["infotexts"][0]
    result = api.img2img(
        images=[result.image], prompt="a house", steps=2, width=64, height=64, alwayson_scripts=scripts
    )
    assert "InstantStyle: " in result.info["infotexts"][0]
