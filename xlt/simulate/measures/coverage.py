"""Batches that cover the pool, from vectors alone: core-set, k-means, TypiClust, ProbCover."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlt.sampling.neighbours import density, nearest

_SMALL_CLUSTER = 5
_DELTAS = np.arange(0.2, 2.2, 0.2)
_CHUNK = 1024


def core_set(
    vectors: NDArray[np.floating], labelled: NDArray[np.floating], count: int
) -> NDArray[np.intp]:
    """Selects each row as the farthest from all selected or labelled rows (Sener, Savarese 2018).

    Args:
        vectors: (N, D).
        labelled: (M, D); if M is 0, the first row is the one farthest from the mean.
        count: Number of rows, at most N.

    Returns:
        Distinct row numbers, in the order of selection.
    """
    x = np.asarray(vectors, dtype=np.float64)
    if not len(x):
        return np.empty(0, dtype=np.intp)
    known = np.asarray(labelled, dtype=np.float64) if len(labelled) else x.mean(axis=0)[None]
    gap = nearest(x, known, 1)[1][:, 0] ** 2
    chosen: list[int] = []
    for _ in range(min(count, len(x))):
        gap[chosen[-1:]] = -1.0
        best = int(np.argmax(gap))
        chosen.append(best)
        gap = np.minimum(gap, ((x - x[best]) ** 2).sum(axis=1))
        gap[chosen] = -1.0
    return np.array(chosen, dtype=np.intp)


def k_means(
    vectors: NDArray[np.floating], count: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Selects the rows nearest to the centres of `count` clusters.

    Embedding k-means (Yuan, Lin and Boyd-Graber 2020, on other vectors).

    Returns:
        (min(count, N),) distinct row numbers.
    """
    x = np.asarray(vectors, dtype=np.float64)
    count = min(count, len(x))
    if not count:
        return np.empty(0, dtype=np.intp)
    from sklearn.cluster import KMeans  # type: ignore[import-untyped]  # no stubs

    seed = int(rng.integers(2**31))
    means = KMeans(n_clusters=count, n_init=1, max_iter=50, random_state=seed).fit(x)
    gap = means.transform(x)  # (N, count)
    chosen: list[int] = []
    for centre in range(count):
        gap[chosen] = np.inf
        chosen.append(int(np.argmin(gap[:, centre])))
    return np.array(chosen, dtype=np.intp)


def typical_of_clusters(
    vectors: NDArray[np.floating],
    clusters: NDArray[np.integer],
    labelled: NDArray[np.bool_],
    count: int,
    *,
    k: int = 20,
    smallest: int = _SMALL_CLUSTER,
) -> NDArray[np.intp]:
    """Selects the densest text of each uncovered cluster, larger clusters first (TypiClust).

    Hacohen, Dekel and Weinshall 2022: clusters with the fewest labels come first, the larger before
    the smaller; those of at most `smallest` texts come last. Of each cluster it takes the row with
    the highest `density` within it; the cluster then has one more label.

    Args:
        vectors: (N, D) of labelled and unlabelled texts.
        clusters: (N,) cluster numbers from 0 on.
        labelled: (N,) True for texts with a label.
        count: Number of rows.
        k: Number of neighbours for the density.
        smallest: Size up to which clusters come last.

    Returns:
        Distinct numbers of unlabelled rows, at most `count`.
    """
    sizes = np.bincount(clusters)
    had = np.bincount(clusters[labelled], minlength=len(sizes))
    orders = {}
    for number in np.flatnonzero(sizes > had):
        members = np.flatnonzero(clusters == number)
        dense = members[np.argsort(-density(vectors[members], k=k), kind="stable")]
        orders[int(number)] = dense[~labelled[dense]].tolist()
    chosen: list[int] = []
    while orders and len(chosen) < count:
        first = min(orders, key=lambda c: (sizes[c] <= smallest, had[c], -sizes[c], c))
        chosen.append(orders[first].pop(0))
        had[first] += 1
        if not orders[first]:
            del orders[first]
    return np.array(chosen, dtype=np.intp)


def prob_cover(
    vectors: NDArray[np.floating], labelled: NDArray[np.bool_], count: int, *, delta: float
) -> NDArray[np.intp]:
    """Selects the rows whose balls cover most uncovered texts (ProbCover, Yehuda et al. 2022).

    Two rows share an edge if they are at most `delta` apart. Edges into texts that labelled or
    selected rows cover do not count. The row with the most other edges is selected.

    Args:
        vectors: (N, D) of labelled and unlabelled texts.
        labelled: (N,) True for texts with a label.
        count: Number of rows.
        delta: Radius, >= 0; see `pure_radius`.

    Returns:
        Distinct numbers of unlabelled rows, at most `count`; the lower number wins a tie.
    """
    edges = _edges(vectors, delta)
    bare = ~edges[labelled].any(axis=0)
    left = ~labelled
    chosen: list[int] = []
    for _ in range(min(count, int(left.sum()))):
        degree = np.where(left, edges[:, bare].sum(axis=1), -1)
        best = int(np.argmax(degree))
        chosen.append(best)
        left[best] = False
        bare &= ~edges[best]
    return np.array(chosen, dtype=np.intp)


def pure_radius(
    vectors: NDArray[np.floating], clusters: NDArray[np.integer], *, purity: float = 0.95
) -> float:
    """Returns the largest radius of 0.2, 0.4 ... 2.0 at which balls are pure, for unit vectors.

    A ball is pure if all its texts are in one cluster (Yehuda et al. 2022; clusters replace the
    unknown classes). `purity` is the share of balls that must be pure.
    """
    best = float(_DELTAS[0])
    other = clusters[:, None] != clusters[None, :]
    for delta in _DELTAS.tolist():
        if 1.0 - (_edges(vectors, delta) & other).any(axis=1).mean() < purity:
            break
        best = delta
    return best


def _edges(vectors: NDArray[np.floating], delta: float) -> NDArray[np.bool_]:
    """Finds the pairs of rows (N, N) that are at most `delta` apart."""
    x = np.asarray(vectors, dtype=np.float64)
    squares = (x**2).sum(axis=1)
    edges = np.empty((len(x), len(x)), dtype=bool)
    for start in range(0, len(x), _CHUNK):
        part = slice(start, start + _CHUNK)
        gap = squares[part, None] + squares - 2.0 * (x[part] @ x.T)
        edges[part] = gap <= delta * delta + 1e-12
    return edges
