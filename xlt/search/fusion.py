"""Rankings, and one ranking out of several: reciprocal rank fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

#: Places that a ranking hands on.
DEPTH = 1000
#: Constant of the fusion (Cormack, Clarke, Buettcher 2009: 60).
_K = 60.0


def top(scores: NDArray[np.floating], count: int, wanted: NDArray[np.bool_]) -> list[int]:
    """Returns the rows with the highest scores, the highest first; of equal ones the first row.

    Args:
        scores: (N,).
        count: Their number; fewer if there are not that many.
        wanted: (N,) True for rows that may be returned.
    """
    rows = np.flatnonzero(wanted)
    own = scores[rows]
    if count < len(own):
        least = np.partition(own, len(own) - count)[len(own) - count]
        kept = own >= least
        rows, own = rows[kept], own[kept]
    order = np.argsort(-own, kind="stable")[:count]
    return [int(row) for row in rows[order]]


def fused(
    rankings: Mapping[str, Sequence[int]], weights: Mapping[str, float]
) -> list[tuple[int, float]]:
    """Returns the rows of rankings with their sums of weight / (60 + rank), the highest first.

    Args:
        rankings: Name -> rows, the best first.
        weights: Name -> weight.
    """
    sums: dict[int, float] = {}
    for name, rows in rankings.items():
        for rank, row in enumerate(rows, start=1):
            sums[row] = sums.get(row, 0.0) + weights[name] / (_K + rank)
    return sorted(sums.items(), key=lambda item: (-item[1], item[0]))
