"""The three ways to remove content, against numpy; weights of contents; how much a content resembles."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.removal import Remover
from lib_instantstyle.params.contents import Content, Removal, parse_contents

WIDTH = 1280


def vectors(count: int, seed: int, width: int = WIDTH) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


PICTURE, TEXTS = vectors(1, seed=1), vectors(3, seed=2)
METHODS = list(Removal)


def removed(
    method: Removal, strength: float, picture: np.ndarray = PICTURE, texts: np.ndarray = TEXTS[:1], weights=(1.0,)
) -> np.ndarray:
    contents = [Content(str(index), weight) for index, weight in enumerate(weights)]
    return Remover(contents, torch.from_numpy(texts), strength, method)(torch.from_numpy(picture)).numpy()


def by_hand(method: Removal, amount: float, picture: np.ndarray, text: np.ndarray) -> np.ndarray:
    """Each formula for one picture, in double precision."""
    e, t = picture.astype(np.float64), text.astype(np.float64)
    if method is Removal.SUBTRACT:
        return e - amount * t
    if method is Removal.PROJECT_OUT:
        unit = t / np.sqrt(np.sum(t * t))
        rest = e - amount * np.sum(e * unit) * unit
        return rest / np.sqrt(np.sum(rest * rest)) * np.sqrt(np.sum(e * e))
    order = sorted(range(len(e)), key=lambda index: e[index] * t[index], reverse=True)
    result = e.copy()
    for index in order[: len(e) // 5]:
        result[index] *= 1.0 - min(amount, 1.0)
    return result


@pytest.mark.parametrize("amount", [0.0, 0.3, 0.5, 1.0, 1.7, 2.0])
@pytest.mark.parametrize("method", METHODS)
def test_each_method_equals_numpy(method: Removal, amount: float) -> None:
    expected = by_hand(method, amount, PICTURE[0], TEXTS[0])
    np.testing.assert_allclose(removed(method, amount)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_rows_are_treated_one_by_one(method: Removal) -> None:
    pictures = vectors(3, seed=5)
    expected = [by_hand(method, 0.7, picture, TEXTS[0]) for picture in pictures]
    np.testing.assert_allclose(removed(method, 0.7, pictures), np.stack(expected), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("method", [Removal.SUBTRACT, Removal.MASK])
def test_strength_0_is_bit_identical(method: Removal) -> None:
    assert np.array_equal(removed(method, 0.0), PICTURE)


def test_project_out_leaves_nothing_along_the_words_and_keeps_the_length() -> None:
    picture = PICTURE + 2 * TEXTS[:1]  # much content to remove
    result = removed(Removal.PROJECT_OUT, 1.0, picture)
    lengths = [np.linalg.norm(vector) for vector in (picture, TEXTS[:1], result)]
    assert abs(np.sum(result * TEXTS[:1])) / (lengths[1] * lengths[2]) < 1e-6
    for amount in (0.25, 1.0, 2.0):
        kept = np.linalg.norm(removed(Removal.PROJECT_OUT, amount, picture))
        assert kept == pytest.approx(lengths[0], rel=1e-5)


def test_project_out_does_not_care_how_long_the_words_vector_is() -> None:
    once, ten_times = (removed(Removal.PROJECT_OUT, 0.6, texts=factor * TEXTS[:1]) for factor in (1.0, 10.0))
    np.testing.assert_allclose(once, ten_times, rtol=1e-4, atol=1e-5)


def test_mask_touches_exactly_the_fifth_that_is_most_like_the_words() -> None:
    result = removed(Removal.MASK, 1.0)
    gone = result[0] == 0.0
    assert gone.sum() == WIDTH * 20 // 100 == 256
    assert np.array_equal(result[0][~gone], PICTURE[0][~gone])
    alike = PICTURE[0] * TEXTS[0]
    assert alike[gone].min() >= alike[~gone].max()


def test_mask_beyond_1_clamps_instead_of_turning_round() -> None:
    assert np.array_equal(removed(Removal.MASK, 2.0), removed(Removal.MASK, 1.0))


@pytest.mark.parametrize("method", METHODS)
def test_weights_of_contents_are_a_direction_and_an_amount(method: Removal) -> None:
    """Direction Σ w·t / Σ w, amount s · Σ w / n."""
    weights = (0.8, 0.4, 3.0)
    direction = sum(w * text.astype(np.float64) for w, text in zip(weights, TEXTS, strict=True)) / sum(weights)
    expected = by_hand(method, 0.5 * sum(weights) / 3, PICTURE[0], direction)
    np.testing.assert_allclose(removed(method, 0.5, PICTURE, TEXTS, weights)[0], expected, rtol=1e-4, atol=1e-4)


def test_subtraction_takes_each_content_by_its_own_weight() -> None:
    """The same, as users think of it: half the strength times the mean of the weighted vectors."""
    result = removed(Removal.SUBTRACT, 0.5, PICTURE, TEXTS[:2], (0.8, 0.4))
    np.testing.assert_allclose(result, PICTURE - 0.5 * (0.8 * TEXTS[0] + 0.4 * TEXTS[1]) / 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_naming_a_content_twice_changes_nothing(method: Removal) -> None:
    twice = removed(method, 0.5, texts=np.repeat(TEXTS[:1], 2, axis=0), weights=(1.0, 1.0))
    np.testing.assert_allclose(twice, removed(method, 0.5), rtol=1e-6, atol=1e-6)


def test_half_precision_is_computed_in_single() -> None:
    remover = Remover([Content("a cat", 1.0)], torch.from_numpy(TEXTS[:1]).half(), 0.5, Removal.PROJECT_OUT)
    assert remover(torch.from_numpy(PICTURE).half()).dtype is torch.float32


@pytest.mark.parametrize("method", METHODS)
def test_another_space_is_refused(method: Removal) -> None:
    with pytest.raises(ParameterError, match="1024 numbers, the text tower's 1280"):
        removed(method, 0.5, vectors(1, seed=3, width=1024))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a cat:0.8, balloons:0.4", [("a cat", 0.8), ("balloons", 0.4)]),
        ("a cat:0.8, balloons", [("a cat", 0.8), ("balloons", 1.0)]),
        ("a cat : 2", [("a cat", 2.0)]),
        ("star wars: a new hope", [("star wars: a new hope", 1.0)]),
        ("star wars: a new hope:0.5", [("star wars: a new hope", 0.5)]),
        ("12:30 o'clock", [("12:30 o'clock", 1.0)]),
        ("12:30 o'clock:0.5", [("12:30 o'clock", 0.5)]),
        ("a cat; a dog\nballoons", [("a cat", 1.0), ("a dog", 1.0), ("balloons", 1.0)]),
        ("猫：０．５，犬；鳥、魚", [("猫", 0.5), ("犬", 1.0), ("鳥", 1.0), ("魚", 1.0)]),
        ("a cat:1, 8 balloons", [("a cat", 1.0), ("8 balloons", 1.0)]),
        ("a cat:0, balloons", [("a cat", 0.0), ("balloons", 1.0)]),
        (" , ,", []),
        ("", []),
    ],
)
def test_contents_and_their_weights(text: str, expected: list[tuple[str, float]]) -> None:
    assert list(parse_contents(text)) == expected


@pytest.mark.parametrize("text", ["a cat:3.1", "a cat:-1", "a cat:nan", "a cat:inf", "balloons, a cat:99"])
def test_bad_weights_of_contents_name_the_content(text: str) -> None:
    with pytest.raises(ParameterError, match=r"the weight of 'a cat' is .*; it must be between 0 and 3"):
        parse_contents(text)


@pytest.mark.parametrize(
    "text", ["a cat:x", "a cat:", "a cat: 0.8x", "a cat:0.8 a dog", "(a cat:1.5)", "a cat:0.8.1", ":"]
)
def test_what_stands_after_a_colon_is_a_weight_or_named(text: str) -> None:
    with pytest.raises(
        ParameterError, match=r"'.*' after '.*' is no weight. Write 'a cat:0.8', or leave the colon out"
    ):
        parse_contents(f"balloons, {text}")


@pytest.mark.parametrize("text", ["a cat:0,8", "a cat:0, 8", "a cat:0,8, balloons", "a cat：0，8；balloons"])
def test_a_decimal_comma_is_named(text: str) -> None:
    with pytest.raises(ParameterError, match=r"'0, ?8' is read as two contents. Write a weight with a point"):
        parse_contents(text)


def test_a_weight_without_words_is_named() -> None:
    with pytest.raises(ParameterError, match=r"the weight 0.5 has no words before it"):
        parse_contents("a cat, :0.5")


@given(st.text() | st.from_regex(r"[a-z ]{0,4}:[-0-9.einfa]{0,6}(, ?[a-z]{1,3}:[0-9.]{1,3})?"))
def test_no_text_does_worse_than_a_parameter_error(text: str) -> None:
    try:
        contents = parse_contents(text)
    except ParameterError:
        return
    assert all(content.words and 0.0 <= content.weight <= 3.0 for content in contents)


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(sum(one * other) / (sum(one * one) ** 0.5 * sum(other * other) ** 0.5))


@pytest.mark.parametrize("method", METHODS)
def test_resemblances_are_cosines_before_and_after(method: Removal) -> None:
    picture = PICTURE + 0.5 * TEXTS[:1]
    contents = [Content("a cat", 1.0), Content("balloons", 0.5), Content("fog", 0.2)]
    found = Remover(contents, torch.from_numpy(TEXTS), 0.5, method).resemblances(torch.from_numpy(picture))
    after = removed(method, 0.5, picture, TEXTS, (1.0, 0.5, 0.2))[0]
    assert [entry.content for entry in found] == contents
    for entry, text in zip(found, TEXTS, strict=True):
        assert entry.before == pytest.approx(cosine(picture[0], text), abs=1e-5)
        assert entry.after == pytest.approx(cosine(after, text), abs=1e-5)


def test_unrelated_words_and_too_much_removal_are_flagged() -> None:
    cat, fog = np.eye(2, 8, dtype=np.float32)
    contents, texts = [Content("a cat", 1.0), Content("fog", 1.0)], torch.from_numpy(np.stack([cat, fog]))
    picture = torch.from_numpy(cat + 0.05 * fog)[None]

    def flags(strength: float) -> list[tuple[bool, bool]]:
        found = Remover(contents, texts, strength, Removal.SUBTRACT).resemblances(picture)
        return [(entry.is_unrelated, entry.is_flipped) for entry in found]

    # Half of each vector is removed at strength 1: 1 − 0.5 of the cat is left, 0.05 − 0.5 of the fog.
    assert flags(0.05) == [(False, False), (True, False)]
    assert flags(1.0) == [(False, False), (True, True)]
    assert flags(2.0) == [(False, False), (True, True)]  # the cat is just gone, not flipped
    opposite = Remover(contents, texts, 1.0, Removal.SUBTRACT).resemblances(-picture)
    assert [(entry.is_unrelated, entry.is_flipped) for entry in opposite] == [(True, False), (True, False)]


def test_the_smallest_weights_name_a_direction() -> None:
    """In float32 they were 0, and what was left of the picture NaN."""
    remove = Remover(parse_contents("a cat:1e-46"), torch.ones(1, 4), 1.0, Removal.SUBTRACT)
    torch.testing.assert_close(remove(torch.ones(1, 4)), torch.ones(1, 4))
