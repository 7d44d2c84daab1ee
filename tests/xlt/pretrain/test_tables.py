"""The tables of a recipe, and the chances of their rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.pretrain.toy import WORDS
from xlt.errors import DataError
from xlt.pretrain.tables import read_corpus, row_probabilities, temperature


def test_corpus_reads_named_corpora_only(table):
    """Rows of other corpora are not read, and translations are held out together."""
    corpus = read_corpus(
        [table], corpora=["pairs", "words"], lexicons=["words"], held_out_percent=10
    )
    assert set(corpus.languages) == {"zgh_Tfng", "yor_Latn"}
    assert corpus.lexical.sum() == len(WORDS)
    assert 0 < corpus.held_out.sum() < 60
    held = set(corpus.source[corpus.held_out])
    assert not held & set(corpus.source[~corpus.held_out & ~corpus.lexical])
    assert not held & set(corpus.english)


def test_corpus_without_text_is_an_error(table, tmp_path):
    """An empty selection and a missing file are told apart from success."""
    with pytest.raises(DataError, match="no text"):
        read_corpus([table], corpora=["absent"], lexicons=[], held_out_percent=1)
    with pytest.raises(DataError, match="cannot read"):
        read_corpus([tmp_path / "no.parquet"], corpora=["a"], lexicons=[], held_out_percent=1)


def test_temperature_lifts_small_languages():
    """Exponent 1 is the data's share, 0 is even, and no text stays no text."""
    counts = np.array([900.0, 100.0, 0.0])
    assert temperature(counts, 1.0) == pytest.approx([0.9, 0.1, 0.0])
    assert temperature(counts, 0.0) == pytest.approx([0.5, 0.5, 0.0])


@given(
    counts=st.lists(st.integers(0, 20_000), min_size=2, max_size=8).filter(any),
    exponent=st.floats(0.0, 1.0),
    few=st.sampled_from([1, 100, 1000]),
)
def test_the_smallest_languages_are_drawn_by_their_size(counts, exponent, few):
    """Below `few` texts each text counts the same, above it nothing changes, without a jump."""
    sizes = np.array(counts, dtype=np.float64)
    found = temperature(sizes, exponent, few=few)

    expected = [n**exponent if n >= few else n * few ** (exponent - 1) for n in counts]
    assert found == pytest.approx(np.array(expected) / sum(expected))


@given(
    rows=st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=1),
    exponent=st.floats(0, 1),
)
def test_rows_share_the_chance_of_their_language(rows, exponent):
    """Rows that are kept evenly, the others not at all."""
    language = np.array([row[0] for row in rows], dtype=np.int32)
    keep = np.array([row[1] for row in rows])

    chance = row_probabilities(language, keep, exponent)

    counts = np.bincount(language[keep], minlength=4).astype(float)
    for row, kept in enumerate(keep):
        of_language = temperature(counts, exponent)[language[row]] if kept else 0.0
        assert chance[row] * max(counts[language[row]], 1) == pytest.approx(of_language)
