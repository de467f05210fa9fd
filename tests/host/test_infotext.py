"""Generation parameters, there and back; prompts and their schedules."""

from __future__ import annotations

import gradio as gr
import pytest


@pytest.mark.parametrize("text", ["plain", 'a: b, c "d"\nx', "1, 2", "ünï: cödé", '"'])
def test_quoting_survives_the_round_trip(host, text):
    from modules.infotext_utils import parse_generation_parameters

    result = host.txt2img({"Probe: Hooks": [True, 0.5, text]}, prompt="a\nb", negative_prompt="bad, worse", steps=1)
    params = parse_generation_parameters(result.infotexts[0])
    assert params["Probe text"] == text
    assert (params["Prompt"], params["Negative prompt"]) == ("a\nb", "bad, worse")
    assert (params["Size-1"], params["Size-2"], params["Steps"]) == ("64", "64", "1")


def test_too_few_parameters_are_part_of_the_prompt():
    from modules.infotext_utils import parse_generation_parameters

    assert parse_generation_parameters("a house\nSteps: 3, Seed: 1")["Prompt"] == "a house\nSteps: 3, Seed: 1"


def test_values_may_be_lists_functions_or_nothing(host):
    job = host.job(batch_size=2, steps=1)
    job.extra_generation_params |= {"Of each": ["x", "y"], "Computed": lambda index, **_: index + 10, "Absent": None}
    first, second = host.run(job).infotexts[-2:]
    assert "Of each: x, Computed: 10" in first
    assert "Of each: y, Computed: 11" in second
    assert "Absent" not in first


@pytest.mark.parametrize(
    ("current", "text", "expected"), [(True, "False", False), (False, "True", True), (0, "3", 3.0), (0.5, "0.25", 0.25)]
)
def test_pasted_text_is_cast_to_the_component_s_type(current, text, expected):
    from modules.infotext_utils import cast_like

    assert cast_like(current, text) == expected


def test_pasting_leaves_alone_what_the_text_does_not_mention(host):
    from modules.infotext_utils import paste_fields, updates_from

    fields = paste_fields["txt2img"]["fields"]
    text = "a house\nSteps: 7, Seed: 5, CFG scale: 3, Probe weight: 0.2"
    updates = {
        component.label: update for (component, _), update in zip(fields, updates_from(text, fields), strict=True)
    }
    assert updates["Weight"] == gr.update(value=0.2)
    assert updates["Text"] == gr.update()
    assert updates["Probe"] == gr.update(value=True)
    assert updates["Sampling steps"]["value"] == 7


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a [b:c:0.5] d", [[5, "a b d"], [10, "a c d"]]),
        ("[b:3]", [[3, ""], [10, "b"]]),
        ("[b::3]", [[3, "b"], [10, ""]]),
        ("(x:1.2) [y]", [[10, "(x:1.2) [y]"]]),
        ("[a|b]", [[i, "ab"[(i - 1) % 2]] for i in range(1, 11)]),
        (r"\[a:b:3\]", [[10, r"\[a:b:3\]"]]),
        ("[a:[b:c:8]:4]", [[4, "a"], [8, "b"], [10, "c"]]),
        ("[unclosed", [[10, "[unclosed"]]),
    ],
)
def test_prompt_editing(prompt, expected):
    from modules.prompt_parser import get_learned_conditioning_prompt_schedules

    assert get_learned_conditioning_prompt_schedules([prompt], 10) == [expected]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a (b:1.5) c", [["a ", 1.0], ["b", 1.5], [" c", 1.0]]),
        ("(a)", [["a", 1.1]]),
        ("[a]", [["a", 1 / 1.1]]),
        (r"\(a\)", [["(a)", 1.0]]),
        ("a BREAK b", [["a ", 1.0], ["BREAK", -1], [" b", 1.0]]),
        ("", [["", 1.0]]),
    ],
)
def test_emphasis(prompt, expected):
    from modules.prompt_parser import parse_prompt_attention

    assert [[text, pytest.approx(weight)] for text, weight in parse_prompt_attention(prompt)] == expected
