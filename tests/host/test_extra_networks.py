"""Tags in prompts: what networks are told, and when."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.host.test_hooks import BATCH_START, PICTURE, SAMPLES, START, STEP

HIRES = {"steps": 1, "enable_hr": True, "hr_scale": 1.5, "denoising_strength": 0.5}
REGISTERING = """
from modules import extra_networks, script_callbacks

class Own(extra_networks.ExtraNetwork):
    def __init__(self): super().__init__("{name}")
    def activate(self, p, params_list): pass
    def deactivate(self, p): pass

{how}
"""


@pytest.fixture
def networks(host, recorder) -> Iterator[None]:
    """The networks "one" and "two", which note their calls among those of the probe."""
    import lib_probe
    from modules import extra_networks

    class Noting(extra_networks.ExtraNetwork):
        def activate(self, p: Any, params_list: list) -> None:
            encoded = (p.hr_c if p.is_hr_pass else p.c) is not None
            details = {"items": [params.items for params in params_list], "hires": p.is_hr_pass, "encoded": encoded}
            lib_probe.note(f"activate {self.name}", **details)

        def deactivate(self, p: Any) -> None:
            lib_probe.note(f"deactivate {self.name}")

    for name in ("one", "two"):
        extra_networks.register_extra_network(Noting(name))
    yield
    extra_networks.initialize()


def about(recorder, word: str) -> list[str]:
    return [name for name in recorder.names if name.split()[0] in (word, f"de{word}")]


def test_networks_are_activated_for_each_batch_before_the_prompts_are_encoded(host, recorder, networks):
    host.txt2img(prompt="a <two:x:y=1> house", steps=1, n_iter=2)
    start = BATCH_START.index("after_extra_networks_activate")
    batch = [*BATCH_START[:start], "activate two", "activate one", *BATCH_START[start:], *STEP, *SAMPLES, *PICTURE]
    ends = ["deactivate two", "deactivate one", "postprocess"]
    assert recorder.names == [*START, *batch, *batch, *ends]
    assert recorder.named("activate two")[0] == {"items": [["x", "y=1"]], "hires": False, "encoded": False}
    assert recorder.named("activate one")[0]["items"] == []


def test_without_tags_networks_are_told_so_but_not_deactivated(host, recorder, networks):
    host.txt2img(steps=1)
    assert about(recorder, "activate") == ["activate one", "activate two"]


def test_only_the_first_prompt_of_a_batch_counts(host, recorder, networks):
    host.txt2img(prompt=["a <one:x>", "b <two:y>"], batch_size=2, steps=1)
    assert recorder.named("activate one")[0]["items"] == [["x"]]
    assert recorder.named("activate two")[0]["items"] == []


def test_disabled_networks_are_not_called_but_the_tags_go_all_the_same(host, recorder, networks):
    host.txt2img(prompt="a <one:x>", disable_extra_networks=True, steps=1)
    assert about(recorder, "activate") == []
    assert "after_extra_networks_activate" not in recorder.names
    assert recorder.named("process_batch")[0]["prompts"] == ["a "]


def test_scripts_see_the_tags_before_they_go(host, recorder, networks):
    host.txt2img(prompt="a <one:x>", steps=1)
    assert recorder.named("before_process_batch")[0]["prompts"] == ["a <one:x>"]
    details = recorder.named("after_extra_networks_activate")[0]
    assert details["prompts"] == ["a "]
    assert [params.positional for params in details["extra_network_data"]["one"]] == [["x"]]


def test_the_infotext_keeps_the_tags(host, networks):
    result = host.txt2img(prompt="a <one:x> house", steps=1)
    assert result.infotexts[0].startswith("a <one:x> house\n")
    assert result.images[0].info["parameters"] == result.infotexts[0]


def test_hires_activates_the_networks_of_its_own_prompt(host, recorder, networks):
    result = host.txt2img(prompt="a <one:x>", hr_prompt="b <two:y>", **HIRES)
    first, second = recorder.named("activate one"), recorder.named("activate two")
    assert [(d["items"], d["hires"]) for d in first] == [([["x"]], False), ([], True)]
    assert [(d["items"], d["hires"]) for d in second] == [([], False), ([["y"]], True)]
    assert not second[1]["encoded"]
    assert about(recorder, "activate")[-2:] == ["deactivate one", "deactivate two"]
    assert recorder.names.index("before_hr") > [i for i, n in enumerate(recorder.names) if n == "activate two"][-1]
    assert "Hires prompt: b <two:y>" in result.infotexts[0].replace('"', "")


def test_hires_without_its_own_prompt_uses_the_main_one_s_networks(host, recorder, networks):
    result = host.txt2img(prompt="a <one:x>", **HIRES)
    assert [d["items"] for d in recorder.named("activate one")] == [[["x"]], [["x"]]]
    assert "Hires prompt" not in result.infotexts[0]


def test_conditionings_are_encoded_anew_when_only_the_tag_changes(host, networks, monkeypatch):
    from modules import prompt_parser

    calls = []
    original = prompt_parser.get_multicond_learned_conditioning
    monkeypatch.setattr(
        prompt_parser, "get_multicond_learned_conditioning", lambda *args: calls.append(1) or original(*args)
    )
    for tag, expected in (("<one:p>", 1), ("<one:p>", 1), ("<one:q>", 2)):
        host.txt2img(prompt=f"cached{tag}", steps=1)
        assert len(calls) == expected


def test_a_network_that_raises_is_reported_and_called_again_without_arguments(host, recorder, networks, capsys):
    recorder.failing |= {"activate one", "deactivate two"}
    host.txt2img(prompt="a <one:x>", steps=1)
    assert [d["items"] for d in recorder.named("activate one")] == [[["x"]], []]
    error = capsys.readouterr().err
    assert "activating extra network one with arguments" in error
    assert "boom in deactivate two" in error
    assert recorder.names[-1] == "postprocess"


def test_loading_a_model_activates_networks_without_arguments(host, recorder, networks):
    host.load("tiny-refiner.safetensors")
    assert recorder.names == ["model_loaded", "activate one", "activate two"]


def test_aliases_and_unknown_names(host, recorder, networks):
    from modules import extra_networks

    extra_networks.register_extra_network_alias(extra_networks.extra_network_registry["one"], "uno")
    host.txt2img(prompt="a <uno:x><nobody:y><one:z>", steps=1)
    assert recorder.named("activate one")[0]["items"] == [["x"], ["z"]]


@pytest.mark.parametrize(
    ("tag", "positional", "named"),
    [
        ("<n:a:0.5>", ["a", "0.5"], {}),
        ("<n:a:k=1:b>", ["a", "b"], {"k": "1"}),
        ("<n:k=1=2>", ["k=1=2"], {}),
    ],
)
def test_arguments_of_tags(host, tag, positional, named):
    from modules import extra_networks

    text, found = extra_networks.parse_prompt(f"x {tag} y")
    assert text == "x  y"
    assert (found["n"][0].positional, found["n"][0].named) == (positional, named)


def test_prompts_without_tags_have_no_data(host):
    from modules import extra_networks

    assert extra_networks.parse_prompts([]) == ([], None)
    assert extra_networks.parse_prompts(["<1 > 2", "b <x:y>"]) == (["<1 > 2", "b "], {})


@pytest.mark.parametrize(
    ("how", "stays"),
    [
        ("extra_networks.register_extra_network(Own())", False),
        ("script_callbacks.on_before_ui(lambda: extra_networks.register_extra_network(Own()))", True),
    ],
)
def test_registries_are_emptied_after_the_scripts_load(host, tmp_path: Path, how, stays):
    from modules import extra_networks

    folder = tmp_path / "registering" / "scripts"
    folder.mkdir(parents=True)
    (folder / "own.py").write_text(REGISTERING.format(name="own", how=how), encoding="utf-8")
    host.use_extensions(folder.parent)
    assert ("own" in extra_networks.extra_network_registry) is stays
    host.use_extensions()
    assert "own" not in extra_networks.extra_network_registry
