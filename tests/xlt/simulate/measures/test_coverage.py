"""Coverage of the pool against scikit-activeml."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skactiveml.pool import CoreSet, ProbCover, TypiClust

from tests.xlt.activeml import QUICK, SEEDS, pool
from xlt.simulate.measures.coverage import core_set, prob_cover, pure_radius, typical_of_clusters


@QUICK
@given(SEEDS)
def test_core_set_picks_what_scikit_activeml_picks(seed):
    """k-center greedy has no chance in it once something is labelled."""
    x, _, known, y = pool(seed)
    theirs = CoreSet(random_state=0).query(x, y, batch_size=10)
    open_rows = np.flatnonzero(~known)
    assert open_rows[core_set(x[~known], x[known], 10)].tolist() == theirs.tolist()


class Fixed:
    """A clustering that is known beforehand."""

    labels = np.zeros(0, int)

    def __init__(self, n_clusters=2):
        pass

    def fit_predict(self, X):
        """The labels that were set."""
        return Fixed.labels


@QUICK
@given(SEEDS)
def test_typiclust_picks_what_scikit_activeml_picks(seed):
    """The same clusters, the same order of clusters, the same text of each."""
    rng = np.random.default_rng(seed)
    sizes = np.array([4, 7, 11, 13, 17, 19])
    Fixed.labels = rng.permutation(np.repeat(np.arange(6), sizes))
    x = rng.standard_normal((len(Fixed.labels), 4))
    y = np.full(len(x), np.nan)
    for number in (1, 3):
        y[np.flatnonzero(Fixed.labels == number)[0]] = 0
    theirs = TypiClust(cluster_algo=Fixed, k=5, random_state=0).query(x, y, batch_size=4)
    ours = typical_of_clusters(x, Fixed.labels, ~np.isnan(y), 4, k=5, smallest=0)
    assert ours.tolist() == theirs.tolist()


def test_small_clusters_come_last():
    """As in the reference: five texts or fewer are no cluster, until nothing else is left."""
    clusters = np.repeat([0, 1], [5, 6])
    x = np.random.default_rng(0).standard_normal((11, 2))
    none = np.zeros(11, bool)
    assert clusters[typical_of_clusters(x, clusters, none, 7)].tolist() == [1] * 6 + [0]


@pytest.mark.filterwarnings("ignore:The maximum purity was")
@QUICK
@given(SEEDS, st.sampled_from([0.5, 1.0, 1.6]))
def test_every_pick_of_prob_cover_is_one_of_scikit_activemls_best(seed, delta):
    """Pick by pick, the most newly covered texts by its count; it breaks ties by chance."""
    x, _, known, y = pool(seed, n=30)
    for row in prob_cover(x, known, 5, delta=delta):
        query = ProbCover(n_classes=3, deltas=[delta], random_state=0)
        _, degrees = query.query(x, y, return_utilities=True)
        assert degrees[0][row] == np.nanmax(degrees[0])
        y[row] = 0


def test_prob_cover_takes_one_of_each_blob():
    """small-text's ProbCover gives the largest blob three times."""
    rng = np.random.default_rng(0)
    blob = np.repeat([0, 1, 2], [60, 30, 20])
    x = 5.0 * np.eye(3)[blob] + 0.05 * rng.standard_normal((110, 3))
    assert blob[prob_cover(x, np.zeros(110, bool), 3, delta=1.0)].tolist() == [0, 1, 2]


def test_core_set_gives_as_many_as_were_asked_for():
    """small-text's LightweightCoreset gives 20 where 5 of 200 were asked for."""
    x = np.random.default_rng(0).standard_normal((200, 3))
    assert len(set(core_set(x, x[:0], 5).tolist())) == 5


def test_the_pure_radius_keeps_clusters_apart():
    """Two blobs on the unit circle, a right angle (1.41) apart."""
    angle = np.repeat([0.0, np.pi / 2], 20) + np.tile(np.linspace(0, 0.1, 20), 2)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert pure_radius(x, np.repeat([0, 1], 20)) == pytest.approx(1.2)
