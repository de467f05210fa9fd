"""Hashes of pictures in the infotext."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.params.picture_hashes import ROLES, SHORT, PictureHashes, parse_picture_hashes


def sha(name: object) -> str:
    return hashlib.sha256(str(name).encode()).hexdigest()


A, B, C, D, E = map(sha, "abcde")
WHOLE = PictureHashes((A, B), {"layout": C, "negative": D, "subject": E}, {0: A, 7: B})


def test_the_text_is_spelled_out() -> None:
    assert WHOLE.text() == f"{A}, {B}; layout {C}; negative {D}; subject {E}; mask 1 {A}; mask 8 {B}"


@pytest.mark.parametrize(
    "recalled",
    [
        PictureHashes(),
        PictureHashes((A,)),
        PictureHashes((A, B, A)),
        PictureHashes(others={"subject": C}),
        PictureHashes(masks={3: D}),
        WHOLE,
    ],
    ids=["nothing", "one", "several", "subject only", "mask only", "everything"],
)
def test_what_is_written_is_read_back(recalled: PictureHashes) -> None:
    assert parse_picture_hashes(recalled.text()) == recalled


SHAS = st.integers().map(sha)


@given(
    st.lists(SHAS, max_size=8), st.dictionaries(st.sampled_from(ROLES), SHAS), st.dictionaries(st.integers(0, 7), SHAS)
)
def test_any_hashes_are_read_back(style: list[str], others: dict[str, str], masks: dict[int, str]) -> None:
    recalled = PictureHashes(tuple(style), others, masks)
    assert parse_picture_hashes(recalled.text()) == recalled


@given(
    st.lists(SHAS, max_size=8), st.dictionaries(st.sampled_from(ROLES), SHAS), st.dictionaries(st.integers(0, 7), SHAS)
)
def test_beginnings_are_read_back(style: list[str], others: dict[str, str], masks: dict[int, str]) -> None:
    text = PictureHashes(tuple(style), others, masks).text(SHORT)
    assert text == parse_picture_hashes(text).text()
    assert all(len(digest) == SHORT for _, digest in parse_picture_hashes(text).named())


def test_a_single_hash_is_the_style_reference_as_before() -> None:
    assert parse_picture_hashes(f"  {A.upper()} ") == PictureHashes((A,))


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("reference 1", PictureHashes((B,), dict(WHOLE.others), {6: B})),
        ("reference 2", PictureHashes((A,), dict(WHOLE.others), {0: A, 6: B})),
        ("layout", PictureHashes((A, B), {"negative": D, "subject": E}, dict(WHOLE.masks))),
        ("mask 8", PictureHashes((A, B), dict(WHOLE.others), {0: A})),
    ],
)
def test_one_is_removed_and_a_reference_takes_its_mask_along(name: str, left: PictureHashes) -> None:
    assert WHOLE.without(name) == left
    assert name in dict(WHOLE.named())


@pytest.mark.parametrize("text", ["", "  ", ";", " ; ;"])
def test_nothing_recalls_nothing(text: str) -> None:
    assert parse_picture_hashes(text) == PictureHashes()


@pytest.mark.parametrize(
    "text",
    [
        "style",
        A[:11],
        f"{A}0",
        f"g{A[1:]}",
        f"{A},",
        f"{A} {B}",
        f"{A}, {B[:10]}",
        "layout",
        f"layout {A[:11]}",
        f"layout {A}, {B}",
        f"content {A}",
        f"mask {A}",
        f"mask 0 {A}",
        f"mask 9 {A}",
        f"mask 1 {A[:11]}",
        f"mask 12 {A}",
        f"../{A}",
    ],
)
def test_anything_else_is_refused_with_the_way_out(text: str) -> None:
    with pytest.raises(ParameterError, match=r"is no hash of a picture, which has 12 to 64 hexa.*Paste the parameters"):
        parse_picture_hashes(text)


@given(st.text() | st.text(alphabet="0123456789abcdef ;,maskl", max_size=80))
def test_no_text_does_worse_than_a_parameter_error(text: str) -> None:
    try:
        parse_picture_hashes(text)
    except ParameterError:
        return
