"""N-grams are counted and weighted like scikit-learn's TfidfVectorizer does it without hashing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer

from xlt.frozen.features import Features
from xlt.frozen.ngrams import COLUMNS, SIZES, count_ngrams, rarity, tf_idf

TEXTS = ["Wasan ƙwallo", "ẹ̀kọ́ àti ìlera", "", "ታላቅ ዜና ነው ዜና", "wasan wasan ƙwallo na Kano", "a"]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=6))
def test_products_of_texts_are_those_of_scikit_learn(texts: list[str]):
    """Of texts that were there when IDF was measured."""
    counts = count_ngrams(texts)
    rows = tf_idf(counts, rarity(counts))
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=SIZES, sublinear_tf=True, dtype=np.float64
    )
    if not any(texts):
        assert rows.nnz == 0
        return
    expected = vectorizer.fit_transform(texts)
    np.testing.assert_allclose(
        (rows @ rows.T).toarray(), (expected @ expected.T).toarray(), atol=2e-2
    )


@settings(max_examples=60)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=6))
def test_columns_are_those_of_scikit_learn(texts: list[str]):
    """Models that were saved by former versions read them."""
    hashing = HashingVectorizer(
        analyzer="char_wb",
        ngram_range=SIZES,
        n_features=COLUMNS,
        alternate_sign=False,
        norm=None,
        dtype=np.float32,
    )
    counts = count_ngrams(texts)
    assert counts.shape == (len(texts), COLUMNS)
    if texts:
        assert (counts != hashing.transform(texts)).nnz == 0


def test_a_lone_surrogate_is_counted():
    """It is half of a letter that a broken file may hold."""
    assert count_ngrams(["a\ud800"]).sum() == 6


def test_more_texts_than_a_chunk_keep_their_order():
    """Each row is that of the text alone."""
    texts = [f"number {i}" for i in range(600)]
    counts = count_ngrams(texts)
    for row in (0, 255, 256, 599):
        assert (counts[row] != count_ngrams([texts[row]])).nnz == 0


def test_counts_stay_as_they_are():
    """They are used again for other sets of texts."""
    counts = count_ngrams(TEXTS)
    before = counts.copy()
    tf_idf(counts, rarity(counts))
    assert (counts != before).nnz == 0


def test_a_new_ngram_makes_the_known_ones_count_less():
    """Else one known syllable would decide about a text in an unknown language."""
    known = count_ngrams(["wasan", "lafiya"])
    idf = rarity(known)
    (one, two) = tf_idf(count_ngrams(["wasan", "wasan xyzzy"]), idf)
    shared = one.indices
    assert two[:, shared].sum() < one.sum()
    assert np.linalg.norm(two.data) == pytest.approx(1.0, abs=1e-5)


def test_no_texts_have_no_rows():
    """The number of columns stays."""
    assert count_ngrams([]).shape == (0, COLUMNS)
    assert rarity(count_ngrams([])).shape == (COLUMNS,)


def test_features_of_some_texts_keep_their_order():
    """Vectors and n-grams together."""
    vectors = np.arange(12.0).reshape(6, 1, 2)
    whole = Features(vectors=vectors, ngrams=count_ngrams(TEXTS))
    rows = np.array([4, 1])
    both = whole.take(rows).concat(whole.take(slice(0, 1)))
    assert both.vectors[:, 0, 0].tolist() == [8.0, 2.0, 0.0]
    assert (both.ngrams != count_ngrams([TEXTS[4], TEXTS[1], TEXTS[0]])).nnz == 0
