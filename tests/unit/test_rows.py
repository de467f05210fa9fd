"""Which rows a UNet call has: by the host's order, or by the texts that they carry."""

from __future__ import annotations

import pytest
import torch

from lib_instantstyle.errors import RowsError
from lib_instantstyle.unet.rows import Row, RowCursor, best_matches, compare_texts, picture_of

PLAIN, BATCH, AND = "c0 u0", "c0 c1 u0 u1", "c0 c0 c1 u0 u1"


class Sampling:
    """Calls as a host and other extensions make them; each label of a row is its text, unless texts are given."""

    def __init__(self, step: str, block: int = 0, texts: dict[str, str] | None = None) -> None:
        self.rows = step.split()
        self.block = block
        self.texts = texts or {}
        self.cursor = RowCursor()
        self.compared = 0

    def step(self, *calls: str) -> list[str]:
        """What the cursor says of each call of a step, where ``calls`` are what they really are."""
        pictures = sorted({row[1:] for row in self.rows})
        parts = [self.rows.count(f"c{picture}") for picture in pictures]
        unconditional = sum(row.startswith("u") for row in self.rows)
        self.cursor.begin_step(parts, sum(parts), unconditional, block=self.block)
        return [self._said(call.split()) for call in calls]

    def _said(self, call: list[str]) -> str:
        def candidates() -> list[frozenset[int]]:
            self.compared += 1
            known = [self._text(row) for row in self.rows]
            return [frozenset(i for i, text in enumerate(known) if text == self._text(row)) for row in call]

        return short(self.cursor.take(len(call), None, candidates))

    def _text(self, row: str) -> str:
        return self.texts.get(row, row)


def short(rows: tuple[Row, ...]) -> str:
    return " ".join(f"{'c' if row.conditional else 'u'}{'?' if row.picture is None else row.picture}" for row in rows)


IN_ORDER = {
    "one": (PLAIN, ["c0 u0"]),
    "batch": (BATCH, [BATCH]),
    "split": (BATCH, ["c0 c1", "u0 u1"]),
    "and": (AND, [AND]),
    "and split": (AND, ["c0 c0", "c1 u0", "u1"]),
    "lengths": (AND, ["c0 c0 c1", "u0 u1"]),
    "no unconditional": (BATCH, ["c0 c1"]),
    "row by row": (AND, AND.split()),
}
OUT_OF_ORDER = {
    "four tiles at once, the texts apart": (PLAIN, ["c0 c0 c0 c0", "u0 u0 u0 u0"]),
    "three tiles, the texts apart": (PLAIN, ["c0 c0 c0", "u0 u0 u0"]),
    "tiles one by one, the texts apart": (PLAIN, ["c0", "c0", "c0", "u0", "u0", "u0"]),
    "four tiles at once": (PLAIN, ["c0 u0 c0 u0 c0 u0 c0 u0"]),
    "tiles one by one": (PLAIN, ["c0 u0", "c0 u0", "c0 u0"]),
    "tiles of a batch": (BATCH, [f"{BATCH} {BATCH}", BATCH]),
    "tiles of a batch, the texts apart": (BATCH, ["c0 c1 c0 c1", "u0 u1 u0 u1"]),
    "tiles of parts": (AND, [f"{AND} {AND}"]),
    "another conditional pass": (PLAIN, ["c0 u0", "c0"]),
    "another unconditional pass": (PLAIN, ["c0 u0", "u0"]),
    "another conditional pass without the negatives": (PLAIN, ["c0", "c0"]),
    "another pass in mid-step": (BATCH, ["c0 c1", "c0 c1", "u0 u1"]),
    "another order": (BATCH, ["u0 u1 c0 c1"]),
    "a row left out": (BATCH, ["c0 u0", "c1 u1"]),
}


@pytest.mark.parametrize(("step", "calls"), (IN_ORDER | OUT_OF_ORDER).values(), ids=list(IN_ORDER | OUT_OF_ORDER))
def test_rows_are_what_they_carry(step: str, calls: list[str]) -> None:
    sampling = Sampling(step)
    for _ in range(3):
        assert sampling.step(*calls) == calls
    assert sampling.compared == len(calls), "once a place, not once a step"


@pytest.mark.parametrize(("step", "calls"), IN_ORDER.values(), ids=list(IN_ORDER))
@pytest.mark.parametrize("texts", ["all the same", "exchanged"])
def test_in_the_host_s_order_the_texts_need_not_differ(step: str, calls: list[str], texts: str) -> None:
    sampling = Sampling(step, texts=dict.fromkeys(step.split(), "the same") if texts == "all the same" else None)
    if texts == "exchanged":
        sampling._said = lambda call: short(sampling.cursor.take(len(call)))  # type: ignore[method-assign]
    assert sampling.step(*calls) == calls


def test_pictures_with_the_same_prompt_are_left_open_out_of_order() -> None:
    sampling = Sampling(BATCH, texts={"c0": "a cat", "c1": "a cat", "u0": "", "u1": ""})
    assert sampling.step(BATCH, "c0 c1", "u1 u0") == [BATCH, "c? c?", "u? u?"]
    with pytest.raises(RowsError, match="prompt of its own"):
        picture_of(Row(True, None))


def test_steps_of_another_kind_are_told_apart() -> None:
    """The unconditional rows are left out in every second step, and another pass comes after each."""
    sampling = Sampling(PLAIN)
    for _ in range(2):
        sampling.block = 0
        assert sampling.step("c0", "u0", "c0") == ["c0", "u0", "c0"]
        sampling.block = 1
        assert sampling.step("c0", "c0") == ["c0", "c0"]


SAME = {"c0": "", "u0": ""}


def test_a_host_that_never_splits_proves_repetitions_of_the_same_texts() -> None:
    tiles = f"{PLAIN} {PLAIN}"
    assert Sampling(PLAIN, block=2, texts=SAME).step(tiles, tiles, PLAIN) == [tiles, tiles, PLAIN]


@pytest.mark.parametrize("calls", [["c0 u0 c0 u0"], ["c0", "c0", "c0"], ["c0 u0", "c0"], ["c0 c0 c0"]], ids=str)
def test_what_nothing_proves_is_refused(calls: list[str]) -> None:
    with pytest.raises(RowsError, match="texts do not tell"):
        Sampling(PLAIN, texts=SAME).step(*calls)


def test_foreign_texts_out_of_order_are_refused() -> None:
    with pytest.raises(RowsError, match="3 rows that are none of the 2 rows"):
        Sampling(PLAIN).step("x0 x0 x0")
    with pytest.raises(RowsError):
        RowCursor().take(1)
    with pytest.raises(RowsError):
        RowCursor().take(0)


def test_prompts_that_do_not_account_for_the_rows_are_refused() -> None:
    with pytest.raises(RowsError, match=r"\[2, 1\] parts"):
        RowCursor().begin_step([2, 1], 4, 2)
    with pytest.raises(RowsError):
        RowCursor().begin_step([1, 1], 2, 1)


# ---- texts ----

LONG, SHORT = torch.randn(2, 154, 8), torch.randn(1, 77, 8)


def lengthened(text: torch.Tensor) -> torch.Tensor:
    return torch.cat([text, torch.randn(text.shape[0], 77, 8)], dim=1)


def matches(*rows: torch.Tensor) -> list[set[int]]:
    return [set(found) for found in best_matches(compare_texts(torch.cat(rows), [LONG, SHORT]))]


def test_texts_are_found_by_their_beginning() -> None:
    assert matches(LONG, lengthened(SHORT)) == [{0}, {1}, {2}]
    assert matches(SHORT, LONG[1:, :77]) == [{2}, {1}]
    assert matches(torch.randn(1, 154, 8)) == [set()]


def test_the_longer_match_wins() -> None:
    """A prompt of two chunks may begin as the other does."""
    twins = [torch.cat([SHORT, LONG[:1, 77:]], dim=1), SHORT]
    assert best_matches(compare_texts(twins[0], twins)) == [frozenset({0})]
    assert best_matches(compare_texts(lengthened(SHORT), twins)) == [frozenset({1})]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_call_in_half_precision_carries_the_same_texts(dtype: torch.dtype) -> None:
    assert [set(found) for found in best_matches(compare_texts(LONG.to(dtype), [LONG, SHORT]))] == [{0}, {1}]
