"""What the nearest texts say of a text: contrast, density, peculiarity, nearness to a target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512
_TINY = 1e-7


def nearest(
    rows: NDArray[np.floating], others: NDArray[np.floating], k: int, *, skip_self: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The k nearest of `others` to each row, by Euclidean distance, the nearest first.

    Memory is that of the result and a block of rows.

    Args:
        rows: (N, D).
        others: (M, D), M >= 1.
        k: How many; fewer where there are fewer.
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
        found = np.argpartition(gap, k - 1, axis=1)[:, :k]
        at = np.take_along_axis(gap, found, axis=1)
        order = np.argsort(at, axis=1, kind="stable")
        numbers[start : start + _CHUNK] = np.take_along_axis(found, order, axis=1)
        near = np.sqrt(np.clip(np.take_along_axis(at, order, axis=1), 0.0, None))
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
    """CAL: how unlike its nearest labelled texts a text is predicted (Margatina et al. 2021).

    `mean_i KL(p(. | x_i) || p(. | x))` over the k nearest labelled x_i, in nats.

    Args:
        probabilities: (N, C).
        vectors: (N, D).
        labelled_probabilities: (M, C) of the labelled texts.
        labelled_vectors: (M, D).
        k: How many neighbours.

    Returns:
        (N,) >= 0; 0 where nothing is labelled.
    """
    if not len(labelled_vectors):
        return np.zeros(len(vectors))
    p, q = (_clipped(rows) for rows in (labelled_probabilities, probabilities))
    of, _ = nearest(vectors, labelled_vectors, k)
    own = (p * np.log(p)).sum(axis=1)  # (M,)
    cross = np.einsum("nkc,nc->nk", p[of], np.log(q))
    return np.asarray((own[of] - cross).mean(axis=1))


def density(vectors: NDArray[np.floating], *, k: int = 20) -> NDArray[np.float64]:
    """`1 / mean distance` to the k nearest other rows, (N,): how typical a text is.

    The typicality of TypiClust (Hacohen, Dekel and Weinshall 2022); 1 for a row alone.
    """
    if len(vectors) < 2:
        return np.ones(len(vectors))
    _, distances = nearest(vectors, vectors, k, skip_self=True)
    return np.asarray(1.0 / (distances.mean(axis=1) + _TINY))


def peculiarity(
    vectors: NDArray[np.floating], source: NDArray[np.floating], *, k: int = 10
) -> NDArray[np.float64]:
    """Mean distance to the k nearest source texts, (N,) (Kim and Komachi 2023); 0 without any.

    What is far from all that the source says cannot be learnt from it.
    """
    if not len(source):
        return np.zeros(len(vectors))
    return np.asarray(nearest(vectors, source, k)[1].mean(axis=1))


def near_targets(
    vectors: NDArray[np.floating], targets: NDArray[np.floating], at_least: int
) -> NDArray[np.intp]:
    """The candidates of DeMuX: rows that are among the nearest of some target text.

    k is doubled until the union of the targets' k nearest rows has `at_least` of them (Khanuja et
    al. 2023); the most uncertain of the candidates are then labelled.

    Args:
        vectors: (N, D) of what can be labelled.
        targets: (T, D), T >= 1.
        at_least: How many candidates are wanted; all rows where there are not so many.

    Returns:
        Ascending row numbers.
    """
    k = 1
    while True:
        found = np.unique(nearest(targets, vectors, k)[0])
        if len(found) >= min(at_least, len(vectors)) or k >= len(vectors):
            return found
        k *= 2


def _clipped(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    p = np.clip(np.asarray(probabilities, dtype=np.float64), _TINY, 1.0)
    return np.asarray(p / p.sum(axis=1, keepdims=True))
