from typing import Any

import pytest

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.blocks import LAYOUT, STYLE, Preset
from lib_instantstyle.params.style_params import StyleParams, controls, default_of


def test_a_default_does_nothing() -> None:
    assert not StyleParams().enabled


def test_dict_and_positional_arguments_mean_the_same() -> None:
    values = {"enabled": True, "image": "x", "preset": "style + layout", "style_weight": 0.7, "content": "a cat"}
    positional = [True, "x", "style + layout", 0.7, 1.0, "style:1", "a cat"]
    assert StyleParams.from_args([values, "ignored"]) == StyleParams.from_args(positional)


@pytest.mark.parametrize("spelling", ["style", "Style", "STYLE"])
def test_choices_ignore_case(spelling: str) -> None:
    assert StyleParams(preset=spelling).preset is Preset.STYLE  # type: ignore[arg-type]
    assert StyleParams(preset="style_layout").preset is Preset.STYLE_LAYOUT  # type: ignore[arg-type]


JUNK = ("junk", -(10**400), float("nan"), None, True, ["junk"], {"junk": "junk"}, "http://127.0.0.1:1/x.png")


@pytest.mark.parametrize("junk", JUNK, ids=str)
def test_a_switched_off_accordion_is_not_validated(junk: Any) -> None:
    names = [name for name in controls() if name != "enabled"]
    off = {"enabled": False}
    assert StyleParams.from_args([False, *[junk] * 100]) == StyleParams()
    for values in (*({name: junk} for name in [*names, "style_wieght"]), dict.fromkeys(names, junk), {1: junk}):
        assert StyleParams.from_args([off | values]) == StyleParams.from_args([values]) == StyleParams()


def test_off_values_that_contradict_each_other_are_not_validated() -> None:
    for values in ({"start": 0.8, "end": 0.2}, {"weights": "0,0,0,0,0,0,0,0"}, {"blocks": "layout:1"}):
        assert StyleParams.from_args([{"enabled": False} | values]) == StyleParams()


@pytest.mark.parametrize("enabled", ["no", "false", 0, 1, None, [], {}], ids=repr)
def test_what_is_neither_true_nor_false_is_not_taken_for_off(enabled: Any) -> None:
    for arguments in ([{"enabled": enabled}], [enabled, *([enabled] if isinstance(enabled, str) else [])]):
        if arguments != [{}]:  # a dict that says nothing is off
            with pytest.raises(ParameterError, match="must be true or false"):
                StyleParams.from_args(arguments)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"style_weigth": 1}, "Unknown InstantStyle key 'style_weigth'. Did you mean 'style_weight'"),
        ({"frobnicate": 1}, "Known keys: enabled, image"),
        ({"style_weight": "abc"}, r"Style weight \(style_weight\) must be a number; got 'abc'"),
        ({"style_weight": None}, "must be a number; got null"),
        ({"style_weight": True}, "must be a number; got True"),
        ({"style_weight": 7}, "between -1 and 3; got 7"),
        ({"style_weight": 10**400}, "between -1 and 3"),
        ({"blocks": "layout:1"}, "acts with Preset 'Custom' only; Preset is 'Style'"),
        ({"style_weight": float("nan")}, "between -1 and 3; got nan"),
        ({"content": ["a cat"]}, r"Content to remove \(content\) must be a text; got \['a cat'\]"),
        ({"content": None}, "must be a text; got null"),
        ({"content": "x" * 9000}, "9000 characters"),
        ({"enabled": "yes"}, "must be true or false; got 'yes'"),
        ({"enabled": 1}, "must be true or false; got 1"),
        ({"preset": "loud"}, "must be one of: Style, Layout"),
        ({"preset": 3}, "must be one of"),
        ({"start": 0.8, "end": 0.2}, r"End \(end\) must be greater than Start \(start\); got start 0.8 and end 0.2"),
        ({"start": 0.5, "end": 0.5}, "must be greater"),
        ({"preset": "custom", "blocks": "head:1"}, "No UNet block is called 'head'"),
        ({"reference": "nothing"}, "'nothing' is no hash of a picture"),
        ({1: 2}, "Unknown InstantStyle key 1"),
    ],
)
def test_bad_values_name_key_value_and_remedy(values: dict[Any, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message) as caught:
        StyleParams.from_dict({"enabled": True} | values)
    assert caught.value.status_code == 422
    assert caught.value.detail == str(caught.value)


def test_block_weights_scale_style_and_layout_apart() -> None:
    both = StyleParams(preset=Preset.STYLE_LAYOUT, style_weight=0.8, layout_weight=0.3)
    assert both.block_weights == {LAYOUT: 0.3, STYLE: 0.8}
    assert both.replace(layout_weight=0.0).block_weights == {STYLE: 0.8}
    custom = StyleParams(preset=Preset.CUSTOM, blocks="style:0.5, layout:-1", style_weight=2.0, layout_weight=0.5)
    assert custom.block_weights == {STYLE: 1.0, LAYOUT: -0.5}


def test_every_control_has_help_and_a_label_of_its_own() -> None:
    assert len({control.label for control in controls().values()}) == len(controls())
    assert all(control.help for control in controls().values())


def test_surplus_positional_arguments_are_refused() -> None:
    values = [True, *(default_of(name) for name in list(controls())[1:])]
    assert StyleParams.from_args(values) == StyleParams(enabled=True)
    with pytest.raises(ParameterError, match=f"at most; got {len(values) + 1}"):
        StyleParams.from_args([*values, "more"])
