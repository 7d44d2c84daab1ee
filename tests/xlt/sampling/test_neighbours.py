"""Nearest neighbours, and the measures that are made of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skactiveml.pool import ContrastiveAL

from tests.xlt.activeml import QUICK, SEEDS, Given, pool
from xlt.sampling.neighbours import contrast, density, near_targets, nearest, peculiarity


@QUICK
@given(SEEDS)
def test_contrast_is_scikit_activemls(seed):
    """The same score for every row (CAL)."""
    x, p, known, y = pool(seed, labelled=15)
    clf = Given(table=p, classes=[0, 1, 2])
    query = ContrastiveAL(nearest_neighbors_dict={"n_neighbors": 10}, random_state=0)
    _, theirs = query.query(x, y, clf, fit_clf=False, return_utilities=True)
    ours = contrast(p[~known], x[~known], p[known], x[known], k=10)
    assert np.allclose(ours, theirs[0][~known], atol=1e-6)


def test_contrast_looks_at_labelled_neighbours_only():
    """small-text's CAL finds the row itself: its contrast with itself is 0."""
    x = np.array([[0.0], [0.1]])
    p = np.array([[0.9, 0.1], [0.5, 0.5]])
    found = contrast(p, x, p[:1], x[:1])
    assert found[0] == pytest.approx(0)
    assert found[1] == pytest.approx(0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5), abs=1e-6)
    assert not contrast(p, x, p[:0], x[:0]).any()


def test_density_and_peculiarity_by_hand():
    """Inverse mean distance to the others; mean distance to the source."""
    x = np.array([[0.0], [1.0], [3.0]])
    assert density(x, k=2) == pytest.approx([1 / 2, 1 / 1.5, 1 / 2.5], rel=1e-5)
    assert density(x[:1]) == pytest.approx([1])
    assert peculiarity(x, np.array([[0.0], [10.0]]), k=1) == pytest.approx([0, 1, 3])
    assert not peculiarity(x, x[:0]).any()


def test_candidates_are_near_targets():
    """The nearest of each target first, then the next nearest, until there are enough."""
    x = np.arange(10.0)[:, None]
    targets = np.array([[2.1], [7.2]])
    assert near_targets(x, targets, 2).tolist() == [2, 7]
    assert near_targets(x, targets, 3).tolist() == [2, 3, 7, 8]
    assert near_targets(x, targets, 99).tolist() == list(range(10))


@QUICK
@given(SEEDS, st.booleans())
def test_neighbours_are_the_nearest(seed, skip):
    """Against all distances, sorted."""
    x = np.random.default_rng(seed).standard_normal((12, 3))
    numbers, distances = nearest(x, x, 4, skip_self=skip)
    gap = np.linalg.norm(x[:, None] - x[None], axis=2)
    if skip:
        np.fill_diagonal(gap, np.inf)
    assert np.allclose(distances, np.sort(gap, axis=1)[:, :4], atol=1e-6)
    assert np.allclose(np.take_along_axis(gap, numbers, axis=1), distances, atol=1e-6)
