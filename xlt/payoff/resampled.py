"""Confidence intervals of means over resampled splits, and of ratios of such means."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xlt.tasks.intervals import Interval


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
