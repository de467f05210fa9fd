"""Infotext: what is written and pasted, and what comes from anywhere."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from hypothesis import strategies as st

from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.params.style_params import CUSTOM, StyleParams, controls, default_of
from lib_instantstyle.webui.jobs import infotext
from tests.fuzz.texts import DICTS, NAMES, language
from tests.fuzz.trial import Target
from tests.support.pasting import pasted


def _style(params: StyleParams) -> Any:
    """As much of a styled job as its infotext needs."""
    adapter = SimpleNamespace(path=SimpleNamespace(name="ip-adapter_sdxl.safetensors"))
    has_adapter = params.method.has_adapter
    return SimpleNamespace(
        params=params,
        encoded=SimpleNamespace(adapter=adapter) if has_adapter else None,
        contents=params.removed if has_adapter else (),
        hashes=params.picture_hashes,
    )


def _use_round_trip(values: dict[str, Any]) -> None:
    """What acts is the same after it was written into a picture and pasted."""
    acting = {
        text: values[text] for choice, text in CUSTOM.items() if text in values and values.get(choice) == "Custom"
    }
    params = StyleParams.from_dict({**values, **{text: default_of(text) for text in CUSTOM.values()}, **acting})
    entries = infotext.write(_style(params), "ab" * 32, hires=True)
    again = _use_text(written(entries))
    for name, control in controls().items():
        if control.recorded and infotext.key_of(name) in entries and name != "adapter":
            assert getattr(again, name) == getattr(params, name), name


def written(entries: dict[str, Any]) -> str:
    """Do what the host does with the generation parameters of a picture."""
    from modules.infotext_utils import quote

    named = ", ".join(f"{key}: {quote(value)}" for key, value in entries.items() if value is not None)
    return f"a house\nNegative prompt: blurry\nSteps: 20, Sampler: Euler, Seed: 1, {named}, Version: v1.10.1"


def _use_text(text: str) -> StyleParams:
    """Do what the host does on paste."""
    from modules.infotext_utils import parse_generation_parameters

    parameters = parse_generation_parameters(text)
    infotext.fill_defaults(parameters)
    return pasted(parameters)


_KEYS = st.sampled_from([infotext.key_of(name) for name in controls()] + [infotext.VERSION, infotext.STYLES, "Size"])
INFOTEXTS = st.lists(
    st.tuples(_KEYS, language("Style", *NAMES) | st.sampled_from(list(Preset)).map(str)), max_size=8
).map(
    lambda entries: "a house\nSteps: 20, Sampler: Euler, " + ", ".join(f"{key}: {value}" for key, value in entries)
) | st.text(max_size=200)


TARGETS = (
    Target("infotext, written and pasted", DICTS, _use_round_trip),
    Target("infotext, from anywhere", INFOTEXTS, _use_text),
)
