"""Disagreement of several models of one kind: BALD, and EPIG towards a target pool.

Probabilities (M, N, C) come from M models: dropout masks, an ensemble, or bootstrap samples. The
same model must have the same number m for all rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 256


def bald(samples: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns `H[mean_m p] - mean_m H[p]` per row, in nats (Houlsby et al. 2011).

    Args:
        samples: (M, N, C), rows sum to 1.

    Returns:
        (N,) >= 0, higher = less sure; 0 if all models agree.
    """
    p = np.asarray(samples, dtype=np.float64)
    information = _entropy(p.mean(axis=0)) - _entropy(p).mean(axis=0)
    return np.asarray(np.clip(information, 0.0, None))


def epig(
    samples: NDArray[np.floating], target_samples: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Returns the information of each row's label about the labels of target texts, in nats.

    Expected predictive information gain (Bickford Smith et al. 2023): the mean over targets x* of
    the mutual information of y and y*, `H[p(y)] + H[p(y*)] - H[mean_m p_m(y) p_m(y*)]`. The targets
    are a separate pool: texts of the languages that the labels are for.

    Args:
        samples: (M, N, C) of the rows.
        target_samples: (M, T, C) of the target texts, T >= 1; time grows with N T C C.

    Returns:
        (N,) >= 0.
    """
    rows, targets = (np.asarray(s, dtype=np.float64) for s in (samples, target_samples))
    m, n, c = rows.shape
    target_entropy = _entropy(targets.mean(axis=0)).mean()
    flat = targets.reshape(m, -1)  # (M, T C)
    joint = np.empty(n)
    for start in range(0, n, _CHUNK):
        part = rows[:, start : start + _CHUNK]  # (M, n, C)
        both = part.reshape(m, -1).T @ flat / m  # (n C, T C)
        terms = -both * np.log(np.where(both > 0, both, 1.0))
        by_row = terms.reshape(part.shape[1], c, -1).sum(axis=(1, 2))
        joint[start : start + _CHUNK] = by_row / targets.shape[1]
    return np.asarray(np.clip(_entropy(rows.mean(axis=0)) + target_entropy - joint, 0.0, None))


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1.0))).sum(axis=-1))
