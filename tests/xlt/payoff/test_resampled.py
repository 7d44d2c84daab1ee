"""Intervals over resampled splits, and of ratios, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from xlt.payoff.resampled import Resampled


def test_the_corrected_interval_by_hand():
    """Nadeau and Bengio: (1/J + 1/4) in place of 1/J."""
    from scipy.stats import t

    values = np.array([[1.0], [2.0], [4.0], [5.0]])
    found = Resampled.of(values, 0.25).interval(0)
    half = t.ppf(0.975, 3) * np.sqrt((1 / 4 + 1 / 4) * values.var(ddof=1))
    assert (found.value, found.high) == pytest.approx((3, 3 + half))


def test_fiellers_interval_solves_its_equation(rng):
    """At its ends the interval of a - ratio * b just touches zero."""
    values = rng.normal([1.0, 2.0], [0.3, 0.3], size=(15, 2))
    resampled = Resampled.of(values, 0.25)
    found = resampled.ratio(0, 1)
    assert found is not None
    for end in (found.low, found.high):
        line = Resampled.of((values[:, 0] - end * values[:, 1])[:, None], 0.25).interval(0)
        assert min(abs(line.low), abs(line.high)) == pytest.approx(0, abs=1e-9)
    assert found.low < found.value < found.high


def test_a_ratio_to_nothing_is_not_known(rng):
    """Where random labels do not clearly help, nobody can say how many would be needed."""
    values = rng.normal([1.0, 0.0], [0.3, 0.3], size=(15, 2))
    assert Resampled.of(values, 0.25).ratio(0, 1) is None
