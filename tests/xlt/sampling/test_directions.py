"""Directions and near-duplicates, against brute force."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.sampling import directions as diversity
from xlt.sampling.directions import Directions, centres, near_duplicates, unit


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


def centred(vectors):
    """Directions of one language's texts."""
    one = np.zeros(len(vectors), dtype=np.intp)
    middle = centres([(vectors, one)], 1)
    return Directions(vectors=vectors, number=one, centres=middle).of(np.arange(len(vectors)))


def test_centres_are_means_by_language(rng, monkeypatch):
    """Over all parts, chunk by chunk, one text more at the origin."""
    monkeypatch.setattr(diversity, "_CHUNK", 3)
    rows, names = unit(rng.standard_normal((20, 4))), rng.integers(0, 3, 20)
    found = centres([(rows[:12] * 5, names[:12]), (rows[12:], names[12:])], 3)
    for number in range(3):
        own = rows[names == number]
        assert found[number] == pytest.approx(own.sum(axis=0) / (len(own) + 1), abs=1e-6)


def test_directions_are_from_the_centre_of_the_language(rng):
    """Translations by a shift of the whole language are the same direction."""
    rows = rng.standard_normal((50, 8))
    both = np.concatenate([rows, rows + 9.0])
    number = np.repeat([0, 1], 50)
    middle = centres([(both, number)], 2)
    found = Directions(vectors=both, number=number, centres=middle)
    assert (found.of(np.arange(3)) * found.of(np.arange(50, 53))).sum(axis=1).min() > 0.5
    assert (unit(both[:3] - both.mean(axis=0)) * unit(both[50:53] - both.mean(axis=0))).sum(
        axis=1
    ).max() < 0.0


@settings(max_examples=30)
@given(st.integers(0, 2**31), st.integers(0, 60), st.integers(2, 8), st.floats(0.5, 0.99))
def test_near_duplicates_are_those_of_brute_force(seed, n, d, threshold):
    """The same rows are kept, each dropped one has an earlier, similar, kept representative."""
    rows = unit(np.random.default_rng(seed).standard_normal((n, d)))
    found = near_duplicates(rows, threshold)
    assert set(np.flatnonzero(found == np.arange(n))) == leaders(rows, threshold)
    for row, other in enumerate(found):
        assert other <= row
        assert found[other] == other
        assert other == row or rows[row] @ rows[other] > threshold


def test_chunks_do_not_change_the_answer(rng, monkeypatch):
    """Rows in one chunk or in many: the same are kept."""
    rows, _ = twins(rng, 40, 16, 3)
    whole = near_duplicates(rows, 0.95)
    monkeypatch.setattr(diversity, "_CHUNK", 7)
    assert (near_duplicates(rows, 0.95) == whole).all()


def test_a_threshold_of_one_finds_nothing(rng):
    """Even exact copies stay then."""
    rows = unit(np.ones((5, 3)))
    assert near_duplicates(rows, 1.0 + 1e-6).tolist() == [0, 1, 2, 3, 4]


def test_zero_vectors_are_nobodys_twin(rng):
    """A text that the encoder says nothing of is not a copy of another one; no warning either."""
    assert near_duplicates(unit(np.zeros((3, 4))), 0.95).tolist() == [0, 1, 2]


def test_a_narrow_cone_is_no_crowd_of_twins(rng):
    """Encoders that put a language into one corner: centring tells its texts apart again."""
    rows = rng.standard_normal((200, 32)) + 20.0
    assert len(set(near_duplicates(unit(rows), 0.95))) == 1
    assert len(set(near_duplicates(centred(rows), 0.95))) == 200


@pytest.mark.parametrize("n", [1, 2, 50])
def test_copies_stay_twins_when_centred(rng, n):
    """A pool of copies of one text is one text, however many there are."""
    rows = centred(np.tile(rng.standard_normal(16), (n, 1)))
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1)
    assert set(near_duplicates(rows, 0.95)) == {0}
