"""An order for texts of which nothing is labelled yet: the middles of different clusters first.

TypiClust (Hacohen, Dekel and Weinshall 2022): with few labels, typical examples teach more than
uncertain ones. As many clusters as labels are there or asked for; clusters without a label come
first, larger before smaller; within one, the densest text comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_CLUSTERS = 500
_FIT_ROWS = 5_000
_DENSITY_ROWS = 500
_NEIGHBOURS = 20


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Typical:
    """An order by typicality.

    Attributes:
        order: (N,) all rows, the ones to label first first.
        cluster_size: (N,) how many texts the row's cluster has, by row.
    """

    order: NDArray[np.intp]
    cluster_size: NDArray[np.intp]


def by_typicality(
    rows: NDArray[np.float32],
    count: int,
    labelled: NDArray[np.float32],
    rng: np.random.Generator,
) -> Typical:
    """Orders rows so that each beginning of the order covers the rows well.

    Args:
        rows: (N, D) of length 1, without near-duplicates.
        count: How many of them are wanted now.
        labelled: (M, D) of length 1, what has a label already.
        rng: Seeds the clustering.
    """
    if not len(rows):
        empty = np.empty(0, dtype=np.intp)
        return Typical(order=empty, cluster_size=empty)
    everything = np.concatenate([rows, labelled])
    cluster = _clusters(everything, max(count, 1) + len(labelled), rng)
    own, theirs = cluster[: len(rows)], cluster[len(rows) :]
    k = int(cluster.max()) + 1
    sizes = np.bincount(own, minlength=k)
    covered = np.bincount(theirs, minlength=k)
    queue = np.lexsort((-sizes, covered))  # clusters: fewest labels, then largest
    place = np.empty(k, dtype=np.intp)
    place[queue] = np.arange(k)
    rank = np.empty(len(rows), dtype=np.intp)  # 0 is the densest of its cluster
    for number in np.flatnonzero(sizes):
        members = np.flatnonzero(own == number)
        dense = np.argsort(-_density(rows[members], rng), kind="stable")
        rank[members[dense]] = np.arange(len(members))
    turn = rank + covered[own]  # a cluster with labels waits as many turns
    return Typical(order=np.lexsort((place[own], turn)), cluster_size=sizes[own])


def _clusters(rows: NDArray[np.float32], k: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """k-means on a sample; (N,) numbers of the nearest centre."""
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]  # no stubs

    sample = rows
    if len(rows) > _FIT_ROWS:
        sample = rows[np.sort(rng.choice(len(rows), size=_FIT_ROWS, replace=False))]
    distinct = len(np.unique(sample @ rng.standard_normal(rows.shape[1]).astype(np.float32)))
    k = min(k, _MAX_CLUSTERS, distinct)
    seed = int(rng.integers(2**31))
    means = KMeans(n_clusters=k, n_init=1, max_iter=30, random_state=seed).fit(sample)
    return np.asarray(means.predict(rows), dtype=np.intp)


def _density(rows: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """`1 / mean distance` to the nearest neighbours; of large clusters, in a sample."""
    n = len(rows)
    if n < 2:
        return np.ones(n, dtype=np.float32)
    sample = rows
    if n > _DENSITY_ROWS:
        sample = rows[rng.choice(n, size=_DENSITY_ROWS, replace=False)]
    k = min(_NEIGHBOURS + 1, len(sample))  # the row itself is among them
    nearest = np.partition(rows @ sample.T, -k, axis=1)[:, -k:]
    distance = np.sqrt(np.clip(2.0 - 2.0 * nearest, 0.0, None)).mean(axis=1)
    return np.asarray(1.0 / (distance + 1e-6), dtype=np.float32)
