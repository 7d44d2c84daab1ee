"""Confidence intervals: of paired differences, over resampled splits, and of ratios of means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate and the ends of its 95 % interval.

    Attributes:
        value: The estimate.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


def paired_difference(first: NDArray[np.floating], second: NDArray[np.floating]) -> Interval:
    """Returns the difference of two means of credit on the same n answers, with its interval.

    For right and wrong answers it is the Bonett-Price interval: Wald's after adding one answer to
    both cells in which the two differ, and two to n (Bonett and Price 2012). From about ten answers
    on it is near its nominal coverage, even if the two rarely differ. Credit between 0 and 1 counts
    by its squared differences.

    Args:
        first: (n,) in [0, 1], n >= 1.
        second: (n,) in [0, 1].

    Returns:
        The difference in [-1, 1].
    """
    difference = np.asarray(first, dtype=np.float64) - second
    n, total, square = len(difference), float(difference.sum()), float((difference**2).sum())
    middle = total / (n + 2)
    half = _Z_95 * math.sqrt(((square + 2) / (n + 2) - middle**2) / (n + 2))
    return Interval(value=total / n, low=max(-1.0, middle - half), high=min(1.0, middle + half))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Resampled:
    """Means over J resampled splits, and their covariance.

    Splits share their examples, so the variance over splits is too small. `1/J + n_judged /
    n_trained` in place of `1/J` corrects it (Nadeau and Bengio 2003), for the texts that judged and
    for those that trained.

    Attributes:
        mean: (K,) of K quantities.
        covariance: (K, K) of the means.
        splits: J, >= 2.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    splits: int

    @classmethod
    def of(cls, values: NDArray[np.float64], judged_per_trained: float) -> Resampled:
        """Averages (J, K) values of the splits.

        Args:
            values: One row per split.
            judged_per_trained: n_judged / n_trained of a split.
        """
        j = len(values)
        spread = np.atleast_2d(np.cov(values, rowvar=False))
        return cls(
            mean=values.mean(axis=0), covariance=(1 / j + judged_per_trained) * spread, splits=j
        )

    @property
    def _t(self) -> float:
        from scipy.stats import t  # type: ignore[import-untyped]  # no stubs

        return float(t.ppf(0.975, self.splits - 1))

    def interval(self, k: int) -> Interval:
        """Returns the interval of quantity k, by Student's t with J - 1 degrees of freedom."""
        value, half = float(self.mean[k]), self._t * math.sqrt(float(self.covariance[k, k]))
        return Interval(value=value, low=value - half, high=value + half)

    def ratio(self, above: int, below: int) -> Interval | None:
        """Returns the interval of the ratio of two of the means, by Fieller's theorem.

        Returns:
            None if the denominator is not clearly above 0, so that any ratio is possible.
        """
        a, b = float(self.mean[above]), float(self.mean[below])
        t2 = self._t**2
        v_a, v_b = float(self.covariance[above, above]), float(self.covariance[below, below])
        v_ab = float(self.covariance[above, below])
        square = b * b - t2 * v_b
        if b <= 0 or square <= 0:
            return None
        middle = a * b - t2 * v_ab
        root = math.sqrt(max(middle**2 - square * (a * a - t2 * v_a), 0.0))
        return Interval(value=a / b, low=(middle - root) / square, high=(middle + root) / square)
