"""Measures from nearest texts: contrast, density, peculiarity, nearness to a target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512
_TINY = 1e-7


def nearest(
    rows: NDArray[np.floating], others: NDArray[np.floating], k: int, *, skip_self: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Finds the k nearest of `others` to each row, by Euclidean distance, the nearest first.

    Memory use is the result and one block of rows.

    Args:
        rows: (N, D).
        others: (M, D), M >= 1.
        k: Number of neighbours; all if there are fewer.
        skip_self: `others` are the rows themselves, and a row is not its own neighbour.

    Returns:
        Row numbers of `others` (N, k) and distances (N, k).
    """
    k = min(k, len(others) - skip_self)
    numbers = np.empty((len(rows), k), dtype=np.intp)
    distances = np.empty((len(rows), k))
    squares = (np.asarray(others, dtype=np.float64) ** 2).sum(axis=1)
    for start in range(0, len(rows) if k else 0, _CHUNK):
        part = np.asarray(rows[start : start + _CHUNK], dtype=np.float64)
        gap = (part**2).sum(axis=1)[:, None] + squares - 2.0 * (part @ others.T)
        if skip_self:
            gap[np.arange(len(part)), start + np.arange(len(part))] = np.inf
        closest = np.argpartition(gap, k - 1, axis=1)[:, :k]
        squared = np.take_along_axis(gap, closest, axis=1)
        order = np.argsort(squared, axis=1, kind="stable")
        numbers[start : start + _CHUNK] = np.take_along_axis(closest, order, axis=1)
        near = np.sqrt(np.clip(np.take_along_axis(squared, order, axis=1), 0.0, None))
        distances[start : start + _CHUNK] = near
    return numbers, distances


def contrast(
    probabilities: NDArray[np.floating],
    vectors: NDArray[np.floating],
    labelled_probabilities: NDArray[np.floating],
    labelled_vectors: NDArray[np.floating],
    *,
    k: int = 10,
) -> NDArray[np.float64]:
    """Contrasts each text's prediction with its nearest labelled texts' (Margatina et al. 2021).

    CAL: `mean_i KL(p(. | x_i) || p(. | x))` over the k nearest labelled x_i, in nats.

    Args:
        probabilities: (N, C).
        vectors: (N, D).
        labelled_probabilities: (M, C) of the labelled texts.
        labelled_vectors: (M, D).
        k: Number of neighbours.

    Returns:
        (N,) >= 0; 0 if M is 0.
    """
    if not len(labelled_vectors):
        return np.zeros(len(vectors))
    p, q = (_clipped(rows) for rows in (labelled_probabilities, probabilities))
    near, _ = nearest(vectors, labelled_vectors, k)
    own = (p * np.log(p)).sum(axis=1)  # (M,)
    cross = np.einsum("nkc,nc->nk", p[near], np.log(q))
    return np.asarray((own[near] - cross).mean(axis=1))


def density(vectors: NDArray[np.floating], *, k: int = 20) -> NDArray[np.float64]:
    """Returns `1 / mean distance` to the k nearest other rows, (N,); 1 for a single row.

    This is the typicality of TypiClust (Hacohen, Dekel and Weinshall 2022).
    """
    if len(vectors) < 2:
        return np.ones(len(vectors))
    _, distances = nearest(vectors, vectors, k, skip_self=True)
    return np.asarray(1.0 / (distances.mean(axis=1) + _TINY))


def peculiarity(
    vectors: NDArray[np.floating], source: NDArray[np.floating], *, k: int = 10
) -> NDArray[np.float64]:
    """Returns the mean distance to the k nearest source texts, (N,); 0 without any.

    A model cannot learn a text that is far from all source texts from them (Kim and Komachi 2023).
    """
    if not len(source):
        return np.zeros(len(vectors))
    return np.asarray(nearest(vectors, source, k)[1].mean(axis=1))


def near_targets(
    vectors: NDArray[np.floating], targets: NDArray[np.floating], at_least: int
) -> NDArray[np.intp]:
    """Returns the candidates of DeMuX: rows that are among the nearest of some target text.

    Doubles k until the union of the targets' k nearest rows has `at_least` rows (Khanuja et al.
    2023). DeMuX then labels the most uncertain of the candidates.

    Args:
        vectors: (N, D) of texts that can be labelled.
        targets: (T, D), T >= 1.
        at_least: Number of candidates; all rows if there are fewer.

    Returns:
        Ascending row numbers.
    """
    k = 1
    while True:
        rows = np.unique(nearest(targets, vectors, k)[0])
        if len(rows) >= min(at_least, len(vectors)) or k >= len(vectors):
            return rows
        k *= 2


def _clipped(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probabilities, dtype=np.float64), _TINY, 1.0)
    return np.asarray(p / p.sum(axis=1, keepdims=True))
