"""Gradients of guessed labels (BADGE), against scikit-activeml and by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from skactiveml.pool import Badge

from tests.xlt.activeml import QUICK, SEEDS, Given, pool
from xlt.simulate.measures.gradients import badge, pseudo_errors, squared_distances


@QUICK
@given(SEEDS)
def test_badge_starts_and_measures_like_scikit_activeml(seed):
    """The longest gradient first; then squared distances, there to the origin as well."""
    x, p, known, y = pool(seed)
    clf = Given(table=p, classes=[0, 1, 2])
    picks, theirs = Badge(random_state=0).query(
        x, y, clf, fit_clf=False, batch_size=2, return_utilities=True
    )
    open_rows = np.flatnonzero(~known)
    ours = badge(p[~known], x[~known], 5, np.random.default_rng(0))
    assert open_rows[ours[0]] == picks[0]
    errors, h = pseudo_errors(p[~known]), x[~known]
    lengths = (errors**2).sum(axis=1) * (h**2).sum(axis=1)
    weight = np.minimum(lengths, squared_distances(errors, h, lengths, int(ours[0])))
    chance = weight / weight.sum()
    rest = open_rows != picks[0]
    assert np.allclose(chance[rest], theirs[1][~known][rest], atol=1e-6)


def test_badge_draws_by_squared_distance():
    """The second of many draws follows the chances (chi-squared, 5 rows)."""
    rng = np.random.default_rng(3)
    p, h = rng.dirichlet(np.ones(3), size=5), rng.standard_normal((5, 4))
    g = (pseudo_errors(p)[:, :, None] * h[:, None, :]).reshape(5, -1)
    first = int(np.argmax((g**2).sum(axis=1)))
    expected = ((g - g[first]) ** 2).sum(axis=1)
    draws = [badge(p, h, 2, np.random.default_rng(seed))[1] for seed in range(4000)]
    seen = np.bincount(draws, minlength=5) / 4000
    assert np.allclose(seen, expected / expected.sum(), atol=0.03)


def test_badge_prefers_the_unsure():
    """small-text's BADGE is inverted: there the confident row has the longest gradient."""
    p = np.array([[0.98, 0.01, 0.01], [0.34, 0.33, 0.33], [0.6, 0.2, 0.2]])
    errors = pseudo_errors(p)
    assert np.linalg.norm(errors, axis=1).round(2).tolist() == [0.02, 0.81, 0.49]
    assert badge(p, np.ones((3, 2)), 1, np.random.default_rng(0)).tolist() == [1]


def test_badge_of_two_classes_knows_the_probabilities():
    """small-text's BADGE returns raw vectors where there are two classes."""
    p = np.array([[0.9, 0.1], [0.5, 0.5]])
    assert badge(p, np.ones((2, 3)), 1, np.random.default_rng(0)).tolist() == [1]


def test_badge_of_copies_still_gives_a_whole_batch():
    """All gradients alike: nothing is likelier, nothing is taken twice."""
    found = badge(np.full((6, 3), 1 / 3), np.ones((6, 2)), 6, np.random.default_rng(0))
    assert sorted(found.tolist()) == list(range(6))
