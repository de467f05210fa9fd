from typing import Any

import pytest
import torch

from lib_instantstyle import __version__
from lib_instantstyle.method.embeddings import Embeddings
from lib_instantstyle.models.adapter import Adapter
from lib_instantstyle.params.blocks import Preset
from lib_instantstyle.params.declared import Passes
from lib_instantstyle.params.picture_hashes import PictureHashes
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.jobs import infotext
from lib_instantstyle.webui.styles.prepared_style import Encoded, PreparedStyle
from tests.support.pasting import pasted


def styled(params: StyleParams, adapter: Adapter) -> PreparedStyle:
    seen = Embeddings((torch.zeros(1, 4),), torch.zeros(1, 4))
    return PreparedStyle(params, None, Encoded(adapter, seen), hashes=PictureHashes(("cd" * 32,)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "params",
    [
        StyleParams(enabled=True),
        StyleParams(
            enabled=True, preset=Preset.CUSTOM, blocks="style:1, layout:0.4", style_weight=0.35, layout_weight=-1.0,
            content='a "cat", balloons: red', content_strength=1.25, start=0.1, end=0.9, passes=Passes.HIRES,
            weights="1, 0.5", combine="concatenate", crop="tiles", subject_weight=0.2, removal="mask", anti_layout=2.0,
            prompt_colours=0.5, curve="0:0.4, 0.3:1", hires_curve="fade out", hires_start=0.2, hires_end=0.8, style="ink",
        ),
    ],
    ids=["defaults", "everything"],
)  # fmt: skip
def test_what_is_written_is_read_back(adapter: Adapter, params: StyleParams) -> None:
    written = {key: str(value) for key, value in infotext.write(styled(params, adapter), "ab" * 32, hires=True).items()}
    infotext.fill_defaults(written)
    assert pasted(written) == params.replace(adapter=adapter.path.name, reference="cd" * 6)


@pytest.mark.parametrize(
    ("content", "expected"), [('"a cat"', r'"\"a cat\""'), ('a "cat"', r'"a \"cat\""'), ("a cat", "a cat")]
)
def test_quotes_that_the_host_would_take_for_its_own_are_quoted(adapter: Adapter, content: str, expected: str) -> None:
    entries = infotext.write(styled(StyleParams(enabled=True, content=content), adapter), "ab", hires=False)
    assert entries["InstantStyle content"] == expected


def test_sizes_are_texts_again() -> None:
    """The host splits '2x4' into a width and a height."""
    parameters: dict[str, Any] = {"InstantStyle": "1", "InstantStyle style-1": "2", "InstantStyle style-2": "4"}
    infotext.fill_defaults(parameters)
    assert parameters["InstantStyle style"] == "2x4"
    assert "InstantStyle style-1" not in parameters


def test_always_written(adapter: Adapter) -> None:
    assert infotext.write(styled(StyleParams(enabled=True), adapter), "ab", hires=False) == {
        "InstantStyle": __version__,
        "InstantStyle preset": "Style",
        "InstantStyle adapter": "linear.safetensors",
        "InstantStyle adapter SHA-256": "ab",
        "InstantStyle reference": "cd" * 6,
    }


@pytest.mark.parametrize(
    ("hires", "values"),
    [
        (False, {"blocks": "style:0.5"}),
        (False, {"layout_weight": 0.4}),
        (False, {"preset": "Layout", "style_weight": 0.4}),
        (False, {"content": "a cat", "content_strength": 0.0, "removal": "mask"}),
        (False, {"content_strength": 0.8, "removal": "mask"}),
        (False, {"passes": "Hires pass", "hires_curve": "Fade in", "hires_start": 0.2, "hires_end": 0.8}),
        (True, {"hires_start": 0.2, "hires_end": 0.8}),
    ],
    ids=str,
)
def test_what_did_not_act_is_not_written(adapter: Adapter, hires: bool, values: dict[str, Any]) -> None:
    entries = infotext.write(styled(StyleParams(enabled=True, **values), adapter), "ab", hires=hires)
    assert not [name for name in values if name != "preset" and infotext.key_of(name) in entries]


def test_a_first_pass_alone_has_no_hires_schedule(adapter: Adapter) -> None:
    params = StyleParams(enabled=True, passes=Passes.FIRST, hires_curve="Fade in", hires_end=0.8)
    entries = infotext.write(styled(params, adapter), "ab", hires=True)
    assert [key for key in entries if "hires" in key or "passes" in key] == ["InstantStyle passes"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("style weight", "abc", "Style weight 'abc' cannot be used. It is 1.0 now."),
        ("style weight", "7", "Style weight '7' cannot be used. It is 1.0 now."),
        ("copies", "1.5", "Copies '1.5' cannot be used. It is 1.0 now."),
        ("preset", "Loud", "Preset 'Loud' cannot be used. It is Style now."),
        ("content", "x" * 9000, f"Content to remove '{'x' * 59}… cannot be used. It is empty now."),
    ],
    ids=str,
)
def test_what_cannot_be_used_of_pasted_text_is_told_and_replaced(name: str, text: str, told: str) -> None:
    parameters: dict[str, Any] = {"InstantStyle": "1", f"InstantStyle {name}": text}
    assert infotext.fill_defaults(parameters) == [f"The pasted {told}"]
    assert pasted(parameters) == StyleParams(enabled=True)


def test_saved_styles_that_have_changed_are_told() -> None:
    known = {"ink": "ab" * 32, "wash (soft)": "cd" * 32}.get
    written = f"ink: {'ab' * 6}, wash (soft): {'cd' * 6}, gone: {'ef' * 6}"
    assert infotext.other_styles({"InstantStyle styles": written}, lambda name: known(name, "")) == []
    changed = infotext.other_styles({"InstantStyle styles": f"ink: {'ef' * 6}"}, lambda name: known(name, ""))
    assert changed == ["The saved style 'ink' is another one than made that picture."]
    assert infotext.other_styles({}, lambda name: known(name, "")) == []


def test_text_without_us_switches_off_and_changes_nothing_else() -> None:
    parameters: dict[str, Any] = {"Steps": "20"}
    infotext.fill_defaults(parameters)
    assert parameters == {"Steps": "20"}
    assert not infotext.is_enabled(parameters)
    assert pasted(parameters) == StyleParams()


def test_only_our_keys_are_ours() -> None:
    assert infotext.is_ours("InstantStyle")
    assert infotext.is_ours("InstantStyle preset")
    assert not infotext.is_ours("InstantStyler")
