"""Confidence intervals of paired differences of credit."""

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
