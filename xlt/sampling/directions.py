"""Directions of sentence vectors, and texts that say the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CHUNK = 512


def unit(vectors: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of (N, D) scaled to length 1; rows of zeros stay so."""
    rows = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Directions:
    """Directions of texts from the centre of their language; computed where they are asked for.

    Many encoders put all texts of a language into a narrow cone, where any two of them would be
    near-duplicates, and no text would be near one of another language.

    Attributes:
        vectors: (N, D) sentence vectors.
        number: (N,) the language of each.
        centres: (L, D) as of `centres`.
    """

    vectors: NDArray[np.floating]
    number: NDArray[np.intp]
    centres: NDArray[np.float32]

    def of(self, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """(K, D) of length 1 for some of the rows; a text at its centre stays all zeros."""
        return unit(unit(self.vectors[rows]) - self.centres[self.number[rows]])


def centres(
    parts: Sequence[tuple[NDArray[np.floating], NDArray[np.intp]]], languages: int
) -> NDArray[np.float32]:
    """Mean directions of languages, (L, D), over all the (vectors, languages) given.

    The mean is taken as if one text more stood at the origin: then copies of one text, or a single
    one, keep their direction. Memory is that of a block of rows.
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
    """For each row the row that stands for it: itself, or an earlier one that says the same.

    A row is dropped if its cosine with an earlier row that was kept exceeds `threshold`. Time grows
    with the square of the rows, memory linearly.

    Args:
        rows: (N, D) of length 1, the ones to keep first.
        threshold: Cosine in (0, 1]; 1 finds nothing.

    Returns:
        (N,) indices i with result[i] <= i and result[result[i]] == result[i].
    """
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
