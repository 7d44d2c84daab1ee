"""Ranks of scores: the highest ones, and the place of one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


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


def place(scores: NDArray[np.floating], row: int, wanted: NDArray[np.bool_]) -> int:
    """Returns the place of a row among those that are wanted, from 1; equal scores share one."""
    return 1 + int(np.count_nonzero((scores > scores[row]) & wanted))
