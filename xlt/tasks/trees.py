"""Trees of paths, and the expected hierarchical F1 of answers that are sets of paths.

A set of paths selects nodes: those at the ends of the paths and all nodes above them. The credit of
two sets is the F1 of the nodes that they select (Kiritchenko, Matwin, Nock, Famili 2006).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError

#: Names from a root of a tree to a node, both included.
Path = tuple[str, ...]
#: An answer: paths in the order of the tree, none of which leads on to another.
Paths = tuple[Path, ...]

Matrix = NDArray[np.float64]

#: Most points of the quadrature; expected credit is exact in trees of up to this number of nodes.
_MOST_POINTS = 32
#: Expected credit that is no difference.
_NOISE = 1e-12
#: Trees that are kept.
_TREES = 8
#: Numbers in one array of an intermediate result.
_CHUNK = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tree:
    """The tree that paths make.

    Attributes:
        paths: The W paths that can be part of an answer.
        nodes: The M nodes on them, each after the one above it.
        parents: (M,) rows of the nodes above; -1 for roots.
        ends: (W,) rows of the nodes at the ends of `paths`.
        selected: (W, M) True for the nodes that each path selects.
        places: Path -> its place in `paths`.
    """

    paths: Paths
    nodes: Paths
    parents: NDArray[np.intp]
    ends: NDArray[np.intp]
    selected: NDArray[np.bool_]
    places: Mapping[Path, int]

    @property
    def can_end(self) -> NDArray[np.bool_]:
        """Returns (M,) True for the nodes at which a path of an answer can end."""
        found = np.zeros(len(self.nodes), dtype=bool)
        found[self.ends] = True
        return found


def nodes_of(paths: Iterable[Path]) -> list[Path]:
    """Returns the nodes that paths select, each after the one above it."""
    starts = (path[:length] for path in paths for length in range(1, len(path) + 1))
    return list(dict.fromkeys(starts))


def outermost(paths: Iterable[Path]) -> Paths:
    """Returns the paths without those that lead on to another one, and each once."""
    different = list(dict.fromkeys(paths))
    inner = {node for path in different for node in nodes_of([path])[:-1]}
    return tuple(path for path in different if path not in inner)


@lru_cache(maxsize=_TREES)
def tree_of(paths: Paths) -> Tree:
    """Returns the tree of different paths."""
    nodes = nodes_of(paths)
    row = {node: number for number, node in enumerate(nodes)}
    selected = np.zeros((len(paths), len(nodes)), dtype=bool)
    for number, path in enumerate(paths):
        selected[number, [row[node] for node in nodes_of([path])]] = True
    return Tree(
        paths=paths,
        nodes=tuple(nodes),
        parents=np.array([row.get(node[:-1], -1) for node in nodes], dtype=np.intp),
        ends=np.array([row[path] for path in paths], dtype=np.intp),
        selected=selected,
        places={path: number for number, path in enumerate(paths)},
    )


def f1(one: Iterable[Path], two: Iterable[Path]) -> float:
    """Returns the hierarchical F1 of two sets of paths, in [0, 1]; 1 if both are empty."""
    first, second = set(nodes_of(one)), set(nodes_of(two))
    total = len(first) + len(second)
    return 2 * len(first & second) / total if total else 1.0


@lru_cache(maxsize=_TREES)
def credits_of(paths: Paths) -> Matrix:
    """Returns the credit (W, W) of every path against every other one."""
    selected = tree_of(paths).selected.astype(np.float64)
    depths = selected.sum(axis=1)
    return np.asarray(2 * (selected @ selected.T) / (depths[:, None] + depths))


def numbers(paths: Sequence[Path], tree: Tree) -> NDArray[np.intp]:
    """Returns the places (N,) of paths in `tree.paths`.

    Raises:
        DataError: If one is not among them.
    """
    for path in paths:
        if path not in tree.places:
            raise DataError(f"unknown path {list(path)}; paths: {list(map(list, tree.paths))}")
    return np.array([tree.places[path] for path in paths], dtype=np.intp)


def raised(p: Matrix, tree: Tree) -> Matrix:
    """Returns probabilities (N, W) of ends, each at least that of every end below it."""
    above = tree.selected[:, tree.ends]  # (W, W): the end of column j is on path i
    return np.asarray(np.stack([p[:, above[:, j]].max(axis=1) for j in range(p.shape[1])], axis=1))


def best_sets(p: Matrix, tree: Tree, most: int | None) -> tuple[list[Paths], Matrix]:
    """Returns a set of paths with much expected credit for each of N examples.

    Answers are drawn from the roots to the leaves: below a selected node, each node is selected
    independently of its siblings, with the probabilities in `p`. A node at which no path can end is
    selected together with a node below it. For every k, the k ends that are worth most are
    compared. If a path can end at every node, no other set has more expected credit: a node is
    never worth more than the one above it.

    Args:
        p: (N, W) probabilities that the ends of the paths are selected, as `raised` returns them.
        tree: The tree.
        most: Most paths of an answer; None for any number.

    Returns:
        The answers, and their expected credit (N,).
    """
    rows = max(1, _CHUNK // (len(tree.nodes) * len(_quadrature(tree)[0])))
    answers: list[Paths] = []
    expected = np.zeros(len(p))
    for start in range(0, len(p), rows):
        part = slice(start, start + rows)
        chosen, expected[part] = _best_ends(p[part], tree, most)
        answers += [outermost(tree.paths[end] for end in np.flatnonzero(row)) for row in chosen]
    return answers, expected


def _best_ends(p: Matrix, tree: Tree, most: int | None) -> tuple[NDArray[np.bool_], Matrix]:
    """Returns the ends (N, W) of the best sets, and their expected credit (N,)."""
    x, weights = _quadrature(tree)
    best, gains = _generating(p, tree, x)  # (N,) of the empty answer, (N, M, J)
    size = gains[:, :, -1].sum(axis=1)  # (N,) the mean: the last point is x = 1
    chosen = np.zeros(p.shape, dtype=bool)
    for count in range(1, p.shape[1] + 1):
        # No answer of this number of nodes can have more credit than this in the mean.
        rows = np.flatnonzero(2 * size / (count + size) > best + _NOISE)
        if not len(rows):
            break
        # E[2 / (count + size)] of a node is the integral of 2 x^(count - 1) E[x^size].
        worth = 2 * gains[rows][:, tree.ends] @ (weights * x ** (count - 1))  # (R, W)
        top = np.argsort(-_decreasing(worth, tree), axis=1, kind="stable")[:, :count]
        taken = np.zeros(worth.shape, dtype=bool)
        np.put_along_axis(taken, top, True, axis=1)
        nodes = taken @ tree.selected  # (R, M)
        powers = weights * x ** (nodes.sum(axis=1, keepdims=True) - 1)  # (R, J)
        value = 2 * (np.einsum("nm,nmj->nj", nodes.astype(float), gains[rows]) * powers).sum(axis=1)
        if most is not None:
            value[_outer_ends(taken, tree) > most] = -1.0
        better = value > best[rows] + _NOISE
        best[rows[better]], chosen[rows[better]] = value[better], taken[better]
    return chosen, np.minimum(best, 1.0)


def _generating(p: Matrix, tree: Tree, x: Matrix) -> tuple[Matrix, NDArray[np.float64]]:
    """Returns P(nothing is selected) (N,), and E[x^size, if the node is selected] (N, M, J).

    `size` is the number of all selected nodes. Both come from generating functions of subtrees:
    bottom up for what is below a node, top down for everything else.
    """
    n, size = len(p), len(tree.nodes)
    chance = _conditional(p, tree)  # (N, M), 1 for a node at which no path can end
    below: list[list[int]] = [[] for _ in range(size + 1)]  # the last one: above the roots
    for node, parent in enumerate(tree.parents.tolist()):
        below[parent].append(node)
    none = np.ones((n, size + 1))
    total, inside = np.ones((n, size, len(x))), np.empty((n, size, len(x)))
    for node in range(size - 1, -1, -1):
        under = total[:, below[node]].prod(axis=1)  # (N, J)
        nothing = none[:, below[node]].prod(axis=1)  # (N,)
        if tree.can_end[node]:
            none[:, node], inside[:, node] = 1 - chance[:, node], chance[:, node, None] * x * under
        else:
            none[:, node], inside[:, node] = nothing, x * (under - nothing[:, None])
        total[:, node] = none[:, node, None] + inside[:, node]
    outside = np.ones((n, size + 1, len(x)))
    for node in range(-1, size):
        here = outside[:, node] if node < 0 else outside[:, node] * chance[:, node, None] * x
        siblings = total[:, below[node]]  # (N, S, J)
        for place, child in enumerate(below[node]):
            outside[:, child] = here * np.delete(siblings, place, axis=1).prod(axis=1)
    return none[:, below[-1]].prod(axis=1), inside * outside[:, :size]


def _conditional(p: Matrix, tree: Tree) -> Matrix:
    """Returns the probability (N, M) of each node if the nearest end above it is selected."""
    chance = np.ones((len(p), len(tree.nodes)))
    own = np.ones((len(p), len(tree.nodes) + 1))  # of the nearest end at or above a node
    column = dict(zip(tree.ends.tolist(), range(len(tree.ends)), strict=True))
    for node, parent in enumerate(tree.parents.tolist()):
        own[:, node] = above = own[:, parent]
        if node in column:
            own[:, node] = p[:, column[node]]
            ratio = own[:, node] / np.where(above > 0, above, 1.0)
            chance[:, node] = np.where(above > 0, np.minimum(ratio, 1.0), 0.0)
    return chance


def _decreasing(worth: Matrix, tree: Tree) -> Matrix:
    """Returns (N, W) without rounding errors by which an end is worth more than one above it."""
    least = worth.copy()
    for end in np.argsort(tree.selected.sum(axis=1), kind="stable"):
        above = tree.selected[end, tree.ends]
        least[:, end] = least[:, above].min(axis=1)
    return least


def _outer_ends(taken: NDArray[np.bool_], tree: Tree) -> NDArray[np.intp]:
    """Returns the number (N,) of taken ends with no other taken end below them."""
    above = tree.selected[:, tree.ends] & ~np.eye(len(tree.ends), dtype=bool)
    inner = taken.astype(int) @ above > 0
    return np.asarray((taken & ~inner).sum(axis=1))


def _quadrature(tree: Tree) -> tuple[Matrix, Matrix]:
    """Returns points and weights of Gauss-Legendre on [0, 1], (J,) each.

    They are exact for sizes of two answers up to `_MOST_POINTS`. The last point is 1, of weight 0.
    """
    points, weights = np.polynomial.legendre.leggauss(min(len(tree.nodes), _MOST_POINTS))
    return np.append((points + 1) / 2, 1.0), np.append(weights / 2, 0.0)
