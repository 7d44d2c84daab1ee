"""Trees and oracles for the tests of taxonomies: graphs of networkx, and sums over all answers."""

from __future__ import annotations

from itertools import combinations

import networkx
from hypothesis import strategies as st

ROOT = ("the root",)

#: Paths that can be chosen: all nodes of a tree, its leaves alone, leaves and some inner nodes.
ALL_NODES = (
    ("Health",), ("Health", "Diet"), ("Health", "Illness"), ("Health", "Illness", "Malaria"),
    ("Sport",), ("Sport", "Football"), ("Weather",),
)  # fmt: skip
LEAVES = (("Health", "Diet"), ("Health", "Illness", "Malaria"), ("Sport", "Football"), ("Weather",))
SOME = (("Health", "Illness"), ("Health", "Illness", "Malaria"), ("Sport", "Football"), ("Sport",))
TREES = (ALL_NODES, LEAVES, SOME)


def graph_of(paths) -> networkx.DiGraph:
    """The tree with a root above all of it; every edge leads away from the root."""
    graph = networkx.DiGraph()
    for path in paths:
        nodes = [ROOT, *(path[: n + 1] for n in range(len(path)))]
        networkx.add_path(graph, nodes)
    return graph


def selected(answer, graph) -> set:
    """The nodes of an answer and those above them, without the root."""
    above = [networkx.ancestors(graph, path) | {path} for path in answer]
    return set().union(*above) - {ROOT}


def all_answers(paths, most=None) -> list:
    """Every set of paths none of which leads on to another, of at most `most` paths."""
    graph = graph_of(paths)
    sizes = range(len(paths) + 1) if most is None else range(most + 1)
    return [
        chosen
        for size in sizes
        for chosen in combinations(paths, size)
        if not any(one in networkx.ancestors(graph, two) for one in chosen for two in chosen)
    ]


def chances(p, paths) -> list[tuple[frozenset, float]]:
    """All sets of selected nodes with their probabilities.

    Below a selected node, each node is selected or not, independently; `p` are the probabilities of
    the ends of the paths.
    """
    graph, of = graph_of(paths), dict(zip(paths, p, strict=True))

    def nearest(node):
        above = [end for end in networkx.ancestors(graph, node) if end in of]
        return of[max(above, key=len)] if above else 1.0

    found: dict[frozenset, float] = {}
    for answer in all_answers(paths):
        nodes = selected(answer, graph)
        ends = [end for end in of if end in nodes]
        free = [end for end in of if end not in nodes and _is_open(end, nodes, graph, of)]
        chance = 1.0
        for end in [*ends, *free]:
            given = of[end] / nearest(end) if nearest(end) > 0 else 0.0
            chance *= given if end in nodes else 1 - given
        found[frozenset(nodes)] = chance
    return list(found.items())


def _is_open(end, nodes, graph, of) -> bool:
    """Whether it was decided that the end is not selected: all ends above it are."""
    return all(above in nodes for above in networkx.ancestors(graph, end) if above in of)


def mean_credit(answer, outcomes, graph) -> float:
    """The credit that an answer earns in the mean over all sets of selected nodes."""
    own = selected(answer, graph)
    total = 0.0
    for nodes, chance in outcomes:
        size = len(own) + len(nodes)
        total += chance * (2 * len(own & nodes) / size if size else 1.0)
    return total


def answers_of(paths, most=None) -> st.SearchStrategy:
    """Any answer."""
    return st.sampled_from([a for a in all_answers(paths, most) if most != 1 or a])
