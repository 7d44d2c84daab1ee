"""BM25 against its formula, and on the disk."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.errors import DataError
from xlt.search.lexical import Lexical
from xlt.search.terms import terms

TEXTS = ["the cat sat", "a dog ran to the cat house", "नमस्ते दुनिया", "黑猫", "...", "cat cat cat"]


def formula(query: str, texts: list[str]) -> np.ndarray:
    """BM25 as Lucene has it (k1 1.5, b 0.75), term by term."""
    each = [terms(text) for text in texts]
    mean = np.mean([len(own) for own in each])
    scores = np.zeros(len(texts))
    for term in terms(query):
        n = sum(term in own for own in each)
        idf = np.log(1 + (len(texts) - n + 0.5) / (n + 0.5))
        for row, own in enumerate(each):
            tf = own.count(term)
            scores[row] += idf * tf / (tf + 1.5 * (1 - 0.75 + 0.75 * len(own) / mean))
    return scores


@pytest.mark.parametrize("query", ["cat", "the dog", "नमस्ते", "猫", "unknown", "?", "cat cat"])
def test_scores_are_those_of_the_formula(query):
    """In scripts with and without spaces; a text without a shared term has zero."""
    assert Lexical.of(TEXTS).scores(query) == pytest.approx(formula(query, TEXTS), abs=1e-5)


@given(st.lists(st.sampled_from(["cat", "dog", "नमस्ते", "猫", "red"]), max_size=8))
def test_the_overlap_is_a_share_in_the_order_of_the_scores(words):
    """Never above one, whatever is repeated."""
    index, query = Lexical.of(TEXTS), " ".join(words)
    overlap, scores = index.overlap(query), index.scores(query)

    assert ((overlap >= 0) & (overlap <= 1)).all()
    assert (overlap > 0).tolist() == (scores > 0).tolist()
    assert (np.diff(overlap[np.argsort(scores)]) >= -1e-6).all()


def test_a_text_that_has_all_is_one_and_a_part_is_less():
    """As far as another text does not have a term more often."""
    overlap = Lexical.of(["red cat", "red dog", "green"]).overlap("red cat")

    assert overlap[0] == pytest.approx(1.0)
    assert 0 < overlap[1] < 0.6
    assert overlap[2] == 0


@pytest.mark.parametrize("texts", [TEXTS, ["...", "!"]])
def test_a_stored_index_gives_the_same_scores(tmp_path, texts):
    """Also one of texts without a term."""
    made = Lexical.of(texts)
    made.save(tmp_path / "words")
    read = Lexical.load(tmp_path / "words", len(texts))

    assert read.scores("the cat").tolist() == made.scores("the cat").tolist()


def test_a_damaged_index_is_refused(tmp_path):
    """A file cut off, a file gone, another number of texts."""
    Lexical.of(TEXTS).save(tmp_path / "words")
    with pytest.raises(DataError, match="is of 6 texts, expected 5"):
        Lexical.load(tmp_path / "words", 5)
    data = next((tmp_path / "words").glob("data*"))
    data.write_bytes(data.read_bytes()[:-40])
    with pytest.raises(DataError, match="is damaged"):
        Lexical.load(tmp_path / "words", 6)
    data.unlink()
    with pytest.raises(DataError, match="is damaged"):
        Lexical.load(tmp_path / "words", 6)
