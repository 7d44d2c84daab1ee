"""Scores per language, against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from xlt.errors import DataError
from xlt.tasks.metrics import ece, macro_f1, per_language, score, wilson

ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=30)


@given(ROWS)
def test_accuracy_and_macro_f1_are_scikit_learns(rows):
    """The same numbers as the library that everybody compares with."""
    labels, predicted = zip(*rows, strict=True)
    found = score(labels, predicted)
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert found.macro_f1 == pytest.approx(
        f1_score(labels, predicted, average="macro", zero_division=0)
    )


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_is_scipys_wilson(numbers):
    """The 95 % interval is the Wilson score interval without continuity correction."""
    correct, n = numbers
    oracle = binomtest(correct, n).proportion_ci(method="wilson")
    assert wilson(correct, n) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_nothing_seen_says_nothing():
    """Without labels the interval is all of [0, 1] and no number is nan."""
    assert wilson(0, 0) == (0.0, 1.0)
    assert score([], []).accuracy == 0.0
    assert macro_f1([], []) == 0.0
    assert per_language([], [], []) == {}


def test_languages_are_judged_apart_in_order_of_appearance():
    """Each language's labels judge that language alone."""
    found = per_language(["a", "b", "a", "a"], ["a", "a", "a", "b"], ["yo", "ha", "yo", "ha"])
    assert list(found) == ["yo", "ha"]
    assert (found["yo"].n, found["yo"].correct, found["yo"].accuracy) == (2, 2, 1.0)
    assert (found["ha"].n, found["ha"].correct, found["ha"].accuracy) == (2, 0, 0.0)


def test_ece_by_hand():
    """Two bins: confidence .95 and all right, confidence .65 and half right."""
    p = np.array([[0.95, 0.05], [0.95, 0.05], [0.65, 0.35], [0.35, 0.65]])
    right = np.array([0, 0, 0, 0])
    assert ece(p, right) == pytest.approx(0.5 * 0.05 + 0.5 * 0.15)
    assert ece(np.empty((0, 2)), np.empty(0, dtype=int)) == 0.0


def test_a_model_that_is_as_sure_as_it_is_right_has_no_error(rng):
    """On many labels drawn from the probabilities themselves the error goes to zero."""
    p = rng.dirichlet(np.ones(3), size=20_000)
    labels = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)
    assert ece(p, labels) < 0.02


def test_lengths_must_agree():
    """A label too many is an error, not a shorter comparison."""
    with pytest.raises(DataError, match="2 and 1"):
        score(["a", "b"], ["a"])
    with pytest.raises(DataError, match="correct=3"):
        wilson(3, 2)
