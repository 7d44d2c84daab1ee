"""Batches drawn at random by score: variety without distances."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def power_batch(
    scores: NDArray[np.floating], count: int, rng: np.random.Generator, *, power: float = 1.0
) -> NDArray[np.intp]:
    """Draws rows without replacement, with chances proportional to `score ** power`.

    Power acquisition (Kirsch et al. 2023), by Gumbel-top-k: the largest of
    `power log s + Gumbel noise`. Power 0 is uniform; a large power is the top.

    Args:
        scores: (N,) >= 0; rows of score 0 come last, in random order.
        count: Number of rows, at most N.
        rng: Draws.
        power: Weight of the scores, >= 0.

    Returns:
        Distinct row numbers, in the order of drawing.
    """
    s = np.asarray(scores, dtype=np.float64)
    keys = power * np.log(np.where(s > 0, s, 1.0)) + rng.gumbel(size=len(s))
    last = (s <= 0) & (power > 0)
    return np.asarray(np.lexsort((-keys, last))[:count], dtype=np.intp)
