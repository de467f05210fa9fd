"""How often a job reads what was written into the text fields."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from lib_instantstyle.params import style_params
from tests.lifecycle.conftest import Studio

TEXTS = {
    "blocks": "style:1, layout:0.5",
    "content": "a cat, a dog:0.5",
    "weights": "0.5",
    "curve": "0:1, 1:0.5",
    "hires_curve": "0:0.5, 1:1",
}
PARSERS = ["selected_weights", "parse_contents", "parse_reference_weights", "parse_picture_hashes", "parse_curve"]
HIRES = {"enable_hr": True, "hr_scale": 2, "hr_upscaler": "Latent", "denoising_strength": 0.6}


def test_a_job_of_two_passes_parses_each_text_once(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = re.search(r"InstantStyle reference: (\w+)", studio.host.txt2img(studio.request()).infotexts[0])
    texts = TEXTS | {"reference": reference[1]}
    parsed: Counter[str] = Counter()

    def counted(parse: Callable[..., Any]) -> Callable[..., Any]:
        def parse_and_count(*arguments: Any) -> Any:
            parsed[next((each for each in arguments if each in texts.values()), arguments[-1])] += 1
            return parse(*arguments)

        return parse_and_count

    for name in PARSERS:
        monkeypatch.setattr(style_params, name, counted(getattr(style_params, name)))
    studio.styled({"image": None, "preset": "custom", **texts}, n_iter=2, **HIRES)
    assert parsed == dict.fromkeys(texts.values(), 1)
