"""The summary of a simulation: differences, labels saved and improvements, by strategy."""

from __future__ import annotations

import pytest

from tests.xlt.simulate.parallel import cell
from xlt.simulate.learning_curve import EVERYTHING
from xlt.simulate.results import curves, summary


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
