"""Forecasts: exact curves are found again, noise is met by silence, intervals hold the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.payoff.forecast import Judged, forecast


def accuracy(labels: float, a: float, b: float, c: float) -> float:
    """A curve."""
    return a - b * labels**-c


@given(
    st.floats(0.7, 0.95), st.floats(1.0, 3.0), st.sampled_from([0.4, 0.5, 0.6]), st.integers(0, 99)
)
def test_an_exact_curve_is_found_again(a, b, c, seed):
    """With very many audit labels, the forecast is the number at which the curve is 2 points up."""
    sizes = [50, 80, 120, 180, 260]
    if accuracy(50, a, b, c) < 0.05:
        return
    points = [Judged(labels=n, n=10**8, accuracy=accuracy(n, a, b, c)) for n in sizes]
    found = forecast(points, np.random.default_rng(seed))
    left = b * 260**-c - 0.02
    true = (b / left) ** (1 / c) - 260 if left > 0 else np.inf
    if found is None:
        assert true > 200
    else:
        assert found.low <= found.value <= found.high
        assert found.value == pytest.approx(true, rel=0.25)


@pytest.mark.parametrize(
    "points",
    [
        [],
        [(10, 30, 0.5), (20, 30, 0.6), (30, 30, 0.7)],  # too few
        [(100, 30, 0.5), (110, 30, 0.6), (120, 30, 0.6), (130, 30, 0.7)],  # too near
        [(0, 30, 0.5), (0, 30, 0.6), (0, 30, 0.7), (0, 30, 0.8)],  # no labels of its own
        [(10, 20, 0.5), (20, 20, 0.7), (40, 20, 0.5), (80, 20, 0.6)],  # noise
        [(10, 900, 0.9), (20, 900, 0.9), (40, 900, 0.9), (80, 900, 0.9)],  # no rise
        [(10, 900, 0.9), (20, 900, 0.7), (40, 900, 0.5), (80, 900, 0.3)],  # a fall
        [(10, 9, 1.0), (20, 9, 1.0), (40, 9, 1.0), (80, 9, 1.0)],  # nothing left to gain
    ],
)
def test_silence_if_it_is_too_early(points):
    """A number without ground would be worse than none."""
    curve = [Judged(labels=labels, n=n, accuracy=share) for labels, n, share in points]
    assert forecast(curve, np.random.default_rng(0)) is None


def test_the_same_points_give_the_same_forecast():
    """In any order, for the same random numbers; and it is a number people can plan with."""
    sizes = [20, 40, 80, 160, 320]
    curve = [Judged(labels=n, n=20_000, accuracy=accuracy(n, 0.9, 2, 0.5)) for n in sizes]
    found = forecast(curve, np.random.default_rng(1))

    assert found == forecast(curve, np.random.default_rng(1))
    assert found is not None
    assert 0 < found.low < found.high <= 320
