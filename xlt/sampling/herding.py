"""A batch that speaks for as many uncertain texts as it can: uncertainty herding.

Every text x covers the texts y near it, by `k(x, y) = exp(-|x - y|^2 / width)`. A batch is chosen
greedily such that `sum_y u(y) max_x k(x, y)` grows most, labelled texts counting as chosen. Where u
is even that is MaxHerding, coverage by typical texts, best while there are few labels; with the
model's doubts for u it is uncertainty herding, and the narrower the kernel becomes as labels come
in, the nearer it is to taking the most uncertain. The y are texts of the target languages alone: a
text in the source language is worth what it says of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512
_REFRESHED = 32
_WIDTH_ROWS = 512
_NARROWEST = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Herd:
    """A batch, in the order of choosing.

    Attributes:
        chosen: (K,) candidate numbers.
        speaks_for: (K,) share of the weighted texts that were not covered before and now are.
    """

    chosen: NDArray[np.intp]
    speaks_for: NDArray[np.float64]


def herd(
    candidates: NDArray[np.float32],
    kinds: NDArray[np.intp],
    room: NDArray[np.intp],
    references: NDArray[np.float32],
    weights: NDArray[np.float64],
    labelled: NDArray[np.float32],
) -> Herd:
    """Chooses `room[l]` of the candidates of each kind l, or all where there are fewer.

    Memory is one (N, R) table of float32; time grows with it, and little with the batch: what a
    candidate adds only falls while others are chosen, so that most need no second look (Minoux).

    Args:
        candidates: (N, D) of length 1, in the order in which equals are chosen.
        kinds: (N,) kinds (languages) from 0 on.
        room: (L,) how many of each kind.
        references: (R, D) of length 1, R >= 1: what is to be covered.
        weights: (R,) >= 0, how much each of them counts.
        labelled: (M, D) of length 1: what covers already.
    """
    left = np.minimum(room, np.bincount(kinds, minlength=len(room)))
    total = int(left.sum())
    width = kernel_width(references, len(labelled) + total)
    reach = _kernel(candidates, references, width)  # (N, R)
    cover = _covered(labelled, references, width)  # (R,)
    weight = (weights / max(float(weights.sum()), 1e-12)).astype(np.float32)
    gain = _gains(reach, cover, weight)
    open_rows = left[kinds] > 0
    chosen: list[int] = []
    speaks_for: list[float] = []
    for _ in range(total):
        best = _best(gain, open_rows, reach, cover, weight)
        chosen.append(best)
        speaks_for.append(float(gain[best]))
        cover = np.maximum(cover, reach[best])
        left[kinds[best]] -= 1
        open_rows[best] = False
        if not left[kinds[best]]:
            open_rows &= kinds != kinds[best]
    return Herd(
        chosen=np.array(chosen, dtype=np.intp), speaks_for=np.array(speaks_for, dtype=np.float64)
    )


def kernel_width(references: NDArray[np.float32], labels: int) -> float:
    """The squared distance within which a text has its share of the references, `R / labels`.

    The median over references; it shrinks as labels come in, so that coverage never saturates.

    Args:
        references: (R, D) of length 1, R >= 1.
        labels: Texts that have a label or are about to get one.
    """
    n = len(references)
    rank = int(np.clip(n // max(labels, 1), 1, max(n - 1, 1)))
    if n < 2:
        return 1.0
    near = -np.partition(-(references[:_WIDTH_ROWS] @ references.T), rank, axis=1)[:, rank]
    return max(float(np.median(2.0 - 2.0 * near)), _NARROWEST)


def _best(
    gain: NDArray[np.float32],
    open_rows: NDArray[np.bool_],
    reach: NDArray[np.float32],
    cover: NDArray[np.float32],
    weight: NDArray[np.float32],
) -> int:
    """The open row that adds most; `gain` holds upper bounds, brought up to date as needed."""
    fresh = np.zeros(len(gain), dtype=bool)
    while True:
        bound = np.where(open_rows, gain, -1.0)
        best = int(np.argmax(bound))
        if fresh[best]:
            return best
        some = min(_REFRESHED, len(bound))
        rows = np.append(np.argpartition(-bound, some - 1)[:some], best)  # equals may crowd it out
        rows = rows[~fresh[rows]]
        gain[rows] = _gains(reach[rows], cover, weight)
        fresh[rows] = True


def _gains(
    reach: NDArray[np.float32], cover: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    found = np.empty(len(reach), dtype=np.float32)
    for start in range(0, len(reach), _CHUNK):
        part = slice(start, start + _CHUNK)
        found[part] = np.maximum(reach[part] - cover, 0.0) @ weight
    return found


def _kernel(
    rows: NDArray[np.float32], references: NDArray[np.float32], width: float
) -> NDArray[np.float32]:
    table = np.empty((len(rows), len(references)), dtype=np.float32)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        cosine = np.minimum(rows[part] @ references.T, 1.0)
        table[part] = np.exp((cosine - 1.0) * np.float32(2.0 / width))
    return table


def _covered(
    labelled: NDArray[np.float32], references: NDArray[np.float32], width: float
) -> NDArray[np.float32]:
    cover = np.zeros(len(references), dtype=np.float32)
    for start in range(0, len(labelled), _CHUNK):
        near = _kernel(labelled[start : start + _CHUNK], references, width)
        cover = np.maximum(cover, near.max(axis=0))
    return cover
