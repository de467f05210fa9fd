"""What *Describe* proposes to remove names content, and nothing of the style."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_instantstyle.webui.encoding.content_words import content_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a cat", "a cat"),
        ("an orange fox", "a fox"),
        ("a red apple", "an apple"),
        ("a (red:1.2) cat, sitting", "a cat"),
        ("an oil painting of a cat with a red hat on a blue background", "a cat with a hat on a background"),
        ("a black and white photo of a man riding a wave on top of a surfboard", "a man riding a wave on top of a surfboard"),
        ("watercolour, soft pastel colours of a harbour", "a harbour"),
        ("a close up of a dog's face", "a dog's face"),
        ("a black and white cat", "a cat"),
        ("red and blue balloons", "balloons"),
        ("a woman in red", "a woman"),
        ("a light blue dress on a light", "a dress on a light"),
        ("an orange on a table", "an orange on a table"),
        ("the orange fox", "the fox"),
        ("a bottle of oil", "a bottle of oil"),
        ("a cat by a window", "a cat by a window"),
        ("a starry night over a village by Vincent van Gogh", "a starry night over a village"),
        ("a village in the style of Hokusai", "a village"),
        ("a girl in anime style", "a girl"),
        ("ghibli style castle", "castle"),
        ("a castle, art by Greg Rutkowski", "a castle"),
        ("masterpiece, best quality, 1girl, solo", "1girl"),
        ("a painting", ""),
        ("red, blue, watercolor, by Monet", ""),
        ("", ""),
        (" ".join(["mountain"] * 20), " ".join(["mountain"] * 12)),
    ],
)  # fmt: skip
def test_words_of_style_are_left_out(text: str, words: str) -> None:
    assert content_words(text) == words


@given(st.text(max_size=200) | st.text(alphabet="a cutoinrgesd,:()0.5"))
def test_any_text_gives_a_few_words(text: str) -> None:
    assert len(content_words(text).split()) <= 12
