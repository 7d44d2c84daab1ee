"""Near-duplicates, spread and typicality, against brute force and scikit-activeml's definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.sampling import diversity
from xlt.sampling.diversity import centred_units, distance_to, near_duplicates, spread, unit
from xlt.sampling.typicality import by_typicality


def twins(rng, n, d, copies):
    """`n` random directions, `copies` slightly moved copies of each, shuffled."""
    base = rng.standard_normal((n, d))
    rows = np.repeat(base, copies + 1, axis=0) + 0.02 * rng.standard_normal((n * (copies + 1), d))
    order = rng.permutation(len(rows))
    return unit(rows)[order], np.repeat(np.arange(n), copies + 1)[order]


def leaders(rows, threshold):
    """Brute force: a row is dropped if an earlier kept one is too similar."""
    kept: list[int] = []
    for row in range(len(rows)):
        if not any(rows[row] @ rows[other] > threshold for other in kept):
            kept.append(row)
    return set(kept)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 60), st.integers(2, 8), st.floats(0.5, 0.99))
def test_near_duplicates_are_those_of_brute_force(seed, n, d, threshold):
    """The same rows are kept, each dropped one has an earlier, similar, kept representative."""
    rows = unit(np.random.default_rng(seed).standard_normal((n, d)))
    found = near_duplicates(rows, threshold, np.random.default_rng(0))
    assert set(np.flatnonzero(found == np.arange(n))) == leaders(rows, threshold)
    for row, other in enumerate(found):
        assert other <= row
        assert found[other] == other
        assert other == row or rows[row] @ rows[other] > threshold


def test_chunks_do_not_change_the_answer(rng, monkeypatch):
    """Rows in one chunk or in many: the same are kept."""
    rows, _ = twins(rng, 40, 16, 3)
    whole = near_duplicates(rows, 0.95, rng)
    monkeypatch.setattr(diversity, "_CHUNK", 7)
    assert (near_duplicates(rows, 0.95, rng) == whole).all()


def test_large_pools_find_nearly_all_twins_and_nothing_else(rng, monkeypatch):
    """Blocked by pivots, at most one in a hundred twins is missed and no stranger is dropped."""
    rows, names = twins(rng, 1500, 64, 2)
    monkeypatch.setattr(diversity, "EXACT_ROWS", 1000)
    found = near_duplicates(rows, 0.95, rng)
    assert (names[found] == names).all()
    kept = int((found == np.arange(len(rows))).sum())
    assert 1500 <= kept <= 1500 * 1.02


def test_a_threshold_of_one_finds_nothing(rng):
    """Even exact copies stay then."""
    rows = unit(np.ones((5, 3)))
    assert near_duplicates(rows, 1.0 + 1e-6, rng).tolist() == [0, 1, 2, 3, 4]


def test_zero_vectors_are_nobodys_twin(rng):
    """A text that the encoder says nothing of is not a copy of another one; no warning either."""
    assert near_duplicates(unit(np.zeros((3, 4))), 0.95, rng).tolist() == [0, 1, 2]


def test_a_narrow_cone_is_no_crowd_of_twins(rng):
    """Encoders that put a language into one corner: centring tells its texts apart again."""
    rows = rng.standard_normal((200, 32)) + 20.0
    assert len(set(near_duplicates(unit(rows), 0.95, rng))) == 1
    assert len(set(near_duplicates(centred_units(rows), 0.95, rng))) == 200


@pytest.mark.parametrize("n", [1, 2, 50])
def test_copies_stay_twins_when_centred(rng, n):
    """A pool of copies of one text is one text, however many there are."""
    rows = centred_units(np.tile(rng.standard_normal(16), (n, 1)))
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    assert set(near_duplicates(rows, 0.95, rng)) == {0}


def test_spread_takes_worth_times_distance():
    """By hand: the best first, then the unlike one, though it is worth less than the twin."""
    rows = unit(np.array([[1.0, 0.0], [1.0, 0.01], [0.0, 1.0], [-1.0, 0.0]]))
    worth = np.array([1.0, 0.99, 0.5, 0.3])
    nearest = np.ones(4, dtype=np.float32)
    assert spread(rows, worth, 4, nearest) == [0, 2, 3, 1]
    assert spread(rows, worth, 2, distance_to(rows, rows[[3]])) == [0, 2]


@given(st.integers(0, 2**31), st.integers(1, 30), st.integers(0, 40))
def test_spread_is_distinct_and_as_long_as_asked(seed, n, count):
    """Never a row twice, never more than there are."""
    rng = np.random.default_rng(seed)
    rows = unit(rng.standard_normal((n, 3)))
    found = spread(rows, rng.random(n), count, np.ones(n, dtype=np.float32))
    assert len(found) == len(set(found)) == min(n, count)


def test_distance_to_is_brute_force(rng):
    """1 - the largest cosine; 1 where nothing is known."""
    rows, known = unit(rng.standard_normal((20, 5))), unit(rng.standard_normal((7, 5)))
    assert distance_to(rows, known) == pytest.approx(1 - (rows @ known.T).max(axis=1), abs=1e-6)
    assert distance_to(rows, known[:0]).tolist() == [1.0] * 20


def blobs(rng, sizes, d=8, noise=0.15):
    """Clusters of the sizes, in order."""
    centres = unit(rng.standard_normal((len(sizes), d))) * 3
    rows = [c + noise * rng.standard_normal((s, d)) for c, s in zip(centres, sizes, strict=True)]
    return unit(np.concatenate(rows)), np.repeat(np.arange(len(sizes)), sizes)


def test_the_first_picks_are_one_of_each_cluster_the_largest_first(rng):
    """Three blobs (60/30/20), three picks: [0, 1, 2] (ProbCover and TypiClust as published)."""
    rows, names = blobs(rng, [60, 30, 20])
    found = by_typicality(rows, 3, rows[:0], rng)
    assert names[found.order[:3]].tolist() == [0, 1, 2]
    assert found.cluster_size[found.order[:3]].tolist() == [60, 30, 20]


def test_the_first_of_a_cluster_is_its_most_typical(rng):
    """The definition: least mean distance to the 20 nearest in the cluster."""
    rows, names = blobs(rng, [40, 25])
    found = by_typicality(rows, 2, rows[:0], rng)
    for blob, pick in enumerate(found.order[:2]):
        members = np.flatnonzero(names == blob)
        distances = np.sqrt(np.clip(2 - 2 * rows[members] @ rows[members].T, 0, None))
        mean = np.sort(distances, axis=1)[:, 1:21].mean(axis=1)
        assert mean[list(members).index(pick)] == pytest.approx(mean.min(), rel=1e-3)


def test_clusters_with_a_label_wait(rng):
    """What is covered by a label comes after what is not, however large."""
    rows, names = blobs(rng, [60, 30, 20])
    labelled = rows[names == 0][:1]
    found = by_typicality(rows[1:], 2, labelled, rng)
    assert set(names[1:][found.order[:2]].tolist()) == {1, 2}


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**31), st.integers(0, 40), st.integers(0, 60), st.integers(0, 5))
def test_typicality_orders_every_row_once(seed, n, count, labelled):
    """A permutation, whatever is asked; the seed decides it."""
    rng = np.random.default_rng(seed)
    rows, known = unit(rng.standard_normal((n, 4))), unit(rng.standard_normal((labelled, 4)))
    orders = [by_typicality(rows, count, known, np.random.default_rng(3)).order for _ in range(2)]
    assert sorted(orders[0].tolist()) == list(range(n))
    assert orders[0].tolist() == orders[1].tolist()


def test_identical_rows_are_ordered_without_a_warning(rng):
    """Ten copies of one text are one cluster, whatever is asked."""
    found = by_typicality(unit(np.ones((10, 4))), 5, unit(np.ones((2, 4))), rng)
    assert sorted(found.order.tolist()) == list(range(10))
