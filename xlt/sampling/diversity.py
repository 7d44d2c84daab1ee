"""Texts that say the same, and batches whose texts differ: cosine geometry of sentence vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Up to here every pair is compared; above, only pairs that share one of their nearest pivots.
EXACT_ROWS = 8_000
_CHUNK = 512
_BLOCK = 250
_PIVOTS_PER_ROW = 2


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of (N, D) scaled to length 1; rows of zeros stay so."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


def centred_units(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of (N, D) without what all of them share, scaled to length 1.

    Many encoders put all texts of a language into a narrow cone, where any two of them would be
    near-duplicates. The mean is taken as if one text more stood at the origin: then copies of one
    text, or a single one, keep their direction.
    """
    rows = unit(vectors)
    return unit(rows - rows.sum(axis=0, keepdims=True) / np.float32(len(rows) + 1))


def near_duplicates(
    rows: NDArray[np.float32], threshold: float, rng: np.random.Generator
) -> NDArray[np.intp]:
    """For each row the row that stands for it: itself, or an earlier one that says the same.

    A row is dropped if its cosine with an earlier row that was kept exceeds `threshold`. Memory
    grows linearly with N; so does time above `EXACT_ROWS`, where a pair is compared only if the
    two share one of their two nearest pivots (nearly all pairs above 0.95 do).

    Args:
        rows: (N, D) of length 1, the ones to keep first.
        threshold: Cosine in (0, 1]; 1 finds nothing.
        rng: Draws the pivots.

    Returns:
        (N,) indices i with result[i] <= i and result[result[i]] == result[i].
    """
    n = len(rows)
    if n <= EXACT_ROWS:
        return _leaders(rows, threshold)
    kept_by = np.arange(n)
    for block in _blocks(rows, rng):
        alive = block[kept_by[block] == block]
        kept_by[alive] = alive[_leaders(rows[alive], threshold)]
    return _roots(kept_by)


def spread(
    rows: NDArray[np.float32],
    worth: NDArray[np.float64],
    count: int,
    nearest: NDArray[np.float32],
) -> list[int]:
    """Chooses `count` rows that are worth it and unlike one another, the best first.

    Greedy: each step takes the largest `worth * distance`, distance being `1 - cosine` to the
    nearest one that is chosen or was known before.

    Args:
        rows: (N, D) of length 1.
        worth: (N,) in (0, 1].
        count: How many, at most N.
        nearest: (N,) distance to the nearest text that is known already, in [0, 2].

    Returns:
        Distinct row indices.
    """
    distance = nearest.astype(np.float64)
    open_rows = np.ones(len(rows), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(count, len(rows))):
        best = int(np.argmax(np.where(open_rows, worth * (distance + 1e-6), -1.0)))
        open_rows[best] = False
        chosen.append(best)
        distance = np.minimum(distance, np.clip(1.0 - rows @ rows[best], 0.0, 2.0))
    return chosen


def distance_to(rows: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float32]:
    """`1 - cosine` of each row (N, D) to the nearest of `known` (M, D); 1 where M is 0."""
    nearest = np.ones(len(rows), dtype=np.float32)
    if len(known):
        for start in range(0, len(rows), _CHUNK):
            part = rows[start : start + _CHUNK]
            nearest[start : start + _CHUNK] = np.clip(1.0 - (part @ known.T).max(axis=1), 0.0, 2.0)
    return nearest


def _leaders(rows: NDArray[np.float32], threshold: float) -> NDArray[np.intp]:
    """`near_duplicates`, every pair compared, at most `_CHUNK` rows at a time."""
    n, width = rows.shape
    kept_by = np.arange(n)
    leaders = np.empty((n, width), dtype=np.float32)
    numbers = np.empty(n, dtype=np.intp)
    count = 0
    for start in range(0, n, _CHUNK):
        chunk = np.arange(start, min(start + _CHUNK, n))
        if count:
            similar = rows[chunk] @ leaders[:count].T  # (chunk, count)
            best = similar.argmax(axis=1)
            found = similar[np.arange(len(chunk)), best] > threshold
            kept_by[chunk[found]] = numbers[best[found]]
            chunk = chunk[~found]
        _leaders_within(rows[chunk], chunk, threshold, kept_by)
        fresh = chunk[kept_by[chunk] == chunk]
        leaders[count : count + len(fresh)] = rows[fresh]
        numbers[count : count + len(fresh)] = fresh
        count += len(fresh)
    return kept_by


def _leaders_within(
    rows: NDArray[np.float32], names: NDArray[np.intp], threshold: float, kept_by: NDArray[np.intp]
) -> None:
    """Compares the rows of one chunk with one another; writes into `kept_by`."""
    hits = np.flatnonzero(rows @ rows.T > threshold)
    first, second = np.divmod(hits, max(len(rows), 1))
    earlier = first < second
    for a, b in zip(names[first[earlier]], names[second[earlier]], strict=True):
        if kept_by[a] == a and kept_by[b] == b:
            kept_by[b] = a


def _blocks(rows: NDArray[np.float32], rng: np.random.Generator) -> list[NDArray[np.intp]]:
    """Ascending row numbers per pivot; each row is with its nearest pivots."""
    n = len(rows)
    pivots = rows[rng.choice(n, size=n // _BLOCK, replace=False)]
    near = np.empty((n, _PIVOTS_PER_ROW), dtype=np.intp)
    for start in range(0, n, _CHUNK):
        similar = rows[start : start + _CHUNK] @ pivots.T
        near[start : start + _CHUNK] = np.argpartition(similar, -_PIVOTS_PER_ROW, axis=1)[
            :, -_PIVOTS_PER_ROW:
        ]
    flat = near.ravel()
    order = np.argsort(flat, kind="stable")
    ends = np.searchsorted(flat[order], np.arange(1, len(pivots)))
    return [part // _PIVOTS_PER_ROW for part in np.split(order, ends)]


def _roots(kept_by: NDArray[np.intp]) -> NDArray[np.intp]:
    while True:
        further = kept_by[kept_by]
        if np.array_equal(further, kept_by):
            return kept_by
        kept_by = further
