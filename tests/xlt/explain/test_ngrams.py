"""Credit for n-grams: all of it reaches characters, and those that the n-gram covers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.explain.ngrams import by_character
from xlt.frozen.ngrams import count_ngrams

_TEXTS = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from(" \t\u00a0İΣςßǰ\u1e9e")), max_size=30
)


@given(_TEXTS)
def test_all_credit_reaches_characters_that_are_no_spaces(text):
    """Whatever the letters become in lower case; columns are those that the model counts."""
    columns = count_ngrams([text]).indices.tolist()
    credit = {column: number + 1.0 for number, column in enumerate(columns)}

    scores = by_character(text, credit)

    assert scores.sum() == pytest.approx(sum(credit.values()))
    assert all(scores[at] == 0 for at, character in enumerate(text) if character.isspace())


def test_an_n_gram_is_credited_to_its_own_characters():
    """That of the end "cd " covers two letters of the first word, and nothing of the second."""
    ends = [set(count_ngrams([word]).indices.tolist()) for word in ("cd", "xcd", "ycd")]
    shared = ends[0] & ends[1] & ends[2] - set(count_ngrams(["d", "cde"]).indices.tolist())
    (column,) = shared

    scores = by_character("abcd xy", {column: 1.0})

    np.testing.assert_allclose(scores, [0, 0, 0.5, 0.5, 0, 0, 0])
