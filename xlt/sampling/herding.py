"""Uncertainty herding: greedily selects the batch that covers most of the uncertain texts.

Every text x covers the texts y near it, by `k(x, y) = exp(-|x - y|^2 / width)`. A batch is selected
greedily, so that `sum_y u(y) max_x k(x, y)` grows most; labelled texts count as selected. If u is
constant, this is MaxHerding: coverage by typical texts, best with few labels. If u is the model's
uncertainty, it is uncertainty herding; the narrower the kernel becomes as labels come in, the
closer it is to selecting the most uncertain texts. The y are texts of the target languages only: a
text in the source language counts by the target texts that it covers.
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
    """A batch, in the order of selection.

    Attributes:
        chosen: (K,) candidate numbers.
        coverage: (K,) share of the weighted texts that each candidate covers first.
    """

    chosen: NDArray[np.intp]
    coverage: NDArray[np.float64]


def herd(
    candidates: NDArray[np.float32],
    languages: NDArray[np.intp],
    slots: NDArray[np.intp],
    references: NDArray[np.float32],
    weights: NDArray[np.float64],
    labelled: NDArray[np.float32],
) -> Herd:
    """Selects `slots[l]` candidates of each language l, or all if there are fewer.

    Memory is one (N, R) table of float32. Time grows with it, and little with the batch: what a
    candidate adds only falls as others are selected, so that most are computed once (Minoux).

    Args:
        candidates: (N, D) of length 1, in the order in which equals are selected.
        languages: (N,) numbers of languages from 0 on.
        slots: (L,) slots of each language.
        references: (R, D) of length 1, R >= 1, the texts to cover.
        weights: (R,) >= 0, weights of the references.
        labelled: (M, D) of length 1, texts that count as selected.
    """
    left = np.minimum(slots, np.bincount(languages, minlength=len(slots)))
    total = int(left.sum())
    width = kernel_width(references, len(labelled) + total)
    reach = _kernel(candidates, references, width)  # (N, R)
    cover = _covered(labelled, references, width)  # (R,)
    weight = (weights / max(float(weights.sum()), 1e-12)).astype(np.float32)
    gain = _gains(reach, cover, weight)
    open_rows = left[languages] > 0
    chosen: list[int] = []
    coverage: list[float] = []
    for _ in range(total):
        best = _best(gain, open_rows, reach, cover, weight)
        chosen.append(best)
        coverage.append(float(gain[best]))
        cover = np.maximum(cover, reach[best])
        left[languages[best]] -= 1
        open_rows[best] = False
        if not left[languages[best]]:
            open_rows &= languages != languages[best]
    return Herd(
        chosen=np.array(chosen, dtype=np.intp), coverage=np.array(coverage, dtype=np.float64)
    )


def kernel_width(references: NDArray[np.float32], labels: int) -> float:
    """Returns the squared distance within which a text has its share of references, `R / labels`.

    It is the median over references. It shrinks as labels come in, so that coverage never
    saturates.

    Args:
        references: (R, D) of length 1, R >= 1.
        labels: Number of texts with a label or in the batch.
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
    """Returns the open row that adds most; `gain` holds upper bounds, updated as needed."""
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
    gains = np.empty(len(reach), dtype=np.float32)
    for start in range(0, len(reach), _CHUNK):
        part = slice(start, start + _CHUNK)
        gains[part] = np.maximum(reach[part] - cover, 0.0) @ weight
    return gains


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
