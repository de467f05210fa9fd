"""The extensions that the Forge family ships, each with a style: what they add to sampling stands beside it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import Answer, WebUI, encoded
from tests.live.test_combinations import assert_clean
from tests.tiny import pictures

# By how their titles begin, with what is chosen by label; each begins with its switch.
BUILT_INS: dict[str, dict[str, Any]] = {
    "advanced model sampling": {},
    "apg": {},
    "dynamicthresholding": {},
    "freeu": {"b1": 1.3, "s1": 0.8},
    "hypertile": {},
    "kohya hrfix": {"end_percent": 1.0},
    "latentmodifier": {"sharpness_multiplier": 5.0, "rescale_cfg_phi": 0.5},
    "mahiro": {},
    "multidiffusion": {"tile_width": 48, "tile_height": 64, "tile_overlap": 16, "tile_batch_size": 2},
    "never oom": {},
    "perturbedattentionguidance": {},
    "rescalecfg": {},
    "selfattentionguidance": {},
    "stylealign": {},
}
WAYS: dict[str, dict[str, Any]] = {
    "adapter": {"method": "Adapter"},
    "no adapter": {"method": "No adapter"},
    "shared": {"method": "No adapter", "reading": "Share", "reference_area": 0.5},
    "both": {"method": "Both"},
}
FIELDS: dict[str, Any] = {"batch_size": 2}


@pytest.fixture(scope="module", params=BUILT_INS)
def beside(webui: WebUI, request: pytest.FixtureRequest) -> tuple[dict[str, Any], Answer]:
    """The fields of a job with one of them switched on, and what that makes without a style."""
    titles = [title for title in webui.get("/sdapi/v1/scripts")["txt2img"] if title.startswith(request.param)]
    needs.need(bool(titles), request.param)
    switch, *values = needs.script_arguments(webui, titles[0], "txt2img", **BUILT_INS[request.param])
    on = True if isinstance(switch, bool) else 0.7  # rescaling CFG has an amount instead
    fields = FIELDS | {"alwayson_scripts": {titles[0]: {"args": [on, *values]}}}
    unstyled, again = webui.txt2img(**fields), webui.txt2img(**fields)
    assert unstyled.status == 200, unstyled.body
    needs.need(unstyled.pictures == again.pictures, f"repetition with {titles[0]!r}, even without a style")
    return fields, unstyled


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_style_beside(
    webui: WebUI, style: dict[str, Any], beside: tuple[dict[str, Any], Answer], way: dict[str, Any]
) -> None:
    _check_beside(webui, style | way, *beside)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("module", ["reference_only", "reference_adain", "reference_adain+attn"])
def test_a_style_beside_controlnets_reference(
    webui: WebUI, style: dict[str, Any], module: str, way: dict[str, Any]
) -> None:
    """It replaces every self-attention, and calls the UNet once more in each step."""
    modules = needs.answered(webui, "/controlnet/module_list", "ControlNet")["module_list"]
    needs.need(module in modules, f"ControlNet module {module!r}")
    picture = encoded(pictures.dots().resize((64, 64)))
    heavy = {"threshold_a": 0.5, "weight": 1.5}  # else it leaves out what is as narrow as all of the tiny UNet
    unit = {"enabled": True, "save_detected_map": False, "module": module, "model": "None", "image": picture, **heavy}
    fields = {"alwayson_scripts": {"ControlNet": {"args": [unit]}}}
    unstyled = webui.txt2img(**fields)
    needs.need(unstyled.pictures[:1] != webui.txt2img().pictures, f"{module!r} that acts, even without a style")
    _check_beside(webui, style | way, fields, unstyled)


def _check_beside(webui: WebUI, wish: dict[str, Any], fields: dict[str, Any], unstyled: Answer) -> None:
    styled = webui.txt2img(wish, **fields)
    assert_clean(styled, unstyled)
    assert webui.txt2img(wish, **fields).pictures == styled.pictures
    assert webui.txt2img(**fields).pictures == unstyled.pictures
