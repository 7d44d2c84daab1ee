"""Comparison of learning curves: areas, labels to a level, labels saved, paired differences."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The mean of differences paired by seed, with its 95 % interval by Student's t.

    Attributes:
        mean: Mean of the differences.
        low: Lower end of the interval; None for fewer than two seeds.
        high: Upper end of the interval; None for fewer than two seeds.
        seeds: Number of pairs.
    """

    mean: float
    low: float | None
    high: float | None
    seeds: int


def paired(differences: NDArray[np.float64]) -> Difference:
    """Averages differences (S,), S >= 1, with an interval."""
    from scipy.stats import t  # type: ignore[import-untyped]  # no stubs

    n, mean = len(differences), float(differences.mean())
    if n < 2:
        return Difference(mean=mean, low=None, high=None, seeds=n)
    half = float(t.ppf(0.975, n - 1) * differences.std(ddof=1) / math.sqrt(n))
    return Difference(mean=mean, low=mean - half, high=mean + half, seeds=n)


def areas(labels: NDArray[np.intp], accuracy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the area under each curve per label, a mean accuracy: (..., P) -> (...).

    Uses trapezoids between the first and the last point; a curve of one point has its accuracy.
    """
    if len(labels) < 2:
        return np.asarray(accuracy[..., 0])
    steps = np.diff(labels)
    middle = (accuracy[..., 1:] + accuracy[..., :-1]) / 2
    return np.asarray((middle * steps).sum(axis=-1) / steps.sum())


def labels_to(
    labels: NDArray[np.intp], accuracy: NDArray[np.float64], level: float
) -> float | None:
    """Returns the labels at which a curve (P,) first reaches `level`, by linear interpolation.

    Returns:
        None if the curve never reaches the level.
    """
    reached = np.flatnonzero(accuracy >= level)
    if not len(reached):
        return None
    at = int(reached[0])
    if at == 0:
        return float(labels[0])
    rise = (level - accuracy[at - 1]) / (accuracy[at] - accuracy[at - 1])
    return float(labels[at - 1] + (labels[at] - labels[at - 1]) * rise)


def labels_saved(
    labels: NDArray[np.intp], chosen: NDArray[np.float64], random: NDArray[np.float64]
) -> dict[str, Any]:
    """Compares the labels that two strategies need for the same accuracy.

    The accuracy is the highest that both reach: the lower of the two at the end of their mean
    curves. The interval is a percentile bootstrap over seeds.

    Args:
        labels: (P,) of both curves.
        chosen: (S, P) accuracies of one strategy.
        random: (S, P) accuracies of the other strategy, with the same seeds.

    Returns:
        "chosen" and "random", the labels that each needs; "saved", the difference, with the
        interval "low" and "high", which are None for fewer than two seeds.
    """

    def needed(seeds: NDArray[np.intp]) -> tuple[float, float]:
        one, two = chosen[seeds].mean(axis=0), random[seeds].mean(axis=0)
        level = min(float(one[-1]), float(two[-1])) - 1e-12
        a, b = (labels_to(labels, curve, level) for curve in (one, two))
        assert a is not None
        assert b is not None
        return a, b

    s = len(chosen)
    a, b = needed(np.arange(s))
    numbers: dict[str, Any] = {"chosen": a, "random": b, "saved": b - a, "low": None, "high": None}
    if s >= 2:
        rng = np.random.default_rng(0)
        draws = [needed(rng.integers(0, s, s)) for _ in range(_RESAMPLES)]
        low, high = np.percentile([two - one for one, two in draws], [2.5, 97.5])
        numbers |= {"low": float(low), "high": float(high)}
    return numbers
