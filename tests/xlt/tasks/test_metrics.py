"""Scores per language, against scikit-learn and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, f1_score

from xlt.errors import DataError
from xlt.tasks.metrics import LanguageScore, ece, per_language, score, wilson
from xlt.tasks.single_label.task import SingleLabel

TASK = SingleLabel(labels=tuple("abcd"))
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=30)


@given(ROWS)
def test_accuracy_and_macro_f1_are_scikit_learns(rows):
    """The same numbers as the library that everyone compares with."""
    labels, predicted = zip(*rows, strict=True)
    found = score(TASK, labels, predicted)
    assert found.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert found.more["macro_f1"] == pytest.approx(
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
    nothing = score(TASK, [], [])
    assert (nothing.accuracy, nothing.low, nothing.high) == (0.0, 0.0, 1.0)
    assert nothing.more["macro_f1"] == 0.0
    assert per_language(TASK, [], [], []) == {}


def test_languages_are_judged_apart_in_order_of_appearance():
    """Each language's labels judge that language alone."""
    truth, predicted = ["a", "b", "a", "a"], ["a", "a", "a", "b"]
    found = per_language(TASK, truth, predicted, ["yo", "ha", "yo", "ha"])
    assert list(found) == ["yo", "ha"]
    assert (found["yo"].n, found["yo"].correct, found["yo"].accuracy) == (2, 2, 1.0)
    assert (found["ha"].n, found["ha"].correct, found["ha"].accuracy) == (2, 0, 0.0)


def test_a_language_is_judged_once_however_it_is_called():
    """Tables that were put together from several mix codes and names."""
    truth, predicted = ["a", "b", "a", "a"], ["a", "a", "a", "b"]
    found = per_language(TASK, truth, predicted, ["yo", "Hausa", "Yoruba", "hau_Latn"])
    assert found == per_language(TASK, truth, predicted, ["yo", "Hausa", "yo", "Hausa"])


def test_ece_by_hand():
    """Two bins: confidence .95 and all right, confidence .65 and half right."""
    confidence, right = np.array([0.95, 0.95, 0.65, 0.65]), np.array([1.0, 1.0, 1.0, 0.0])
    assert ece(confidence, right) == pytest.approx(0.5 * 0.05 + 0.5 * 0.15)
    assert ece(np.empty(0), np.empty(0)) == 0.0


def test_ece_of_graded_credit_by_hand():
    """Two bins: .7 expected and .5 earned; .3 expected, .2 and .6 earned."""
    confidence, credit = np.array([0.7, 0.3, 0.3]), np.array([0.5, 0.2, 0.6])
    assert ece(confidence, credit) == pytest.approx(1 / 3 * 0.2 + 2 / 3 * 0.1)


def test_a_model_that_is_as_sure_as_it_is_right_has_no_error(rng):
    """On many labels drawn from the probabilities themselves the error goes to zero."""
    p = rng.dirichlet(np.ones(3), size=20_000)
    labels = (p.cumsum(axis=1) > rng.random((len(p), 1))).argmax(axis=1)
    assert ece(p.max(axis=1), (p.argmax(axis=1) == labels).astype(float)) < 0.02


def test_a_score_as_json_counts_whole_answers_by_whole_numbers():
    """As tables had it before credit could be graded; a graded sum is rounded."""
    fields = {"n": 4, "accuracy": 0.5, "low": 0.1, "high": 0.9, "more": {"macro_f1": 0.4}}
    found = LanguageScore(correct=2.0, **fields).to_json()
    assert list(found) == ["n", "correct", "accuracy", "macro_f1", "low", "high"]
    assert isinstance(found["correct"], int)
    assert LanguageScore(correct=2.123456789, **fields).to_json()["correct"] == 2.123457


def test_lengths_must_agree():
    """A label too many is an error, not a shorter comparison."""
    with pytest.raises(DataError, match="2 and 1"):
        score(TASK, ["a", "b"], ["a"])
    with pytest.raises(DataError, match="correct=3"):
        wilson(3, 2)
