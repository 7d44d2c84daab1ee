"""Uncertainty measures: higher = less sure, against hand formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from xlt.errors import SamplingError
from xlt.sampling.uncertainty import MEASURES, entropy, least_confidence, margin

ALL = pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)


def distributions(least=2, most=6):
    """(N, C) tables whose rows sum to 1."""

    def draw(n, c, seed):
        return np.random.default_rng(seed).dirichlet(np.full(c, 0.5), size=n)

    return st.builds(draw, st.integers(1, 20), st.integers(least, most), st.integers(0, 2**31))


@given(distributions())
def test_the_measures_are_the_textbooks(p):
    """Least confidence, margin and entropy as Settles defines them, scaled to [0, 1]."""
    c = p.shape[1]
    for row, lc, m, h in zip(p, least_confidence(p), margin(p), entropy(p), strict=True):
        first, second = sorted(row, reverse=True)[:2]
        assert lc == pytest.approx((1 - first) * c / (c - 1))
        assert m == pytest.approx(1 - (first - second))
        assert h == pytest.approx(scipy_entropy(row) / math.log(c))


@ALL
@given(p=distributions())
def test_one_finite_score_per_row_in_the_unit_interval(measure, p):
    """Nothing leaves [0, 1]."""
    found = measure(p)
    assert found.shape == (len(p),)
    assert ((found >= 0) & (found <= 1)).all()


@ALL
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_uniform_is_the_maximum_and_one_hot_is_zero(measure, classes):
    """Knowing nothing scores 1, knowing everything exactly 0."""
    assert measure(np.full((1, classes), 1 / classes)) == pytest.approx(1.0)
    assert measure(np.eye(classes)).tolist() == [0.0] * classes


@ALL
@given(p=distributions(), seed=st.integers(0, 99))
def test_renaming_classes_changes_nothing(measure, p, seed):
    """The order of the columns does not matter, to the last bit."""
    order = np.random.default_rng(seed).permutation(p.shape[1])
    assert (measure(p) == measure(p[:, order])).all()


@given(p=distributions(2, 2))
def test_with_two_classes_all_measures_give_the_same_order(p):
    """Binary tasks cannot tell the measures apart."""
    orders = {tuple(np.argsort(measure(p), kind="stable")) for measure in MEASURES.values()}
    assert len(orders) == 1


@ALL
@pytest.mark.parametrize("bad", [np.nan, np.inf, -0.5, 2.0], ids=str)
def test_rows_that_are_no_distribution_are_named(measure, bad):
    """A broken number is an error that names its row, never a silent zero."""
    p = np.full((9, 2), 0.5)
    p[[3, 7], 0] = bad
    with pytest.raises(SamplingError, match="3, 7"):
        measure(p)


def test_many_bad_rows_are_counted():
    """The message stays short."""
    with pytest.raises(SamplingError, match="0, 1, 2, 3, 4 and 95 more"):
        margin(np.full((100, 2), np.nan))


@ALL
@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2, 2)], ids=str)
def test_the_shape_must_be_a_table(measure, shape):
    """One column or three dimensions are refused with the shape seen."""
    with pytest.raises(SamplingError, match=r"\(3"):
        measure(np.ones(shape))


@ALL
def test_an_empty_table_gives_no_scores(measure):
    """No rows, no scores, no warning."""
    assert measure(np.empty((0, 3))).shape == (0,)
