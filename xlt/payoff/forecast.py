"""Forecast of the labels that the next points of accuracy need, from a learning curve.

The curve is an inverse power law, `a - b n^-c`, fitted by weighted least squares (Figueroa, Zeng-
Treitler, Kandula and Ngo 2012, "Predicting sample size required for classification performance").
For each c from 0.3 to 0.8, a and b are the solution of a linear problem; a free c fits noise. The
interval is that of a parametric bootstrap: audit labels are drawn again from the fitted curve.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.intervals import Interval

#: Gain in accuracy that is forecast.
GAIN = 0.02
#: Smallest number of versions with different numbers of labels.
_LEAST = 4
#: The last version must have this many times the labels of the first.
_SPAN = 2.0
#: Largest ratio of the interval's ends; with a wider one nothing is forecast.
_WIDEST = 8.0
_DRAWS = 400
_POWERS = np.linspace(0.3, 0.8, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A version on the learning curve.

    Attributes:
        labels: Number of labels that it was trained on, at least 1.
        n: Number of audit labels that judged it, at least 1.
        accuracy: Its accuracy on them, in [0, 1].
    """

    labels: int
    n: int
    accuracy: float


def forecast(
    curve: Sequence[Judged], rng: np.random.Generator, *, gain: float = GAIN
) -> Interval | None:
    """Forecasts the number of further labels for a gain in accuracy.

    The points are taken as independent. Versions of one project are judged by mostly the same
    audit labels, so their differences are known better than that, and the interval is rather too
    wide. It holds the error of the points, not that of the curve: the labels to come are assumed
    to be like the last ones.

    Args:
        curve: Versions of one language.
        rng: Draws the audit labels of the bootstrap.
        gain: Wanted gain above the curve's value now.

    Returns:
        The number of further labels with its 95 % interval. None if it is too early: with fewer
        than four different numbers of labels, less than twice the labels of the first version,
        an interval that is wider than eight times its lower end, or one that ends beyond twice the
        labels of now.
    """
    points = [point for point in curve if point.labels > 0 and point.n > 0]
    sizes = sorted({point.labels for point in points})
    if len(sizes) < _LEAST or sizes[-1] < _SPAN * sizes[0]:
        return None
    labels = np.array([point.labels for point in points], dtype=np.float64)
    n = np.array([point.n for point in points])
    seen = np.array([point.accuracy for point in points])
    weights = n / ((seen * n + 1) / (n + 2) * (1 - (seen * n + 1) / (n + 2)))
    fitted = _fit(labels, seen[None, :], weights)
    curve_now = np.clip(_value(fitted, labels)[0], 0.0, 1.0)
    drawn = rng.binomial(n, curve_now, size=(_DRAWS, len(n))) / n
    more = _needed(_fit(labels, drawn, weights), labels.max(), gain)
    own = float(_needed(fitted, labels.max(), gain)[0])
    low, high = np.quantile(more, [0.025, 0.975], method="nearest").tolist()
    wide = high > _WIDEST * max(low, 1.0) or high > labels.max()
    return None if wide or not low <= own <= high else Interval(value=own, low=low, high=high)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Curves:
    """Fitted curves `a - b n^-c`, each (D,)."""

    a: NDArray[np.float64]
    b: NDArray[np.float64]
    c: NDArray[np.float64]


def _fit(
    labels: NDArray[np.float64], seen: NDArray[np.float64], weights: NDArray[np.float64]
) -> _Curves:
    """Fits curves with b >= 0 and a <= 1 to D rows of accuracies (D, P)."""
    x = labels[None, :] ** -_POWERS[:, None]  # (C, P)
    w = weights / weights.sum()
    mean_x, mean_y = x @ w, seen @ w  # (C,), (D,)
    spread = ((x - mean_x[:, None]) ** 2) @ w  # (C,)
    both = (seen * w) @ x.T - mean_y[:, None] * mean_x  # (D, C)
    b = np.maximum(-both / spread, 0.0)
    a = mean_y[:, None] + b * mean_x
    full = np.maximum(((1.0 - seen) * w) @ x.T / (x**2 @ w), 0.0)  # b of curves with a = 1
    b, a = np.where(a > 1.0, full, b), np.minimum(a, 1.0)
    errors = ((seen[:, None, :] - a[..., None] + b[..., None] * x) ** 2) @ w  # (D, C)
    best = errors.argmin(axis=1)
    row = np.arange(len(seen))
    return _Curves(a=a[row, best], b=b[row, best], c=_POWERS[best])


def _value(curves: _Curves, labels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the accuracies (D, P) of curves at P numbers of labels."""
    power = labels[None, :] ** -curves.c[:, None]
    return np.asarray(curves.a[:, None] - curves.b[:, None] * power)


def _needed(curves: _Curves, now: float, gain: float) -> NDArray[np.float64]:
    """Returns the further labels (D,) that a gain needs; infinite if a curve never gets there."""
    left = curves.b * now**-curves.c - gain
    reaches = left > 1e-12
    share = np.where(reaches, curves.b / np.where(reaches, left, 1.0), 1.0)
    with np.errstate(over="ignore"):
        total = np.where(reaches, share ** (1.0 / curves.c), np.inf)
    return np.asarray(total - now)
