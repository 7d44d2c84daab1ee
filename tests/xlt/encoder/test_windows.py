"""Windows of long texts: every word is read once, none is cut off silently."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import save_tiny_encoder
from xlt.encoder.encoder import Encoder, load_encoder
from xlt.encoder.padding import pad_words
from xlt.encoder.tokens import Tokens
from xlt.encoder.windows import WordTokenizer

WORDS = st.lists(st.sampled_from(["the", "team", "won", "a", "zabe", "x.", "qqq"]), max_size=60)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    """A random encoder of 42 positions."""
    return load_encoder(str(save_tiny_encoder(tmp_path_factory.mktemp("encoder") / "bert")))


@given(words=WORDS, limit=st.integers(4, 30))
def test_every_word_is_in_one_window(encoder, words, limit):
    """In order, at its place in the text, with tokens to read; no window is too long."""
    text = " ".join(words)
    [parts] = WordTokenizer(encoder.tokenizer, limit)([text])
    [whole] = WordTokenizer(encoder.tokenizer, 10_000)([text])[0]

    assert all(len(part) <= limit for part in parts)
    assert sum(part.special.sum() == whole.special.sum() for part in parts) == len(parts)
    where = np.concatenate([part.words.where for part in parts])
    np.testing.assert_array_equal(where, whole.words.where)
    for part in parts:
        numbers = part.words.of_token[part.words.of_token >= 0]
        assert set(numbers.tolist()) == set(range(len(part.words)))
    assert (len(parts) == 1) == (len(whole) <= limit)


def test_a_window_sees_the_words_around_its_own(encoder):
    """A word at a border has context on both sides, as long as a window allows."""
    text = " ".join(["team"] * 100)
    [parts] = encoder.word_tokenizer(32)([text])
    for before, part in itertools.pairwise(parts):
        assert (part.words.of_token[1:3] == -1).all()
        assert (before.words.of_token[-3:] == -1).all()


def test_a_short_text_is_one_window_like_any_other(encoder):
    """The same tokens as of the tokenizer that cuts."""
    for text in ("the team won a vote", "", "   "):
        [[tokens]] = encoder.word_tokenizer(32)([text])
        [plain] = encoder.text_tokenizer(32)([text])
        np.testing.assert_array_equal(tokens.ids, plain.ids)
        np.testing.assert_array_equal(tokens.types, plain.types)
        assert len(tokens.words) == len(text.split())


def test_of_two_texts_the_first_has_the_words(encoder):
    """The other is in every window, so that it tells what is asked."""
    text, question = " ".join(["team"] * 60), "the law in court"
    [parts] = encoder.word_tokenizer(32)([(text, question)])
    ids = encoder.text_tokenizer(32)([question])[0].ids[1:]
    assert len(parts) > 2
    assert sum(len(part.words) for part in parts) == 60
    for part in parts:
        np.testing.assert_array_equal(part.ids[-len(ids) :], ids)
        assert (part.words.of_token[-len(ids) :] == -1).all()


def test_words_are_padded_with_their_rows(encoder):
    """-1 for what is no word; rows without words have no padding of them."""
    rows = [w for own in encoder.word_tokenizer(32)(["the team", "a", ""]) for w in own]
    padded = pad_words(rows, 8)
    assert padded.of_token.tolist() == [
        [-1, 0, 1, -1, -1, -1, -1, -1], [-1, 0, -1, -1, -1, -1, -1, -1], [-1] * 8
    ]  # fmt: skip
    assert (padded.shapes >= 0).tolist() == [[True, True], [True, False], [False, False]]
    plain = Tokens(ids=rows[0].ids, special=rows[0].special, types=rows[0].types)
    assert pad_words([rows[0], plain], 8) is None
    assert pad_words([], 8) is None
