"""The list of what is there, and the next thing to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.models.adapter import Adapter, open_adapter
from lib_instantstyle.models.encoder_file import EncoderFile
from lib_instantstyle.models.preflight import Check, Facts, Verdict, checks, next_step
from lib_instantstyle.params.style_params import StyleParams
from lib_instantstyle.webui.styles.requirements import check_removal
from tests.support import files

ENCODER = EncoderFile(Path("tower"), Path("tower/model.safetensors"), 1664, 1280)


def verdicts(facts: Facts) -> list[str]:
    return [check.verdict.value for check in checks(facts)]


def only(facts: Facts, name: str) -> Check:
    return next(check for check in checks(facts) if check.name == name)


def test_nothing_is_there() -> None:
    facts = Facts()
    assert verdicts(facts) == ["unknown", "missing", "missing", "unknown", "optional", "ready"]
    assert next_step(checks(facts)).endswith("press Get models.")


def test_everything_is_there(adapter: Adapter) -> None:
    facts = Facts("xl.safetensors", True, "", 1280, adapter, "", ENCODER, 2, "", "a cat")
    assert verdicts(facts) == ["ready"] * 6
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


def test_saved_styles_in_the_prompt_are_told_on_and_off(adapter: Adapter) -> None:
    known = {"model": "xl", "is_loaded": True, "adapter": adapter, "encoder": ENCODER}
    tagged = checks(Facts(**known, references=1, tags=("ink",)))
    assert next_step(tagged) == "Ready to generate."
    assert next_step(tagged, enabled=False) == "InstantStyle is off, but the saved styles in the prompt act."
    without = checks(Facts(**known, references=0, tags=("ink",)))
    assert next_step(without, enabled=False) == "InstantStyle is off, but the saved styles in the prompt act."
    refused = checks(Facts(**known, references=1, tags_problem=MESSAGE))
    assert next_step(refused) == next_step(refused, enabled=False) == MESSAGE
    other = checks(Facts(model="15", model_problem="Choose SDXL.", tags=("ink",)))
    assert next_step(other, enabled=False) == "Choose SDXL."


def test_a_saved_style_needs_neither_picture_nor_encoder(adapter: Adapter) -> None:
    facts = Facts("xl", True, adapter=adapter, references=0, style="ink")
    assert verdicts(facts) == ["ready", "ready", "optional", "ready", "optional", "ready"]


MESSAGE = "ip-adapter_sdxl.bin weighs 0.5 e.g. in 3.safetensors. Choose it. Or not."


@pytest.mark.parametrize(("field", "name"), [("content_problem", "Content to remove"), ("problem", "Controls")])
def test_what_a_job_would_refuse_is_told_with_its_remedy(adapter: Adapter, field: str, name: str) -> None:
    facts = Facts(adapter=adapter, encoder=ENCODER, references=1, content="a cat", **{field: MESSAGE})
    assert only(facts, name).verdict is Verdict.MISSING
    assert next_step(checks(facts)) == MESSAGE


def test_which_words_can_be_removed_depends_on_the_text_tower(tmp_path: Path) -> None:
    small = open_adapter(files.save_safetensors(tmp_path / "small.safetensors", files.linear_adapter(64)))
    params = StyleParams(content="a cat")
    check_removal(params, small, 64)
    check_removal(params, small, None)
    facts = Facts("mini", True, text_width=64, adapter=small, encoder=ENCODER, references=1, content="a cat")
    assert "and content removal" in only(facts, "Adapter").text
    for tensors in (files.linear_adapter(1024), files.plus_adapter(1280)):
        other = open_adapter(files.save_safetensors(tmp_path / "other.safetensors", tensors))
        with pytest.raises(ParameterError, match=r"cannot remove content.*: choose ip-adapter_sdxl"):
            check_removal(params, other, 1280)
        check_removal(params.replace(content_strength=0.0), other, 1280)
