"""The measures against scikit-activeml, against hand values, and their invariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import Badge, ContrastiveAL, CoreSet, ProbCover, TypiClust

from xlt.sampling.neighbours import contrast, density, near_targets, nearest, peculiarity
from xlt.simulate.measures.committee import bald, epig
from xlt.simulate.measures.coverage import (
    core_set,
    k_means,
    prob_cover,
    pure_radius,
    typical_of_clusters,
)
from xlt.simulate.measures.gradients import badge, pseudo_errors, squared_distances
from xlt.simulate.measures.stochastic import power_batch

QUICK = settings(deadline=None, max_examples=25)
SEEDS = st.integers(0, 2**31)


class Given(SkactivemlClassifier):
    """A classifier that answers what it was given, by row of the pool."""

    def __init__(self, table=None, width=0, classes=None, missing_label=np.nan, random_state=None):
        super().__init__(classes=classes, missing_label=missing_label, random_state=random_state)
        self.table, self.width = table, width

    def fit(self, X, y, sample_weight=None):
        """Learns nothing."""
        return self

    def predict_proba(self, X):
        """Rows carry their number in a last column too small to move any distance."""
        return self.table[np.round(np.asarray(X)[:, -1] * 1e9).astype(int)].copy()


def pool(seed: int, n: int = 40, d: int = 4, c: int = 3, labelled: int = 6):
    """Vectors, probabilities, which rows are labelled, and labels with nan for the others."""
    rng = np.random.default_rng(seed)
    x = np.hstack([rng.standard_normal((n, d)), np.arange(n)[:, None] * 1e-9])
    p = rng.dirichlet(np.ones(c), size=n)
    known = np.zeros(n, bool)
    known[rng.permutation(n)[:labelled]] = True
    y = np.where(known, rng.integers(0, c, n), np.nan)
    return x, p, known, y


@QUICK
@given(SEEDS)
def test_core_set_picks_what_scikit_activeml_picks(seed):
    """k-center greedy has no chance in it once something is labelled."""
    x, _, known, y = pool(seed)
    theirs = CoreSet(random_state=0).query(x, y, batch_size=10)
    open_rows = np.flatnonzero(~known)
    assert open_rows[core_set(x[~known], x[known], 10)].tolist() == theirs.tolist()


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


def test_contrast_looks_at_labelled_neighbours_only():
    """small-text's CAL finds the row itself: its contrast with itself is 0."""
    x = np.array([[0.0], [0.1]])
    p = np.array([[0.9, 0.1], [0.5, 0.5]])
    found = contrast(p, x, p[:1], x[:1])
    assert found[0] == pytest.approx(0)
    assert found[1] == pytest.approx(0.9 * np.log(0.9 / 0.5) + 0.1 * np.log(0.1 / 0.5), abs=1e-6)
    assert not contrast(p, x, p[:0], x[:0]).any()


def test_the_pure_radius_keeps_clusters_apart():
    """Two blobs on the unit circle, a right angle (1.41) apart."""
    angle = np.repeat([0.0, np.pi / 2], 20) + np.tile(np.linspace(0, 0.1, 20), 2)
    x = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    assert pure_radius(x, np.repeat([0, 1], 20)) == pytest.approx(1.2)


def test_bald_by_hand():
    """Two models that are sure of different classes disagree by log 2; the undecided do not."""
    sure = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    undecided = np.full((2, 1, 2), 0.5)
    assert bald(sure)[0] == pytest.approx(np.log(2))
    assert bald(undecided)[0] == pytest.approx(0)


def test_epig_by_hand():
    """A row whose label settles the target's is worth log 2; one that is independent nothing."""
    targets = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    rows = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
    assert epig(rows, targets) == pytest.approx([np.log(2), 0.0])


@QUICK
@given(SEEDS)
def test_epig_of_itself_is_at_most_its_entropy_and_at_least_zero(seed):
    """Mutual information lies between 0 and what there is to know."""
    rng = np.random.default_rng(seed)
    samples = rng.dirichlet(np.ones(3), size=(4, 6))
    mean = samples.mean(axis=0)
    found = epig(samples, samples[:, :2])
    assert (found >= 0).all()
    assert (found <= -(mean * np.log(mean)).sum(axis=1) + 1e-9).all()


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


def test_chances_of_a_power_batch():
    """The first draw has chances like the scores; rows of score 0 come last."""
    scores = np.array([1.0, 2.0, 5.0, 0.0])
    first = [power_batch(scores, 1, np.random.default_rng(seed))[0] for seed in range(4000)]
    assert np.allclose(np.bincount(first, minlength=4) / 4000, scores / 8, atol=0.03)
    assert power_batch(scores, 4, np.random.default_rng(0))[-1] == 3
    assert power_batch(scores, 1, np.random.default_rng(0), power=200.0).tolist() == [2]


@QUICK
@given(SEEDS, st.integers(0, 30))
def test_batches_are_distinct_and_of_the_size_asked_for(seed, count):
    """min(count, N) rows, none twice, the same for the same seed."""
    x, p, known, _ = pool(seed, n=20)
    clusters = np.arange(20) % 3
    left = int((~known).sum())
    for find, n in [
        (lambda rng: badge(p, x, count, rng), 20),
        (lambda rng: k_means(x, count, rng), 20),
        (lambda rng: core_set(x, x[:0], count), 20),
        (lambda rng: power_batch(p[:, 0], count, rng), 20),
        (lambda rng: typical_of_clusters(x, clusters, known, count), left),
        (lambda rng: prob_cover(x, known, count, delta=0.7), left),
    ]:
        found = find(np.random.default_rng(seed)).tolist()
        assert len(set(found)) == len(found) == min(count, n)
        assert found == find(np.random.default_rng(seed)).tolist()


@QUICK
@given(SEEDS)
def test_the_order_of_classes_does_not_matter(seed):
    """Columns in another order: the same scores."""
    rng = np.random.default_rng(seed)
    samples, other = rng.dirichlet(np.ones(4), size=(3, 9)), rng.permutation(4)
    x = rng.standard_normal((9, 3))
    p = samples[0]
    assert np.allclose(bald(samples), bald(samples[..., other]))
    assert np.allclose(epig(samples, samples), epig(samples[..., other], samples[..., other]))
    assert np.allclose(
        contrast(p, x, p[:4], x[:4]), contrast(p[:, other], x, p[:4][:, other], x[:4])
    )
    one, two = (badge(q, x, 5, np.random.default_rng(0)) for q in (p, p[:, other]))
    assert one.tolist() == two.tolist()
