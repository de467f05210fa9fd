"""Means of references and their weights, against loops over single numbers."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.errors import ParameterError
from lib_instantstyle.method.embeddings import mean, normalised_mean
from lib_instantstyle.params.combination import complete_weights, parse_reference_weights

SHAPES = [(1, 7), (1, 4, 5)]  # an embedding, and image tokens


def random(count: int, shape: tuple[int, ...]) -> list[torch.Tensor]:
    """Vectors of very different lengths."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(*shape, generator=generator) * 3.0**index for index in range(count)]


def rows(vectors: list[torch.Tensor]) -> list[list[list[float]]]:
    """``[row][vector][element]`` as numbers, a row being what has a length of its own."""
    flat = [vector.reshape(-1, vector.shape[-1]).tolist() for vector in vectors]
    return [[vector[row] for vector in flat] for row in range(len(flat[0]))]


def looped_mean(vectors: list[list[float]], weights: list[float]) -> list[float]:
    total = sum(weights)
    width = len(vectors[0])
    return [sum(w * v[i] for w, v in zip(weights, vectors, strict=True)) / total for i in range(width)]


def looped_normalised_mean(vectors: list[list[float]], weights: list[float]) -> list[float]:
    lengths = [math.sqrt(sum(x * x for x in vector)) for vector in vectors]
    units = [[x / length for x in vector] for vector, length in zip(vectors, lengths, strict=True)]
    direction = looped_mean(units, weights)
    norm = math.sqrt(sum(x * x for x in direction))
    length = sum(w * n for w, n in zip(weights, lengths, strict=True)) / sum(weights)
    return [x / norm * length for x in direction]


@pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0], [1.0, 0.5, 0.25], [0.0, 2.0, 1.0], [0.0, 0.0, 3.0]], ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=["embedding", "tokens"])
@pytest.mark.parametrize(
    ("ours", "loop"), [(mean, looped_mean), (normalised_mean, looped_normalised_mean)], ids=["mean", "normalised"]
)
def test_means_equal_loops(ours, loop, shape: tuple[int, ...], weights: list[float]) -> None:
    vectors = random(3, shape)
    expected = torch.tensor([loop(row, weights) for row in rows(vectors)]).reshape(shape)
    result = ours(vectors, weights)
    assert result.shape == shape
    torch.testing.assert_close(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("average", [mean, normalised_mean])
def test_only_the_ratio_of_the_weights_counts(average) -> None:
    vectors = random(2, (1, 7))
    torch.testing.assert_close(average(vectors, [1.0, 0.5]), average(vectors, [2.0, 1.0]))


@pytest.mark.parametrize("average", [mean, normalised_mean])
def test_one_reference_is_itself(average) -> None:
    (vector,) = random(1, (1, 7))
    torch.testing.assert_close(average([vector], [0.3]), vector)
    torch.testing.assert_close(average([vector, vector], [1.0, 2.0]), vector)


def test_no_reference_wins_by_being_long() -> None:
    """Twice the length changes the length of the answer, not its direction."""
    one, other = random(2, (1, 7))
    before = normalised_mean([one, other], [1.0, 1.0])
    after = normalised_mean([one, 2 * other], [1.0, 1.0])
    torch.testing.assert_close(after / after.norm(), before / before.norm())
    torch.testing.assert_close(after.norm(), (one.norm() + 2 * other.norm()) / 2)


def test_lengths_are_taken_over_the_elements_not_over_the_batch() -> None:
    """The peers' "norm average": torch.norm(stack, dim=0) mixes the references and leaves each its length."""
    one, other = random(2, (1, 7))
    stacked = torch.cat([one, other])
    peers = (stacked / torch.norm(stacked, dim=0, keepdim=True)).mean(dim=0, keepdim=True)
    ours = normalised_mean([one, other], [1.0, 1.0])
    assert torch.cosine_similarity(ours, peers).item() < 0.99
    similarities = [torch.cosine_similarity(ours, vector).item() for vector in (one, other)]
    assert similarities[0] == pytest.approx(similarities[1], abs=1e-5)  # as near to the one as to the other


def test_references_that_cancel_give_zero_and_no_nan() -> None:
    (vector,) = random(1, (1, 7))
    assert torch.equal(normalised_mean([vector, -vector], [1.0, 1.0]), torch.zeros(1, 7))


def test_half_precision_is_averaged_in_single() -> None:
    for average in (mean, normalised_mean):
        assert average([vector.half() for vector in random(2, (1, 7))], [1.0, 1.0]).dtype is torch.float32


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("", 3, [1.0, 1.0, 1.0]),
        ("0.5", 3, [0.5, 1.0, 1.0]),
        ("1, 0.5", 2, [1.0, 0.5]),
        (" [1,0.5 , 3] ", 3, [1.0, 0.5, 3.0]),
        ("0, 1", 2, [0.0, 1.0]),
        ("0", 2, [0.0, 1.0]),
        ("", 0, []),
    ],
)
def test_weights_are_read_in_order_and_filled_with_ones(text: str, count: int, expected: list[float]) -> None:
    assert complete_weights(parse_reference_weights(text), count) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1, 2, 3", "3 weights for 2 references"),
        ("1, much", "'much' is not a number"),
        ("1; 2", "'1; 2' is not a number"),
        ("0, 0", "all 0"),
        ("-0.1", "outside 0 to 3"),
        ("3.01", "outside 0 to 3"),
        ("nan", "outside 0 to 3"),
        ("inf", "outside 0 to 3"),
    ],
)
def test_bad_weights_say_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        complete_weights(parse_reference_weights(text), 2)


@given(st.text(), st.integers(0, 8))
def test_no_text_does_worse_than_a_parameter_error(text: str, count: int) -> None:
    try:
        weights = complete_weights(parse_reference_weights(text), count)
    except ParameterError:
        return
    assert len(weights) == count
    assert all(0.0 <= weight <= 3.0 for weight in weights)


@pytest.mark.parametrize("weight", [1e-46, 5e-324])
@pytest.mark.parametrize("average", [mean, normalised_mean])
def test_the_smallest_weights_count_by_their_ratio(average, weight: float) -> None:
    """In float32 they were 0, and the mean NaN."""
    vectors = [torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 1.0]])]
    torch.testing.assert_close(average(vectors, [weight, weight]), average(vectors, [1.0, 1.0]))
