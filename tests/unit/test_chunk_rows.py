"""The Forge family's rows: named by the WebUI, and looked at where its word may be wrong."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import RowsError, UnsupportedModelError
from lib_instantstyle.unet.rows import Row, chunk_rows
from lib_instantstyle.webui.hosts import forge_pass
from lib_instantstyle.webui.hosts.forge_pass import ForgePass

Call = tuple[list[int], list[Row]]  # the kinds that the WebUI names, and what its rows really are


def calls_of_a_step(parts: int, guided: bool, pictures: int, tiles: int, room: int, first: int) -> list[Call]:
    """The calls of a step as these WebUIs make them: chunks in reverse, as many as there is room for, tile by tile."""
    waiting = [0] * parts + [1] * guided
    calls = []
    while waiting:
        kinds = [waiting.pop() for _ in range(min(room, len(waiting)))]
        batch = [Row(kind == 0, first + picture) for kind in kinds for picture in range(pictures)]
        calls.append((kinds, [row for _ in range(tiles) for row in batch]))
    return calls


@given(
    parts=st.integers(1, 4),
    guided=st.booleans(),
    pictures=st.integers(1, 4),
    tiles=st.integers(1, 6),
    room=st.integers(1, 5),
    first=st.integers(0, 8),
)
def test_rows_are_what_the_host_put_there(**step: Any) -> None:
    for kinds, rows in calls_of_a_step(**step):
        assert list(chunk_rows(kinds, step["pictures"], len(rows), step["first"])) == rows


@pytest.mark.parametrize(("kinds", "pictures", "count"), [([1, 0], 1, 3), ([1, 0], 2, 2), ([], 1, 2), ([0], 1, 0)])
def test_rows_that_are_no_whole_chunks_are_refused(kinds: list[int], pictures: int, count: int) -> None:
    with pytest.raises(RowsError, match=f"{count} rows"):
        chunk_rows(kinds, pictures, count)


class Step:
    """What the WebUI tells of a denoising step."""

    def __init__(self, positive: list[int], negative: list[int] | None) -> None:
        self.text_cond = {"crossattn": texts(positive)}
        self.text_uncond = None if negative is None else {"crossattn": texts(negative)}


def texts(values: list[int], tokens: int = 77) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32)[:, None, None].expand(-1, tokens, 4)


def said(reader: ForgePass, kinds: list[int], context: list[int], pictures: int = 1, tokens: int = 77) -> str:
    options = {"cond_or_uncond": kinds, "sigmas": torch.ones(pictures)}
    rows = len(context)
    call = reader.read_call(
        (torch.zeros(rows, 4, 8, 8), torch.full((rows,), 500.0)),
        {"context": texts(context, tokens), "transformer_options": options},
    )
    assert call.timesteps.tolist() == [500.0] * rows
    return " ".join(f"{'c' if row.conditional else 'u'}{row.picture}" for row in call.rows)


def test_a_plain_step_is_taken_at_its_word() -> None:
    reader = ForgePass(first_picture=2)
    reader.begin_step(Step([5, 6], [7, 7]))
    assert said(reader, [1, 0], [7, 7, 5, 6], pictures=2) == "u2 u3 c2 c3"


def test_guidance_on_the_negative_prompt_is_unconditional() -> None:
    """Self-attention guidance evaluates the negative prompt and calls it conditional; perturbed attention does not."""
    reader = ForgePass(0)
    for _ in range(2):
        reader.begin_step(Step([5], [7]))
        assert [said(reader, [1, 0], [7, 5]), said(reader, [0], [7]), said(reader, [0], [5])] == ["u0 c0", "u0", "c0"]
        reader.begin_step(Step([5], [7]))  # a step without negatives, then the same guidance
        assert [said(reader, [0], [5]), said(reader, [0], [7])] == ["c0", "u0"]


@pytest.mark.parametrize(
    ("step", "context"),
    [(Step([5], [5]), 5), (Step([5], [7]), 9), (Step([5], None), 7)],
    ids=["equal prompts", "a text of neither", "CFG 1"],
)
def test_where_texts_do_not_contradict_the_host_is_believed(step: Step, context: int) -> None:
    reader = ForgePass(0)
    reader.begin_step(step)
    assert said(reader, [0], [context]) == "c0"


def test_a_lengthened_negative_prompt_is_found_by_its_beginning() -> None:
    reader = ForgePass(0)
    reader.begin_step(Step([5], [7]))
    assert said(reader, [0], [7], tokens=154) == "u0"


def test_texts_are_compared_once_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    original = forge_pass.compare_texts
    monkeypatch.setattr(forge_pass, "compare_texts", lambda *args: compared.append(1) or original(*args))
    reader = ForgePass(0)
    for _ in range(5):
        reader.begin_step(Step([5], [7]))
        said(reader, [1, 0], [7, 5])
        said(reader, [0], [5])
    assert len(compared) == 1


@pytest.mark.parametrize("options", [None, {}, {"cond_or_uncond": [0]}, {"sigmas": torch.ones(1)}])
def test_a_call_that_says_nothing_of_its_rows_is_refused(options: Any) -> None:
    with pytest.raises(UnsupportedModelError, match="cond_or_uncond"):
        ForgePass(0).read_call((torch.zeros(1, 4, 8, 8), torch.zeros(1)), {"transformer_options": options})
