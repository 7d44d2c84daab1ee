"""The quick head: the optimum of logistic regression, with either link."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from xlt.tasks.logistic import fit, scaled

EXACT = {"C": 2.0, "tol": 1e-8, "max_iter": 5000}
SEED, SIZE = st.integers(0, 2**31), st.integers(3, 40)


@settings(max_examples=20)
@given(SEED, SIZE)
def test_the_head_is_the_optimum_of_logistic_regression(seed, n):
    """Against scikit-learn, classes that are not seen included."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 5)), rng.integers(0, 3, n)
    y[:3] = 0, 1, 2
    head = fit(x, np.eye(3)[y], "softmax", l2=0.5)
    oracle = LogisticRegression(**EXACT).fit(x, y)
    assert np.allclose(head.weights, oracle.coef_, atol=2e-2)
    again = fit(x, np.eye(3)[y], "softmax", l2=0.5, start=head)
    assert np.allclose(head.weights, again.weights, atol=2e-2)


@settings(max_examples=20)
@given(SEED, SIZE)
def test_sigmoids_are_one_logistic_regression_per_column(seed, n):
    """Against scikit-learn, column by column: none sees the others."""
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 5)), rng.integers(0, 2, (n, 3))
    y[:2] = [[0, 1, 0], [1, 0, 1]]
    head = fit(x, y, "sigmoid", l2=0.5)
    for column in range(3):
        oracle = LogisticRegression(**EXACT).fit(x, y[:, column])
        assert np.allclose(head.weights[column], oracle.coef_[0], atol=2e-2)
        assert head.biases[column] == pytest.approx(oracle.intercept_[0], abs=2e-2)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_weights_count_rows_whatever_their_scale(link, rng):
    """A row of weight 2 is two rows; all weights times ten change nothing."""
    x, y = rng.standard_normal((20, 4)), np.eye(3)[np.arange(20) % 3]
    weights = np.where(np.arange(20) < 10, 2.0, 1.0)
    twice = np.concatenate([x, x[:10]]), np.concatenate([y, y[:10]])
    one = fit(x, y, link, l2=0.5, weights=weights)
    ten = fit(x, y, link, l2=0.5, weights=10 * weights)
    both = fit(*twice, link, l2=0.75)  # weights have mean 1: the penalty is against 20 rows, not 30
    assert np.allclose(one.weights, ten.weights, atol=1e-3)
    assert np.allclose(one.weights, both.weights, atol=2e-2)


@pytest.mark.parametrize("link", ["softmax", "sigmoid"])
def test_a_head_without_labels_finds_all_classes_equally_likely(link):
    """Nothing is learnt from nothing."""
    head = fit(np.zeros((0, 4)), np.zeros((0, 3)), link, l2=1.0)
    assert head.outputs(np.ones((2, 4))).values.shape == (2, 3)
    assert not head.outputs(np.ones((2, 4))).values.any()


def test_scaling_gives_mean_zero_and_mean_length_one(rng):
    """One penalty suits encoders of any scale."""
    rows = (7 + 30 * rng.standard_normal((50, 6))).astype(np.float32)
    found = scaled(rows, rows)
    assert np.allclose(found.mean(axis=0), 0, atol=1e-5)
    assert np.linalg.norm(found, axis=1).mean() == pytest.approx(1, abs=1e-4)
