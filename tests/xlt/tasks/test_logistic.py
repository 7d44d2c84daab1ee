"""The quick head: the optimum of logistic regression."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.tasks.logistic import fit_head, scaled


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(3, 40))
def test_the_head_is_the_optimum_of_logistic_regression(seed, n):
    """Against scikit-learn, classes that are not seen included."""
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((n, 5)), rng.integers(0, 3, n)
    y[:3] = 0, 1, 2
    head = fit_head(x, y, 3, l2=0.5)
    oracle = LogisticRegression(C=2.0, tol=1e-8, max_iter=5000).fit(x, y)
    assert np.allclose(head.weights, oracle.coef_, atol=2e-2)
    again = fit_head(x, y, 3, l2=0.5, start=head)
    assert np.allclose(head.weights, again.weights, atol=2e-2)


def test_a_head_without_labels_finds_all_classes_equally_likely():
    """Nothing is learnt from nothing."""
    head = fit_head(np.zeros((0, 4)), np.zeros(0, np.intp), 3, l2=1.0)
    assert not head.logits(np.ones((2, 4))).any()


def test_scaling_gives_mean_zero_and_mean_length_one(rng):
    """One penalty suits encoders of any scale."""
    rows = (7 + 30 * rng.standard_normal((50, 6))).astype(np.float32)
    found = scaled(rows, rows)
    assert np.allclose(found.mean(axis=0), 0, atol=1e-5)
    assert np.linalg.norm(found, axis=1).mean() == pytest.approx(1, abs=1e-4)
