"""Directions of sentence vectors, and near-duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Scales the rows of (N, D) to length 1; rows of zeros stay zero."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directions:
    """Directions of texts from the centre of their language, computed on demand.

    Many encoders put all texts of a language into a narrow cone. Without centring, any two of them
    would be near-duplicates, and no text would be near one of another language.

    Attributes:
        vectors: (N, D) sentence vectors.
        number: (N,) the language of each.
        centres: (L, D) as `centres` returns them.
    """

    vectors: NDArray[np.floating]
    number: NDArray[np.intp]
    centres: NDArray[np.float32]

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """Returns directions (K, D) of length 1 of some rows; a text at its centre has zeros."""
        return unit(unit(self.vectors[rows]) - self.centres[self.number[rows]])


def centres(
    parts: Sequence[tuple[NDArray[np.floating], NDArray[np.intp]]], languages: int
) -> NDArray[np.float32]:
    """Returns mean directions of languages, (L, D), over all the given (vectors, languages).

    The mean includes one more text at the origin, so that copies of one text, or a single text,
    keep their direction. Memory use is one block of rows.
    """
    width = parts[0][0].shape[1]
    total = np.zeros((languages, width))
    count = np.ones(languages)
    for vectors, number in parts:
        for start in range(0, len(number), _CHUNK):
            part = slice(start, start + _CHUNK)
            of_language = number[part] == np.arange(languages)[:, None]  # (L, chunk)
            total += of_language.astype(np.float32) @ unit(vectors[part])
        count += np.bincount(number, minlength=languages)
    return np.asarray(total / count[:, None], dtype=np.float32)


def near_duplicates(rows: NDArray[np.float32], threshold: float) -> NDArray[np.intp]:
    """Returns, for each row, its first near-duplicate: an earlier row, or the row itself.

    A row is a near-duplicate if its cosine with an earlier row that is none exceeds `threshold`.
    Time grows with the square of the number of rows, memory linearly.

    Args:
        rows: (N, D) of length 1, preferred ones first.
        threshold: Cosine in (0, 1]; 1 finds nothing.

    Returns:
        (N,) indices i with result[i] <= i and result[result[i]] == result[i].
    """
    n, width = rows.shape
    first = np.arange(n)
    leaders = np.empty((n, width), dtype=np.float32)
    numbers = np.empty(n, dtype=np.intp)
    count = 0
    for start in range(0, n, _CHUNK):
        chunk = np.arange(start, min(start + _CHUNK, n))
        if count:
            similar = rows[chunk] @ leaders[:count].T  # (chunk, count)
            best = similar.argmax(axis=1)
            is_copy = similar[np.arange(len(chunk)), best] > threshold
            first[chunk[is_copy]] = numbers[best[is_copy]]
            chunk = chunk[~is_copy]
        _compare_within(rows[chunk], chunk, threshold, first)
        fresh = chunk[first[chunk] == chunk]
        leaders[count : count + len(fresh)] = rows[fresh]
        numbers[count : count + len(fresh)] = fresh
        count += len(fresh)
    return first


def _compare_within(
    rows: NDArray[np.float32], names: NDArray[np.intp], threshold: float, first: NDArray[np.intp]
) -> None:
    """Compares the rows of one chunk with one another; writes into `first`."""
    hits = np.flatnonzero(rows @ rows.T > threshold)
    one, other = np.divmod(hits, max(len(rows), 1))
    earlier = one < other
    for a, b in zip(names[one[earlier]], names[other[earlier]], strict=True):
        if first[a] == a and first[b] == b:
            first[b] = a
