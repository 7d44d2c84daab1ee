"""Uncertainty measures: functions of class probabilities, higher = less sure."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlt.errors import SamplingError
from xlt.sampling.validation import refuse_rows


def least_confidence(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns `(1 - max p) C / (C - 1)` per row; 0 for one-hot, 1 for uniform.

    Args:
        probabilities: (N, C), rows sum to 1, C >= 2.

    Raises:
        SamplingError: If a row is not a distribution (names the rows).
    """
    p = _checked(probabilities)
    classes = p.shape[1]
    return _unit_interval((1 - p.max(axis=1)) * classes / (classes - 1))


def margin(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns `1 - (p_1 - p_2)` per row, of the two largest; 0 for one-hot, 1 if they are equal.

    Args:
        probabilities: (N, C), rows sum to 1, C >= 2.

    Raises:
        SamplingError: If a row is not a distribution (names the rows).
    """
    p = _checked(probabilities)
    top = np.partition(p, -2, axis=1)[:, -2:]  # (N, 2)
    return _unit_interval(1 - (top[:, 1] - top[:, 0]))


def entropy(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns `-sum p log p / log C` per row, with 0 log 0 = 0; 0 for one-hot, 1 for uniform.

    Args:
        probabilities: (N, C), rows sum to 1, C >= 2.

    Raises:
        SamplingError: If a row is not a distribution (names the rows).
    """
    p = np.sort(_checked(probabilities), axis=1)  # one order of summation for any class order
    terms = p * np.log(np.where(p > 0, p, 1.0))
    return _unit_interval(-terms.sum(axis=1) / np.log(p.shape[1]))


#: The measures by their names in options.
MEASURES = {"margin": margin, "entropy": entropy, "least_confidence": least_confidence}


def _checked(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    if probabilities.ndim != 2 or probabilities.shape[1] < 2:
        raise SamplingError(
            f"probabilities must be (N, C) with C >= 2, got shape {probabilities.shape}"
        )
    p = np.asarray(probabilities, dtype=np.float64)
    refuse_rows(np.isnan(p.sum(axis=1)) | np.isinf(p).any(axis=1), "probabilities must be finite")
    sums: NDArray[np.float64] = p.sum(axis=1)
    off = (p.min(axis=1) < -1e-6) | (np.abs(sums - 1.0) > 1e-3)
    refuse_rows(np.asarray(off, dtype=bool), "probabilities must be >= 0 and sum to 1")
    return p


def _unit_interval(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.clip(values, 0.0, 1.0)
