"""The results of a simulation: areas, labels saved and intervals, against hand values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.xlt.simulate.parallel import cell
from xlt.simulate.learning_curve import EVERYTHING
from xlt.simulate.results import areas, curves, labels_saved, labels_to, paired, summary


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


def test_differences_are_paired_by_seed():
    """Two strategies that differ by the same amount in every seed: an interval of width 0."""
    cells = [cell("default", s, 0.4 + s / 10, 0.6 + s / 10) for s in range(3)]
    cells += [cell("stratified", s, 0.3 + s / 10, 0.5 + s / 10) for s in (2, 0, 1)]
    found = summary(cells, ["ha", "yo"])["strategies"]["default"]["against"]["stratified"]
    assert found["area"]["mean"] == pytest.approx(0.1)
    assert found["area"]["high"] - found["area"]["low"] == pytest.approx(0, abs=1e-9)
    assert found["languages"]["ha"]["seeds"] == 3


def test_labels_to_a_share_of_the_full_data():
    """0.9 of what all labels give, where the mean curve reaches it."""
    cells = [cell("random", 0, 0.2, 0.6), cell(EVERYTHING, 0, 0.5)]
    found = summary(cells, ["ha"])
    assert found["full_data"] == 0.5
    reached = found["strategies"]["random"]["labels_to"]["0.90"]
    assert reached == {"labels": pytest.approx(10 + 10 * 0.25 / 0.4), "seeds": 1, "of": 1}
    assert EVERYTHING not in found["strategies"]


def test_seeds_may_have_pools_of_different_sizes():
    """All labels are more for one seed than for another: one number all the same."""
    cells = [cell("random", seed, 0.2, 0.6) for seed in (0, 1)]
    for seed, labels in enumerate((57, 64)):
        everything = cell(EVERYTHING, seed, 0.4 + seed / 5)
        everything.points[0]["labels"] = labels
        cells.append(everything)
    assert summary(cells, ["ha"])["full_data"] == pytest.approx(0.5)


def test_curves_of_different_length_are_compared_where_both_are():
    """A language that ran out early shortens the comparison, not the other curve."""
    cells = [cell("default", 0, 0.1, 0.2, 0.3), cell("zero-shot", 0, 0.1, 0.2)]
    found = summary(cells, ["ha"])["strategies"]["default"]
    assert len(found["accuracy"]) == 3
    assert found["against"]["zero-shot"]["area"]["mean"] == pytest.approx(0)
    assert list(curves(cells)["zero-shot"].labels) == [10, 20]


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
@settings(deadline=None, max_examples=25)
def test_a_way_saves_nothing_against_itself(seeds, n, seed):
    """And what one saves against another, the other loses."""
    rng = np.random.default_rng(seed)
    x, one, two = 10 * np.arange(1, n + 1), rng.random((seeds, n)), rng.random((seeds, n))
    assert labels_saved(x, one, one)["saved"] == 0
    there, back = labels_saved(x, one, two), labels_saved(x, two, one)
    assert there["saved"] == pytest.approx(-back["saved"])
    if seeds > 1:
        assert there["low"] <= there["high"]


def test_labels_saved_are_in_the_summary():
    """Overall for every baseline, language by language against stratified."""
    cells = [cell("default", s, 0.3, 0.5) for s in (0, 1)]
    cells += [cell(name, s, 0.2, 0.3) for s in (0, 1) for name in ("stratified", "random")]
    against = summary(cells, ["ha"])["strategies"]["default"]["against"]
    assert against["stratified"]["labels_saved"]["saved"] == pytest.approx(10)
    assert set(against["stratified"]["labels_saved"]["languages"]) == {"ha", "yo"}
    assert against["random"]["labels_saved"]["languages"] == {}


def test_the_last_labels_are_in_the_summary():
    """The mean over seeds; a language that has few labels is not in it."""
    cells = [cell("default", s, 0.3) for s in (0, 1)]
    for one, gain in zip(cells, (0.1, 0.2), strict=True):
        one.points[-1]["bought"] = {"ha": {"labels": 40, "gain": gain}}
    found = summary(cells, ["ha"])["strategies"]["default"]["bought"]
    assert set(found) == {"ha"}
    assert (found["ha"]["labels"], found["ha"]["mean"]) == pytest.approx((40, 0.15))
