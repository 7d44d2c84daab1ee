"""Trees of paths: credit by networkx and scikit-learn, expected credit by sums over all answers."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score

from tests.xlt.tasks.samples import FEW, MANY
from tests.xlt.tasks.trees import (
    ALL_NODES,
    LEAVES,
    ROOT,
    TREES,
    all_answers,
    answers_of,
    chances,
    graph_of,
    mean_credit,
    selected,
)
from xlt.errors import DataError
from xlt.tasks.trees import (
    best_sets,
    credits_of,
    f1,
    nodes_of,
    numbers,
    outermost,
    raised,
    tree_of,
)

PROBABILITIES = arrays(np.float64, (1, len(ALL_NODES)), elements=st.floats(0, 1))


@pytest.mark.parametrize("paths", TREES)
def test_a_tree_has_the_nodes_and_edges_of_its_paths(paths):
    """Each node after the one above it; a path selects its ancestors and itself."""
    tree, graph = tree_of(paths), graph_of(paths)
    assert set(tree.nodes) == set(graph) - {ROOT}
    for row, node in enumerate(tree.nodes):
        [above] = graph.predecessors(node)
        parent = tree.parents[row]
        assert (ROOT if parent < 0 else tree.nodes[parent]) == above
        assert parent < row
    for row, path in enumerate(paths):
        assert tree.nodes[tree.ends[row]] == path
        own = {tree.nodes[n] for n in np.flatnonzero(tree.selected[row])}
        assert own == (networkx.ancestors(graph, path) | {path}) - {ROOT}
    assert {n for n, ends in zip(tree.nodes, tree.can_end, strict=True) if ends} == set(paths)


@MANY
@given(st.data())
def test_credit_is_the_f1_of_the_selected_nodes(data):
    """As scikit-learn has it, on the nodes that networkx finds; equal and empty answers earn 1."""
    paths = data.draw(st.sampled_from(TREES))
    one, two = data.draw(answers_of(paths)), data.draw(answers_of(paths))
    graph = graph_of(paths)
    rows = [[node in selected(answer, graph) for node in graph] for answer in (one, two)]
    expected = f1_score(*rows, zero_division=1.0) if any(map(any, rows)) else 1.0

    assert f1(one, two) == pytest.approx(expected)
    assert f1(two, one) == f1(one, two)
    assert (f1(one, two) == 1) == (one == two)


def test_credit_of_two_paths_is_by_their_common_start():
    """Worked by hand: twice the common length, over the sum of both lengths."""
    assert f1([("a", "b", "c")], [("a", "b", "d")]) == pytest.approx(2 * 2 / 6)
    assert f1([("a",)], [("a", "b", "c")]) == pytest.approx(2 * 1 / 4)
    assert f1([("a", "b")], [("c", "b")]) == 0
    assert f1([("a", "b"), ("c",)], [("a", "d")]) == pytest.approx(2 * 1 / 5)


@pytest.mark.parametrize("paths", TREES)
def test_the_table_of_credits_is_that_of_single_paths(paths):
    """Every path against every other one."""
    expected = [[f1([one], [two]) for two in paths] for one in paths]
    assert credits_of(paths) == pytest.approx(np.array(expected))


@MANY
@given(st.lists(st.sampled_from(ALL_NODES)))
def test_paths_that_lead_on_are_left_out(paths):
    """What remains selects the same nodes, and none of it is an ancestor of the rest."""
    outer, graph = outermost(paths), graph_of(ALL_NODES)
    assert set(nodes_of(outer)) == selected(paths, graph)
    assert not any(one in networkx.ancestors(graph, two) for one in outer for two in outer)
    assert len(set(outer)) == len(outer)


@MANY
@given(PROBABILITIES)
def test_no_node_is_less_probable_than_one_below_it(p):
    """Each is raised to the largest of those below, and no further."""
    found, graph = raised(p, tree_of(ALL_NODES))[0], graph_of(ALL_NODES)
    for row, path in enumerate(ALL_NODES):
        below = networkx.descendants(graph, path) | {path}
        assert found[row] == max(p[0, ALL_NODES.index(node)] for node in below)


@MANY
@given(st.data())
def test_expected_credit_is_the_mean_over_all_answers(data):
    """Of the answer that is found, whatever the tree and the probabilities."""
    paths = data.draw(st.sampled_from(TREES))
    tree = tree_of(paths)
    p = raised(data.draw(arrays(np.float64, (1, len(paths)), elements=st.floats(0, 1))), tree)
    [answer], [expected] = best_sets(p, tree, None)
    outcomes = chances(p[0], paths)

    assert sum(chance for _, chance in outcomes) == pytest.approx(1.0)
    assert expected == pytest.approx(mean_credit(answer, outcomes, graph_of(paths)), abs=1e-9)


@FEW
@given(PROBABILITIES)
def test_no_answer_is_expected_to_earn_more_if_every_node_can_be_chosen(p):
    """Against all answers that there are."""
    tree, graph = tree_of(ALL_NODES), graph_of(ALL_NODES)
    [_], [expected] = best_sets(raised(p, tree), tree, None)
    outcomes = chances(raised(p, tree)[0], ALL_NODES)
    best = max(mean_credit(answer, outcomes, graph) for answer in all_answers(ALL_NODES))

    assert expected >= best - 1e-9


@FEW
@given(arrays(np.float64, (1, len(LEAVES)), elements=st.floats(0, 1)))
def test_little_is_lost_if_only_leaves_can_be_chosen(p):
    """The ends that are worth most are compared, not all sets of them."""
    tree, graph = tree_of(LEAVES), graph_of(LEAVES)
    [_], [expected] = best_sets(p, tree, None)
    outcomes = chances(p[0], LEAVES)
    best = max(mean_credit(answer, outcomes, graph) for answer in all_answers(LEAVES))

    assert best - 0.05 <= expected <= best + 1e-9


@FEW
@given(PROBABILITIES, st.integers(1, 3))
def test_an_answer_has_at_most_so_many_paths(p, most):
    """As many as Label Studio lets annotators choose."""
    tree = tree_of(ALL_NODES)
    [answer], [expected] = best_sets(raised(p, tree), tree, most)
    outcomes = chances(raised(p, tree)[0], ALL_NODES)

    assert len(answer) <= most
    assert expected == pytest.approx(mean_credit(answer, outcomes, graph_of(ALL_NODES)), abs=1e-9)


def test_many_nodes_and_many_examples_are_computed_in_parts():
    """The same as one by one; answers with more nodes than points are near enough."""
    paths = tuple((f"branch {n % 7}", f"leaf {n}") for n in range(60))
    tree = tree_of(paths)
    p = np.random.default_rng(0).random((700, 60)) ** 8
    answers, expected = best_sets(p, tree, None)
    alone = [best_sets(p[row : row + 1], tree, None) for row in (0, 350, 699)]

    assert [found for [found], _ in alone] == [answers[row] for row in (0, 350, 699)]
    assert [e for _, [e] in alone] == pytest.approx([expected[row] for row in (0, 350, 699)])
    everything = np.ones((1, 60))
    assert best_sets(everything, tree, None)[1] == pytest.approx([1.0])


def test_a_path_of_another_tree_is_refused():
    """By a line that names it."""
    with pytest.raises(DataError, match="unknown path \\['Sport', 'Chess'\\]"):
        numbers([("Sport", "Chess")], tree_of(ALL_NODES))
