"""Kernel ridge regression: scikit-learn and fits without a group agree with the closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics.pairwise import rbf_kernel

from xlt.frozen.ridge import gaussian, left_out, solve


def units(rng: np.random.Generator, count: int, size: int = 5) -> np.ndarray:
    """Returns vectors of length 1."""
    rows = rng.normal(size=(count, size))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Returns the kernel of vectors of one layer."""
    return gaussian(left[:, None], right[:, None])


def test_the_kernel_is_the_gaussian_one_of_scikit_learn():
    """With gamma = 1; in the mean of the layers."""
    rng = np.random.default_rng(0)
    left, right = units(rng, 7), units(rng, 4)
    assert kernel(left, right) == pytest.approx(rbf_kernel(left, right, gamma=1.0))
    two = gaussian(np.stack([left, -left], axis=1), np.stack([right, right], axis=1))
    assert two == pytest.approx((kernel(left, right) + kernel(-left, right)) / 2)


@given(seed=st.integers(0, 1000), penalty=st.floats(0.05, 5.0))
@settings(max_examples=20)
def test_coefficients_are_those_of_scikit_learn(seed: int, penalty: float):
    """Also with weights of the examples."""
    rng = np.random.default_rng(seed)
    rows, targets, weights = units(rng, 12), rng.normal(size=(12, 3)), rng.uniform(0.1, 1, 12)
    oracle = KernelRidge(kernel="rbf", gamma=1.0, alpha=penalty)
    oracle.fit(rows, targets, sample_weight=weights)
    new = units(rng, 5)
    predicted = kernel(new, rows) @ solve(kernel(rows, rows), targets, weights, penalty)
    assert predicted == pytest.approx(oracle.predict(new), abs=1e-8)


@given(seed=st.integers(0, 1000))
@settings(max_examples=20)
def test_predictions_of_a_group_are_those_of_a_fit_without_it(seed: int):
    """For groups of any size, and every penalty."""
    rng = np.random.default_rng(seed)
    rows, targets, weights = units(rng, 15), rng.normal(size=(15, 2)), rng.uniform(0.1, 1, 15)
    groups = [f"g{number}" for number in rng.integers(0, 6, 15)]
    gram, penalties = kernel(rows, rows), (0.1, 2.0)
    found = left_out(gram, targets, weights, groups, penalties)
    for penalty, predictions in zip(penalties, found, strict=True):
        for group in set(groups):
            out = np.array([other == group for other in groups])
            rest = np.ix_(~out, ~out)
            coefficients = solve(gram[rest], targets[~out], weights[~out], penalty)
            assert gram[np.ix_(out, ~out)] @ coefficients == pytest.approx(
                predictions[out], abs=1e-7
            )
