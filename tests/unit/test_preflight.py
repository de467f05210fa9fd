"""The list of what is there, and the next thing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_instantstyle.models.adapter import Adapter, open_adapter
from lib_instantstyle.models.encoder_file import EncoderFile
from lib_instantstyle.models.preflight import Check, Facts, Verdict, checks, next_step
from tests.support import files

ENCODER = EncoderFile(Path("tower"), Path("tower/model.safetensors"), 1664, 1280)


def verdicts(facts: Facts) -> list[str]:
    return [check.verdict.value for check in checks(facts)]


def only(facts: Facts, name: str) -> Check:
    return next(check for check in checks(facts) if check.name == name)


def test_nothing_is_there() -> None:
    facts = Facts()
    assert verdicts(facts) == ["unknown", "missing", "missing", "unknown", "optional"]
    assert next_step(checks(facts)).endswith("press Get models.")


def test_everything_is_there(adapter: Adapter) -> None:
    facts = Facts("xl.safetensors", True, "", 1280, adapter, "", ENCODER, 2, "", "a cat")
    assert verdicts(facts) == ["ready"] * 5
    assert next_step(checks(facts)).startswith("Ready")
    assert only(facts, "Reference").text == "2 pictures"
    assert only(facts, "Image encoder").text == "tower (ViT-bigG)"


def test_one_thing_at_a_time(adapter: Adapter) -> None:
    steps = [
        (Facts(model="15", model_problem="Choose SDXL.", adapter_problem="A."), "Choose SDXL."),
        (Facts(adapter_problem="A."), "A."),
        (Facts(adapter=adapter), "The adapter needs its image encoder."),
        (Facts(adapter=adapter, encoder=ENCODER, references=0), "Drop a picture"),
        (Facts(adapter=adapter, encoder=ENCODER, references=1), "Ready"),
    ]
    for facts, step in steps:
        assert next_step(checks(facts)).startswith(step)


def test_off_is_told_first(adapter: Adapter) -> None:
    found = checks(Facts(adapter=adapter))
    assert next_step(found, enabled=False) == "InstantStyle is off: tick the box before its name."


def test_a_saved_style_needs_neither_picture_nor_encoder(adapter: Adapter) -> None:
    facts = Facts("xl", True, adapter=adapter, references=0, style="ink")
    assert verdicts(facts) == ["ready", "ready", "optional", "ready", "optional"]


@pytest.mark.parametrize("tensors", [files.linear_adapter(1024), files.plus_adapter(1280)])
def test_words_need_an_adapter_that_can_remove_them(tmp_path: Path, tensors: dict) -> None:
    other = open_adapter(files.save_safetensors(tmp_path / "other.safetensors", tensors))
    facts = Facts(adapter=other, encoder=ENCODER, references=1, content="a cat")
    assert only(facts, "Content to remove").verdict is Verdict.MISSING
    assert "Choose ip-adapter_sdxl" in next_step(checks(facts))


def test_which_words_can_be_removed_depends_on_the_text_tower(tmp_path: Path) -> None:
    small = open_adapter(files.save_safetensors(tmp_path / "small.safetensors", files.linear_adapter(64)))
    facts = Facts("mini", True, text_width=64, adapter=small, encoder=ENCODER, references=1, content="a cat")
    assert only(facts, "Content to remove").verdict is Verdict.READY
    assert "and content removal" in only(facts, "Adapter").text
