"""Tokens are joined as their script is written, and found again in texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.marked.tokens import are_unspaced, joined, places_in

#: Words in scripts with and without spaces, beyond the BMP, with combining marks.
WORDS = [
    "Ama",
    "Ẹ̀kọ́",
    "𞤀𞤣𞤢𞤥",
    "ประเทศไทย",
    "កម្ពុជា",
    "北京",
    "東京タワー",
    "4",
    ",",
    "，",
    "O'Neil",
    "བོད་",
]
TOKENS = st.lists(st.sampled_from(WORDS), max_size=8)


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (["Ama", "lives", "in", "Accra", "."], "Ama lives in Accra ."),
        (["𞤀𞤣𞤢𞤥", "𞤀𞤣𞤢𞤥"], "𞤀𞤣𞤢𞤥 𞤀𞤣𞤢𞤥"),
        (["한국", "서울"], "한국 서울"),
        (["他", "在", "2008", "年", "用", "iPhone", "4", "，"], "他在2008年用iPhone 4，"),
        (["ประเทศ", "ไทย"], "ประเทศไทย"),
        (["ខ្ញុំ", "នៅ", "ភ្នំពេញ"], "ខ្ញុំនៅភ្នំពេញ"),
        (["", "a", "", "b"], "a b"),
        ([], ""),
    ],
    ids=["Latin", "Adlam", "Hangul", "Chinese", "Thai", "Khmer", "empty tokens", "none"],
)
def test_tokens_are_joined_as_their_script_is_written(tokens, text):
    """With spaces, or without them; but two words of another script stay two."""
    found, places = joined(tokens)
    assert found == text
    assert [found[start:end] for start, end in places] == tokens


@given(TOKENS)
def test_joined_tokens_stand_at_their_places(tokens):
    """In order, and nothing but spaces between them."""
    text, places = joined(tokens)
    assert [text[start:end] for start, end in places] == tokens
    assert places_in(text, tokens) == places


@given(TOKENS, st.lists(st.sampled_from(["", " ", "\n", "\r\n", " \u200b", "\u00a0"]), min_size=9))
def test_tokens_are_found_in_the_text_they_came_from(tokens, gaps):
    """Whatever white space is between them."""
    text = gaps[-1] + "".join(t + gap for t, gap in zip(tokens, gaps, strict=False))
    places = places_in(text, tokens)
    assert places is not None
    assert [text[start:end] for start, end in places] == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("a b", ["a", "c"]), ("a b c", ["a", "b"]), ("a x b", ["a", "b"]), ("a", ["a", "a"])],
)
def test_tokens_of_another_text_are_not_found(text, tokens):
    """One of them is missing, or something between or behind them is no token."""
    assert places_in(text, tokens) is None


def test_a_script_without_spaces_is_told_by_most_words():
    """However long the words of another script are; digits and marks say nothing."""
    assert are_unspaced(["我", "用", "iPhone", "打", "2008"])
    assert not are_unspaced(["the", "word", "北京", "is", "Chinese"])
    assert not are_unspaced(["123", "..."])
    assert not are_unspaced([])
