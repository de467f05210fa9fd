"""The axes of the X/Y/Z plot: values as text, as lists and as numbers; what cannot be used is refused before a cell."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

import pytest

from lib_instantstyle.params.style_params import StyleParams, controls
from lib_instantstyle.webui.extension import extension
from lib_instantstyle.webui.jobs.arguments import axis_value
from lib_instantstyle.webui.styles.saving import save_style
from tests.host.doors import Api
from tests.lifecycle.conftest import Studio

ELEVEN = "0, 0, 0, 0.4, 0, 0, 1, 0, 0, 0, 0"
TEXTS = {
    "blocks": ["style:1, layout:0.4", ELEVEN, "style:1"],
    "content": ["a cat:0.8, balloons:0.4", "", "a “quoted” cat"],
    "weights": ["1", "0.5"],
    "curve": ["0:0.4, 0.3:1, 0.8:0", "Fade in", "fade out"],
    "hires_curve": ["Same", "0:1, 1:0"],
    "adapter": ["Automatic", "ip-adapter_sdxl_vit-h", "IP-Adapter_SDXL.safetensors"],
    "style": ["ink", ""],
    "self_blocks": ["style:1, layout:0.4", ELEVEN, "style:1"],
    "reference_caption": ["a cat, two dogs", "", "a house"],
}
SHARES = [0.1, 0.25, 0.9]
AXES = [name for name, control in controls().items() if control.axis]
NOTHING: list[Any] = [0, "", []]


@pytest.fixture
def plot(studio: Studio) -> Plot:
    return Plot(studio)


@pytest.fixture
def _ink(studio: Studio, folder: Any) -> None:
    save_style("ink", StyleParams(enabled=True, image=studio.reference), extension().builder)


class Plot:
    """The script as the API runs it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        scripts = studio.host.runner().selectable_scripts
        self.script = next(script for script in scripts if script.title() == "X/Y/Z plot")

    def option(self, name: str) -> Any:
        return next(option for option in self.script.current_axis_options if option.label == label_of(name))

    def read(self, name: str, values: Any, *, csv_mode: bool) -> list[Any]:
        """Return the values that the cells of an axis get."""
        p = self._studio.host.job(scripts=self._studio.request())
        plot = slice(self.script.args_from, self.script.args_to)
        p.script_args = [*p.script_args[: plot.start], *[0] * (plot.stop - plot.start), *p.script_args[plot.stop :]]
        index = self.script.current_axis_options.index(self.option(name))
        option, found = self.script._axis(p, index, *slots(values, csv_mode, option=self.option(name)), csv_mode)
        read = []
        for value in found:
            option.apply(p, value, found)
            read.append(p._instantstyle_axes[name])
        return read

    def answer(self, style: Any, name: str, values: Any, *, csv_mode: bool = False, **fields: Any) -> Any:
        return self.of_axes(style, {name: values}, csv_mode=csv_mode, **fields)

    def of_axes(self, style: Any, axes: dict[str, Any], *, csv_mode: bool = False, **fields: Any) -> Any:
        arguments: list[Any] = []
        for name, values in axes.items():
            option = self.option(name)
            arguments += [self.script.current_axis_options.index(option), *slots(values, csv_mode, option=option)]
        arguments += NOTHING * (3 - len(axes))
        arguments += [False, True, False, True, False, False, False, 0, csv_mode]
        return Api().txt2img(style, script_name="x/y/z plot", script_args=arguments, **fields)


def label_of(name: str) -> str:
    return f"[InstantStyle] {controls()[name].label}"


def slots(values: Any, csv_mode: bool, *, option: Any) -> tuple[Any, Any]:
    """Return the script's arguments: the text, and what was chosen in the dropdown."""
    return ("", values) if option.choices is not None and not csv_mode else (values, [])


def values_of(name: str) -> list[Any]:
    if members := controls()[name].choices:
        return [member.value for member in members]
    if controls()[name].minimum > SHARES[0]:
        return [1.0, 2.0, 4.0] if controls()[name].step == 1.0 else [0.3, 0.5, 1.0]
    return TEXTS.get(name, SHARES)


def as_csv(values: list[Any]) -> str:
    out = StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue().strip()


@pytest.mark.usefixtures("_ink")
@pytest.mark.parametrize("name", AXES)
def test_every_axis_reads_lists_and_texts(plot: Plot, name: str) -> None:
    values = values_of(name)
    wanted = [axis_value(name, value) for value in values]
    assert len(set(map(str, wanted))) == len(values)
    texts = [str(value) for value in values]
    for csv_mode, form in ((False, values), (True, values), (True, as_csv(values)), (True, texts)):
        assert [axis_value(name, value) for value in plot.read(name, form, csv_mode=csv_mode)] == wanted
    if values == SHARES:
        assert plot.read(name, values[0], csv_mode=False) == values[:1]
        assert plot.read(name, "0.1-0.9 [5]", csv_mode=False) == [0.1, 0.3, 0.5, 0.7, 0.9]
        assert plot.read(name, ["0.2-0.4 (+0.1)", 1e-05, "1e-2"], csv_mode=False)[-2:] == [1e-05, 0.01]


@pytest.mark.parametrize("name", [name for name in AXES if controls()[name].choices])
def test_choices_may_be_spelt_otherwise(plot: Plot, name: str) -> None:
    values = values_of(name)
    for spelt in ([value.upper() for value in values], [value.replace(" ", "_") for value in values]):
        for csv_mode in (False, True):
            read = plot.read(name, spelt, csv_mode=csv_mode)
            assert [axis_value(name, value) for value in read] == [axis_value(name, value) for value in values]


REFUSED: list[tuple[str, Any, bool, list[str]]] = [
    ("preset", ["Style", "loud"], False, ["'loud'", "must be one of: Style, Layout"]),
    ("preset", "Style, loud", True, ["'loud'", "must be one of: Style, Layout"]),
    ("preset", "Style", False, ["'S'", "must be one of", "takes a list"]),
    ("preset", [], False, ["has no values", "takes a list"]),
    ("preset", [True], False, ["'True'", "must be one of"]),
    ("preset", [None], True, ["null is no value"]),
    ("combine", {"Mean": 1}, True, ["{'Mean': 1} is no value"]),
    ("style_weight", "abc", False, ["'abc' is no number", "0-1 [5]"]),
    ("style_weight", "0.5 1-2-3", False, ["'0.5 1-2-3' is no number"]),
    ("style_weight", "nan", False, ["between -1 and 3; got nan"]),
    ("style_weight", [True], False, ["True is no value"]),
    ("style_weight", None, False, ["has no values"]),
    ("style_weight", "", False, ["has no values"]),
    ("style_weight", "1, 7", False, ["between -1 and 3; got 7"]),
    ("end", [0], False, ["must be greater than Start"]),
    ("blocks", "style:1, head:1", False, ["No UNet block is called 'head'"]),
    ("blocks", ["style:1, head:1"], False, ["No UNet block is called 'head'"]),
    ("curve", ["Wave"], False, ["'Wave'", "Fade in"]),
    ("curve", "0:1, 0.2", True, ["'0.2'", "double quotes"]),
    ("content", [5.5, []], False, ["[] is no value"]),
    ("weights", ["1, x"], False, ["'x' is not a number"]),
    ("adapter", ["absent"], False, ["'absent' was not found", "There are: ip-adapter"]),
    ("style", ["absent"], False, ["There is no saved style 'absent'"]),
]


@pytest.mark.parametrize(("name", "values", "csv_mode", "parts"), REFUSED, ids=str)
def test_what_no_cell_could_use_is_refused(
    studio: Studio, plot: Plot, name: str, values: Any, csv_mode: bool, parts: list[str]
) -> None:
    answer = plot.answer(studio.request(), name, values, csv_mode=csv_mode)
    assert answer.status_code == 422
    for part in (label_of(name), *parts):
        assert part in answer.json()["detail"]


@pytest.mark.parametrize("off", [{}, {"enabled": False}, {"enabled": False, "style_weight": "junk"}], ids=str)
def test_a_plot_over_what_is_off_is_refused(studio: Studio, plot: Plot, off: dict[str, Any]) -> None:
    answer = plot.answer({"InstantStyle": [off]}, "style_weight", "0, 1")
    assert answer.status_code == 422
    assert "varies InstantStyle (style_weight), which is off" in answer.json()["detail"]


def test_where_only_a_warning_is_wanted_each_cell_is_made(studio: Studio, plot: Plot) -> None:
    studio.host.shared.opts.data["instantstyle_on_error"] = "Warn and continue unstyled"
    answer = plot.answer(studio.request(), "preset", ["Layout", "loud"])
    assert answer.status_code == 200
    _grid, styled, plain = answer.json()["images"]
    assert styled == Api().txt2img(studio.request(preset="layout")).json()["images"][0]
    assert plain == Api().txt2img({}).json()["images"][0]


def test_a_plot_over_block_weights_is_varied(studio: Studio, plot: Plot) -> None:
    """Under any preset: values that would do nothing are not what was asked for."""
    answer = plot.answer(studio.request(preset="layout"), "blocks", ["style:1, layout:0.4", "style:0.5"])
    assert answer.status_code == 200, answer.text
    _grid, first, second = answer.json()["images"]
    alone = Api().txt2img(studio.request(preset="custom", blocks="style:1, layout:0.4")).json()["images"]
    assert first == alone[0] != second


CONTRADICTIONS: dict[str, tuple[dict[str, Any], dict[str, Any], list[str]]] = {
    "two axes": ({"start": "0.2, 0.6", "end": "0.8, 0.5"}, {}, ["Start 0.6, End 0.5", "must be greater than Start"]),
    "an axis and a setting": ({"start": "0.2, 0.6"}, {"end": 0.5}, ["Start 0.6:", "must be greater than Start"]),
    "three axes": (
        {"style_weight": "1", "end": "0.5", "start": "0, 0.6"},
        {},
        ["Style weight 1.0, End 0.5, Start 0.6", "must be greater than Start"],
    ),
    "the adapter and the content": (
        {"content": ["a cat"], "adapter": ["ip-adapter_sdxl", "ip-adapter_sdxl_vit-h"]},
        {},
        ["Adapter 'ip-adapter_sdxl_vit-h'", "cannot remove content"],
    ),
    "a layout to avoid and to take": (
        {"anti_layout": "0, 1", "preset": ["Style", "Style + layout"]},
        {},
        ["Preset 'Style + layout'", "pushes away from the composition"],
    ),
    "a subject that is not there": ({"subject_weight": "0, 0.2"}, {}, ["Subject weight 0.2:", "no subject picture"]),
    "more weights than references": (
        {"weights": ["1", "1, 0.5"]},
        {},
        ["Reference weights '1, 0.5'", "2 weights for 1"],
    ),
}


@pytest.mark.parametrize(("axes", "style", "parts"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_cells_that_contradict_themselves_are_refused_before_the_first(
    studio: Studio,
    plot: Plot,
    monkeypatch: pytest.MonkeyPatch,
    axes: dict[str, Any],
    style: dict[str, Any],
    parts: list[str],
) -> None:
    monkeypatch.setattr(plot.script, "_cell", pytest.fail)
    answer = plot.of_axes(studio.request(**style), axes)
    assert answer.status_code == 422
    for part in ("The X/Y/Z plot has a cell that cannot be made, with ", *parts):
        assert part in answer.json()["detail"]


def test_what_an_axis_contradicts_another_may_mend(studio: Studio, plot: Plot) -> None:
    answer = plot.of_axes(studio.request(end=0.5), {"start": "0.6", "end": "0.8, 1"})
    assert answer.status_code == 200, answer.text
    _grid, first, second = answer.json()["images"]
    assert first == Api().txt2img(studio.request(start=0.6, end=0.8)).json()["images"][0]
    assert second == Api().txt2img(studio.request(start=0.6)).json()["images"][0]
