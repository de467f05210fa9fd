"""sd-webui-controlnet beside InstantStyle, in whichever order the two were loaded; or the one that the WebUI ships."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from tests.live import needs
from tests.live.client import WebUI, encoded
from tests.live.test_combinations import HIRES, assert_clean, styled
from tests.live.test_generation import INIT
from tests.tiny import pictures

SHAPE = encoded(pictures.dots().resize((64, 64)))
JOBS: dict[str, dict[str, Any]] = {
    "one": {},
    "batch": {"batch_size": 2},
    "and": {"prompt": "a house AND a tree"},
    "hires": HIRES | {"hr_upscaler": "Latent"},
    "img2img": {"init_images": [INIT], "denoising_strength": 0.6},
}


def _embedding() -> str:
    """What ControlNet's API takes in the place of a picture: it reads no vision tower of another size."""
    buffer = io.BytesIO()
    vector = torch.randn(1, 1280, generator=torch.Generator().manual_seed(1))
    torch.save({"image_embeds": vector}, buffer, _use_new_zipfile_serialization=False)
    return base64.b64encode(buffer.getvalue()).decode()


UNITS: dict[str, dict[str, Any]] = {
    "T2I-Adapter": {"model": "tiny-t2i-adapter-sdxl", "image": SHAPE},
    "LLLite on to_q": {"model": "tiny-lllite-sdxl", "image": SHAPE},
    "reference": {"module": "reference_only", "image": SHAPE},
    "IP-Adapter": {"module": "ip-adapter_clip_g", "model": "ip-adapter_sdxl", "ipadapter_input": [_embedding()]},
}
WIDE = {"T2I-Adapter"}  # takes for granted how wide SDXL's levels are, relative to each other
STYLE_BLOCK = [1.0 if number == 6 else 0.0 for number in range(11)]


@pytest.fixture(autouse=True)
def _controlnet(webui: WebUI) -> None:
    needs.answered(webui, "/controlnet/model_list", "ControlNet")


def _unit(webui: WebUI, kind: str, **changes: Any) -> dict[str, Any]:
    unit = UNITS[kind] | changes
    models = [name.partition(" [")[0] for name in webui.get("/controlnet/model_list")["model_list"]]
    wanted = unit.get("model", "None")
    needs.need(wanted in [*models, "None"], f"model {wanted!r} for ControlNet")
    return {"ControlNet": {"args": [{"enabled": True, "save_detected_map": False, **unit}]}}


@pytest.fixture(params=UNITS)
def kind(webui: WebUI, request: pytest.FixtureRequest) -> Iterator[str]:
    """A kind of unit, while a checkpoint is loaded that it fits."""
    if request.param not in WIDE:
        yield request.param
        return
    needs.checkpoint(webui, "tiny-sdxl-wide")
    with webui.options(sd_model_checkpoint="tiny-sdxl-wide.safetensors"):
        yield request.param


@pytest.fixture
def fitting(kind: str, style: dict[str, Any]) -> dict[str, Any]:
    """A request that styles that checkpoint."""
    return style | {"adapter": "ip-adapter_sdxl_wide.safetensors"} if kind in WIDE else style


@pytest.mark.parametrize("fields", JOBS.values(), ids=JOBS)
def test_a_unit(webui: WebUI, fitting: dict[str, Any], kind: str, fields: dict[str, Any]) -> None:
    """Unit and style both act, and each is alone what it was before."""
    tab = "img2img" if "init_images" in fields else "txt2img"
    generate = getattr(webui, tab)
    unit = _unit(webui, kind)
    generate(alwayson_scripts=unit, **fields)  # loading a unit draws random numbers, on which img2img depends
    alone, plain = generate(fitting, **fields).pictures, generate(**fields).pictures
    both, unstyled = generate(fitting, alwayson_scripts=unit, **fields), generate(alwayson_scripts=unit, **fields)
    # Errors of a unit are not told. The one that the Forge family ships loads none of the tiny models.
    needs.need(unstyled.status == 200 and unstyled.pictures != plain, f"{kind} that acts, even without a style")
    assert_clean(both, unstyled)
    assert both.pictures != alone
    assert generate(fitting, **fields).pictures == alone


@pytest.mark.parametrize("preset", ["style", "style + layout", "all blocks"])
def test_its_own_adapter_on_our_block(webui: WebUI, style: dict[str, Any], preset: str) -> None:
    unit = _unit(webui, "IP-Adapter", advanced_weighting=STYLE_BLOCK)
    styled(webui, style | {"preset": preset, "content": "a cat"}, alwayson_scripts=unit)


def test_a_unit_that_is_off(webui: WebUI, style: dict[str, Any]) -> None:
    alone = webui.txt2img(style).pictures
    off = _unit(webui, "LLLite on to_q", enabled=False)
    assert styled(webui, style, alwayson_scripts=off).pictures == alone


def test_two_units_and_regions(webui: WebUI, style: dict[str, Any]) -> None:
    first, second = _unit(webui, "IP-Adapter"), _unit(webui, "LLLite on to_q")
    units = {"ControlNet": {"args": [*first["ControlNet"]["args"], *second["ControlNet"]["args"]]}}
    left = pictures.dots().resize((64, 64)).convert("L").point(lambda value: 255 if value > 128 else 0)
    regions = style | {"images": [SHAPE], "masks": [encoded(left)], "anti_layout": 1}
    styled(webui, regions, alwayson_scripts=units)
