import pytest

from lib_instantstyle.errors import RowsError
from lib_instantstyle.unet.rows import Row, RowCursor


def cursor(parts: list[int], unconditional: int | None = None) -> RowCursor:
    rows = RowCursor()
    rows.begin_step(parts, sum(parts), len(parts) if unconditional is None else unconditional)
    return rows


def short(rows: tuple[Row, ...]) -> str:
    return " ".join(f"{'c' if row.conditional else 'u'}{row.picture}" for row in rows)


@pytest.mark.parametrize(
    ("parts", "calls", "expected"),
    [
        ([1], [2], ["c0 u0"]),
        ([1, 1, 1, 1], [8], ["c0 c1 c2 c3 u0 u1 u2 u3"]),
        ([1, 1], [2, 2], ["c0 c1", "u0 u1"]),
        ([2, 2], [6], ["c0 c0 c1 c1 u0 u1"]),
        ([2, 1], [2, 2, 1], ["c0 c0", "c1 u0", "u1"]),
        ([2, 2], [4, 2], ["c0 c0 c1 c1", "u0 u1"]),
        ([1, 1], [2], ["c0 c1"]),
        ([1], [2, 2], ["c0 u0", "c0 u0"]),
        ([1], [8], ["c0 u0 c0 u0 c0 u0 c0 u0"]),
    ],
    ids=["one", "batch", "split", "and", "and split", "lengths", "no uncond", "extra pass", "tiles"],
)
def test_rows_are_told_in_every_layout(parts: list[int], calls: list[int], expected: list[str]) -> None:
    rows = cursor(parts)
    assert [short(rows.take(count)) for count in calls] == expected


def test_each_step_begins_anew() -> None:
    rows = cursor([1])
    rows.take(1)
    rows.begin_step([2], 2, 1)
    assert short(rows.take(3)) == "c0 c0 u0"


def test_what_cannot_be_explained_is_an_error() -> None:
    with pytest.raises(RowsError, match="3 rows where 2 of 2"):
        cursor([1]).take(3)
    rows = cursor([1, 1])
    rows.take(2)
    with pytest.raises(RowsError, match="3 rows where 2 of 4"):
        rows.take(3)
    with pytest.raises(RowsError):
        RowCursor().take(1)
    with pytest.raises(RowsError, match=r"3 conditional and 1 unconditional rows, but its prompts have \[2\] parts"):
        RowCursor().begin_step([2], 3, 1)


@pytest.mark.parametrize("count", [2, 4])
def test_a_call_that_repeats_the_whole_step_must_begin_at_its_start(count: int) -> None:
    rows = cursor([1])
    rows.take(1)
    with pytest.raises(RowsError, match=f"{count} rows where 1 of 2 are left"):
        rows.take(count)
    assert short(rows.take(1)) == "u0"
