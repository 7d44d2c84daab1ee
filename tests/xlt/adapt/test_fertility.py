"""Fertility counted by hand, and the languages that are read badly."""

from __future__ import annotations

import pytest
from tokenizers import (
    Tokenizer,
    models,
    pre_tokenizers,
)

from xlt.adapt.fertility import Fertility, badly_read, measure


def test_counts_by_hand():
    """Two words of seven letters, of which the second, three letters, is not known."""
    tokenizer = Tokenizer(models.WordLevel({"goat": 0, "?": 1}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()

    assert measure(tokenizer, ["goat cow"], unknown_id=1) == Fertility(
        unknown=3 / 7, tokens_per_word=1.0, tokens_per_character=2 / 7, spaced=True
    )
    assert measure(tokenizer, [], unknown_id=1).tokens_per_word == 0.0


@pytest.mark.parametrize(
    ("cut", "answer"),
    [
        (Fertility(unknown=0.0, tokens_per_word=2.5, tokens_per_character=0.9, spaced=True), False),
        (Fertility(unknown=0.0, tokens_per_word=2.6, tokens_per_character=0.1, spaced=True), True),
        (
            Fertility(unknown=0.0, tokens_per_word=30.0, tokens_per_character=0.6, spaced=False),
            False,
        ),
        (
            Fertility(unknown=0.0, tokens_per_word=30.0, tokens_per_character=0.7, spaced=False),
            True,
        ),
        (Fertility(unknown=0.02, tokens_per_word=1.0, tokens_per_character=0.1, spaced=True), True),
    ],
)
def test_words_or_characters_decide(cut, answer):
    """Tokens per word count where blanks separate words, per character elsewhere."""
    limits = {"max_unknown": 0.01, "max_tokens_per_word": 2.5, "max_tokens_per_character": 0.6}

    assert badly_read({"x": cut}, **limits) == (["x"] if answer else [])
