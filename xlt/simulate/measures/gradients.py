"""BADGE: a batch with large and different gradients, from probabilities and vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def badge(
    probabilities: NDArray[np.floating],
    vectors: NDArray[np.floating],
    count: int,
    rng: np.random.Generator,
) -> NDArray[np.intp]:
    """Selects rows by k-means++ on the gradients of the last layer (Ash et al. 2020).

    The gradient for the model's own prediction is `g = (p - onehot(argmax p)) (x) h`. The first row
    has the longest gradient. Each further row is drawn with a chance that grows with its squared
    distance to the nearest selected gradient. `squared_distances` needs no (N, C D) matrix.

    Args:
        probabilities: (N, C).
        vectors: (N, D).
        count: Number of rows, at most N.
        rng: Draws.

    Returns:
        Distinct row numbers.
    """
    errors, h = pseudo_errors(probabilities), np.asarray(vectors, dtype=np.float64)
    lengths = (errors**2).sum(axis=1) * (h**2).sum(axis=1)
    open_rows = np.ones(len(lengths), dtype=bool)
    weight = lengths
    chosen: list[int] = []
    for _ in range(min(count, len(lengths))):
        if not chosen:
            best = int(np.argmax(weight))
        else:
            chance = np.where(open_rows, weight, 0.0)
            if chance.sum() <= 0:  # only copies of selected rows are left
                chance = open_rows.astype(np.float64)
            best = int(rng.choice(len(chance), p=chance / chance.sum()))
        distance = squared_distances(errors, h, lengths, best)
        weight = distance if not chosen else np.minimum(weight, distance)
        open_rows[best] = False
        chosen.append(best)
    return np.array(chosen, dtype=np.intp)


def pseudo_errors(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Returns `p - onehot(argmax p)` per row, (N, C)."""
    errors = np.array(probabilities, dtype=np.float64)
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
    return errors


def squared_distances(
    errors: NDArray[np.float64],
    vectors: NDArray[np.float64],
    lengths: NDArray[np.float64],
    row: int,
) -> NDArray[np.float64]:
    """Returns `|g_i - g_row|^2` for all i, (N,).

    Computed as `|g_i|^2 + |g_row|^2 - 2 (a_i . a_row)(h_i . h_row)`.

    Args:
        errors: (N, C), the a of g = a (x) h.
        vectors: (N, D), the h.
        lengths: (N,) of `|g|^2`.
        row: Number of the row.
    """
    shared = (errors @ errors[row]) * (vectors @ vectors[row])
    return np.asarray(np.clip(lengths + lengths[row] - 2.0 * shared, 0.0, None))
