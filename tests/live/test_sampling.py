"""Whatever the sampler, the optimiser and the rows of a step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.live import needs
from tests.live.client import WebUI, largest_difference
from tests.live.test_generation import assert_styled

# Three chunks of tokens. Single letters, because the tiny CLIP-L tokenizer knows no longer words: both towers
# must count the same.
LONG = ", ".join("abcdefghij" * 9)


def test_every_sampler(webui: WebUI, style: dict[str, Any]) -> None:
    for sampler in _samplers(webui):
        fields = {"sampler_name": sampler}
        assert_styled(webui.txt2img(style, **fields), webui.txt2img(**fields))


def test_every_sampler_honours_the_window(webui: WebUI, style: dict[str, Any]) -> None:
    for sampler in _samplers(webui):
        fields = {"sampler_name": sampler, "steps": 6}
        early = webui.txt2img(style | {"end": 0.4}, **fields)
        late = webui.txt2img(style | {"start": 0.4}, **fields)
        assert len({*early.pictures, *late.pictures, *webui.txt2img(style, **fields).pictures}) == 3, sampler


def _samplers(webui: WebUI) -> list[str]:
    """Return those that sample: with SDXL, one of reForge's returns the same blank picture for every seed."""
    names = [sampler["name"] for sampler in webui.get("/sdapi/v1/samplers")]
    plain = {name: [webui.txt2img(sampler_name=name, seed=seed).pictures for seed in (1, 2)] for name in names}
    return [name for name, (one, other) in plain.items() if one != other]


def test_every_attention_optimiser(webui: WebUI, style: dict[str, Any]) -> None:
    """By the titles that the settings offer: another name would be another optimiser, without a word."""
    settings = [component["props"] for component in needs.answered(webui, "/config", "page")["components"]]
    offered = [props["choices"] for props in settings if props.get("elem_id") == "setting_cross_attention_optimization"]
    titles = [choice if isinstance(choice, str) else choice[-1] for choice in (offered[0] if offered else ())]
    needs.need(len(titles) > 1, "choice of attention optimisers")
    assert len(titles) >= 7
    for title in titles:
        with webui.options(cross_attention_optimization=title):
            assert_styled(webui.txt2img(style), webui.txt2img())


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "a house AND a tree :0.7"},
        {"prompt": "a [house:tree:0.5] AND a cat", "batch_size": 3},
        {"prompt": LONG},
        {"prompt": LONG, "batch_size": 2},
        {"negative_prompt": LONG, "batch_size": 2, "prompt": "a AND b AND c"},
        {"negative_prompt": ""},
        {"cfg_scale": 1},
        {"override_settings": {"batch_cond_uncond": False}, "batch_size": 2},
        {"override_settings": {"batch_cond_uncond": False}, "prompt": "a AND b", "batch_size": 2},
        {"override_settings": {"pad_cond_uncond": True}, "prompt": LONG},
        {"override_settings": {"skip_early_cond": 0.5}, "steps": 4},
        {"s_min_uncond": 4.0, "steps": 6},
        {"override_settings": {"s_min_uncond_all": True}, "s_min_uncond": 4.0, "steps": 6, "batch_size": 2},
    ],
    ids=["and", "and edit batch", "long", "long batch", "long negative and", "empty negative", "cfg 1", "split",
         "split and", "padded", "skip early", "ngms", "ngms all"],
)  # fmt: skip
def test_every_row_layout(webui: WebUI, style: dict[str, Any], fields: dict[str, Any]) -> None:
    for name in fields.get("override_settings", ()):
        needs.option(webui, name)
    assert_styled(webui.txt2img(style, **fields), webui.txt2img(**fields))


def test_splitting_a_step_does_not_change_the_picture(webui: WebUI, style: dict[str, Any]) -> None:
    """The peers' cache bug would show here: keys of one row layout met by another."""
    needs.option(webui, "batch_cond_uncond")
    whole = webui.txt2img(style, batch_size=2).pictures
    split = webui.txt2img(style, batch_size=2, override_settings={"batch_cond_uncond": False}).pictures
    assert largest_difference(whole, split) <= 2  # batched and split matrix products round differently
