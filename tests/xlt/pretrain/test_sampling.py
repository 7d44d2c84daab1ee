"""Chances of texts and languages."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from xlt.pretrain.corpus import Corpus
from xlt.pretrain.sampling import amounts, chances, fertility, row_probabilities, temperature
from xlt.pretrain.wordpiece import SPECIAL, wordpiece


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


def corpus():
    """A language of short texts, one of long ones, and one that is held out."""
    return Corpus(
        languages=("short", "long", "held"),
        language=np.array([0] * 8 + [1] * 2 + [2], dtype=np.int32),
        text=["rain"] * 8 + ["rainsongs goatmoon"] * 2 + ["rain"],
        source=np.array([0] * 8 + [1] * 2 + [0], dtype=np.int32),
        lexical=np.zeros(11, dtype=np.bool_),
        held_out=np.array([False] * 10 + [True]),
        sources=["rain", "songs of rain and goats of the moon"],
        english=np.array([1], dtype=np.int32),
    )


def test_languages_are_drawn_by_what_they_say():
    """With exponent 0 every language is drawn to the same number of English words."""
    data = corpus()
    amount = amounts(data, min_texts=1)
    assert amount.tolist() == [1.0] * 8 + [8.0] * 2 + [0.0]
    chance = chances(data, amount, language_exponent=0.0)
    said = np.bincount(data.language, weights=chance * amount, minlength=3)
    assert said[0] == pytest.approx(said[1])
    assert said[2] == 0
    assert chance.sum() == pytest.approx(1.0)
    assert amounts(data, min_texts=3)[8:].tolist() == [0.0, 0.0, 0.0]


def test_finely_cut_languages_are_drawn_more():
    """Fertility is pieces per English word, and as a weight it moves the draws."""
    data = corpus()
    amount = amounts(data, min_texts=1)
    tokenizer: Tokenizer = wordpiece([*SPECIAL, "r", "##a", "##i", "##n", "rainsongs"], "keep")
    found = fertility(tokenizer, data, amount, np.arange(10))
    assert found.tolist() == [4.0, 0.25, 0.0]  # r ##a ##i ##n; rainsongs [UNK] for eight words
    even = chances(data, amount, language_exponent=0.0)
    weighted = chances(data, amount, language_exponent=0.0, weight=found)
    assert weighted[0] / weighted[8] == pytest.approx(16 * even[0] / even[8])
