"""Comparison of learning curves: areas, intervals and labels saved, against hand values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.simulate.comparison import areas, labels_saved, labels_to, paired


def test_area_by_hand():
    """Trapezoids, per label; unequal steps weigh by their width."""
    assert areas(np.array([10, 20, 40]), np.array([0.2, 0.4, 0.6])) == pytest.approx(
        (0.3 * 10 + 0.5 * 20) / 30
    )
    assert areas(np.array([10]), np.array([0.2])) == 0.2


def test_labels_to_a_level_by_hand():
    """On a line between the points; the first point counts as it is; None where never."""
    x, y = np.array([10, 20, 40]), np.array([0.2, 0.4, 0.6])
    assert labels_to(x, y, 0.5) == pytest.approx(30)
    assert labels_to(x, y, 0.1) == 10
    assert labels_to(x, y, 0.7) is None


def test_the_interval_is_students():
    """Against scipy's own interval; none for one seed."""
    from scipy import stats

    x = np.array([0.1, 0.3, 0.2, 0.5])
    low, high = stats.t.interval(0.95, 3, loc=x.mean(), scale=stats.sem(x))
    found = paired(x)
    assert (found.low, found.high) == (pytest.approx(low), pytest.approx(high))
    assert paired(x[:1]).low is None


def test_labels_saved_by_hand():
    """Both reach 0.4: one with 10 labels and half of the next 10, the other with all 30."""
    x = np.array([10, 20, 30])
    fast, slow = np.array([[0.3, 0.5, 0.6]]), np.array([[0.2, 0.3, 0.4]])
    found = labels_saved(x, fast, slow)
    assert found["chosen"] == pytest.approx(15)
    assert (found["random"], found["saved"]) == pytest.approx((30, 15))
    assert found["low"] is None
    assert labels_saved(x, slow, fast)["saved"] == pytest.approx(-15)


@given(st.integers(1, 6), st.integers(1, 5), st.integers(0, 2**31))
@settings(max_examples=25)
def test_a_way_saves_nothing_against_itself(seeds, n, seed):
    """And what one saves against another, the other loses."""
    rng = np.random.default_rng(seed)
    x, one, two = 10 * np.arange(1, n + 1), rng.random((seeds, n)), rng.random((seeds, n))
    assert labels_saved(x, one, one)["saved"] == 0
    forth, back = labels_saved(x, one, two), labels_saved(x, two, one)
    assert forth["saved"] == pytest.approx(-back["saved"])
    if seeds > 1:
        assert forth["low"] <= forth["high"]
