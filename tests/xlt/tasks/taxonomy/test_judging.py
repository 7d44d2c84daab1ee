"""Taxonomies of every form: beliefs, suggestions and measures, against sums over all answers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import FEW, MANY, SEEDS
from tests.xlt.tasks.trees import (
    ALL_NODES,
    LEAVES,
    SOME,
    TREES,
    all_answers,
    answers_of,
    chances,
    graph_of,
    mean_credit,
    selected,
)
from xlt.errors import ConfigError, DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.taxonomy.task import Taxonomy

TASKS = [Taxonomy(paths=paths, most=most) for paths in TREES for most in (1, None)]
SEVERAL = Taxonomy(paths=ALL_NODES, most=None)

of_every_form = pytest.mark.parametrize("task", TASKS, ids=str)


def believed(task: Taxonomy, seed: int, count: int) -> Outputs:
    """Beliefs of a model that has drawn its outputs at random."""
    values = np.random.default_rng(seed).normal(0, 3, (count, task.width))
    return task.beliefs(Outputs(values), ["en"] * count, Calibration())


@of_every_form
@FEW
@given(st.data())
def test_beliefs_that_are_certain_of_an_answer_suggest_it(task, data):
    """With confidence 1 and no uncertainty, and all nodes of the answer at probability 1."""
    chosen = data.draw(st.lists(answers_of(task.paths, task.most), min_size=1, max_size=4))
    beliefs = Outputs(task.targets(chosen))
    suggestions = task.decode(beliefs)
    graph = graph_of(task.paths)

    assert [suggestion.answer for suggestion in suggestions] == chosen
    assert [s.confidence for s in suggestions] == pytest.approx([1.0] * len(chosen))
    for answer, suggestion in zip(chosen, suggestions, strict=True):
        on = {" / ".join(node) for node in selected(answer, graph)}
        assert suggestion.probabilities == {label: label in on for label in task.labels}
    assert task.brier(beliefs, chosen) == pytest.approx(np.zeros(len(chosen)))
    for measure in task.measures:
        found = task.uncertainty(beliefs, measure)
        assert found == pytest.approx(np.zeros(len(chosen)), abs=1e-9)


@of_every_form
def test_nothing_known_is_as_uncertain_as_can_be(task):
    """By every measure; another name is refused."""
    flat = task.beliefs(Outputs(np.zeros((2, task.width))), ["en"] * 2, Calibration())
    for measure in (None, *task.measures):
        assert task.uncertainty(flat, measure) == pytest.approx([1.0, 1.0])
        found = task.uncertainty(believed(task, 1, 50), measure)
        assert ((found >= 0) & (found <= 1)).all()
    with pytest.raises(ConfigError, match="measure must be one of"):
        task.uncertainty(flat, "bald")


@of_every_form
@FEW
@given(SEEDS)
def test_probabilities_fall_from_the_root_to_the_leaves(task, seed):
    """Of one path, that of a node is the sum of those below it, and of an end at it."""
    beliefs = believed(task, seed, 3)
    for suggestion, p in zip(task.decode(beliefs), beliefs.values, strict=True):
        shown = suggestion.probabilities
        for one in task.paths:
            below = [two for two in task.paths if two[: len(one)] == one]
            most = max(shown[" / ".join(two)] for two in below)
            assert shown[" / ".join(one)] >= most - 1e-12
            if task.most == 1:
                whole = sum(p[task.paths.index(two)] for two in below)
                assert shown[" / ".join(one)] == pytest.approx(whole)


@pytest.mark.parametrize("paths", TREES)
@FEW
@given(seed=SEEDS)
def test_no_path_is_expected_to_earn_more_than_the_suggestion(paths, seed):
    """Where one is asked for: against all of them, by the credit itself."""
    task = Taxonomy(paths=paths)
    beliefs = believed(task, seed, 3)
    answers = [(path,) for path in paths]
    for suggestion, p in zip(task.decode(beliefs), beliefs.values, strict=True):
        earned = [float(p @ task.credit(answers, [one] * len(answers))) for one in answers]
        assert suggestion.confidence == pytest.approx(max(earned))
        assert earned[answers.index(suggestion.answer)] == pytest.approx(max(earned))


def test_an_inner_node_is_suggested_if_its_children_are_uncertain():
    """It is right about more than either child; if only leaves can be chosen, it is a leaf."""
    paths = (("A",), ("A", "x"), ("A", "y"), ("A", "z"), ("B",))
    beliefs = Outputs(np.array([[0.0, 0.3, 0.3, 0.3, 0.1], [0.0, 0.8, 0.05, 0.05, 0.1]]))
    unsure, sure = Taxonomy(paths=paths).decode(beliefs)

    assert (unsure.answer, sure.answer) == ((("A",),), (("A", "x"),))
    assert unsure.confidence == pytest.approx(0.9 * 2 / 3)
    leaves = Taxonomy(paths=paths[1:]).decode(Outputs(beliefs.values[:, 1:]))
    assert leaves[0].answer == (("A", "x"),)


def test_confusion_within_a_branch_is_less_uncertain_than_between_branches():
    """The suggestion loses less credit by it; the margin sees no difference."""
    task = Taxonomy(paths=LEAVES)
    within, between = np.array([[0.5, 0.5, 0, 0]]), np.array([[0.5, 0, 0.5, 0]])

    assert task.uncertainty(Outputs(within)) < task.uncertainty(Outputs(between)) - 0.2
    assert task.uncertainty(Outputs(within), "margin") == pytest.approx([1.0])
    assert task.uncertainty(Outputs(between), "margin") == pytest.approx([1.0])


@FEW
@given(SEEDS)
def test_several_paths_are_expected_to_earn_the_most(seed):
    """Against all answers to the tree, if every node can be chosen."""
    beliefs, graph = believed(SEVERAL, seed, 2), graph_of(ALL_NODES)
    for suggestion, p in zip(SEVERAL.decode(beliefs), beliefs.values, strict=True):
        outcomes = chances(p, ALL_NODES)
        best = max(mean_credit(answer, outcomes, graph) for answer in all_answers(ALL_NODES))
        assert suggestion.confidence == pytest.approx(best, abs=1e-9)


@of_every_form
@MANY
@given(st.data())
def test_measures_are_those_of_the_selected_nodes(task, data):
    """Whole answers, roots, and F1 over all nodes of all examples (Kiritchenko et al. 2006)."""
    answer = answers_of(task.paths, task.most)
    pairs = data.draw(st.lists(st.tuples(answer, answer), min_size=1, max_size=6))
    truth, predicted = [a for a, _ in pairs], [b for _, b in pairs]
    graph = graph_of(task.paths)
    nodes = [(selected(a, graph), selected(b, graph)) for a, b in pairs]
    hits, seen = sum(len(a & b) for a, b in nodes), sum(len(a) + len(b) for a, b in nodes)
    first = [{n for n in a if len(n) == 1} == {n for n in b if len(n) == 1} for a, b in nodes]

    assert task.summary(truth, predicted) == pytest.approx(
        {
            "exact": np.mean([a == b for a, b in pairs]),
            "first_level": np.mean(first),
            "micro_f1": 2 * hits / seen if seen else 1.0,
        }
    )
    assert ((task.credit(truth, predicted) == 1) == [a == b for a, b in pairs]).all()


@of_every_form
def test_confidence_is_the_credit_that_is_earned_in_the_mean(task):
    """Answers drawn from the beliefs: calibrated within the error of the mean."""
    beliefs, rng = believed(task, 3, 60), np.random.default_rng(0)
    gaps = []
    for suggestion, p in zip(task.decode(beliefs), beliefs.values, strict=True):
        if task.most == 1:
            drawn = rng.choice(task.width, size=100, p=p)
            truth = [(task.paths[number],) for number in drawn]
        else:
            sets, chance = zip(*chances(p, task.paths), strict=True)
            drawn = rng.choice(len(sets), size=100, p=np.array(chance) / sum(chance))
            known = {
                frozenset(selected(answer, graph_of(task.paths))): answer
                for answer in all_answers(task.paths)
            }
            truth = [known[sets[number]] for number in drawn]
        earned = task.credit(truth, [suggestion.answer] * len(truth))
        gaps.append(earned.mean() - suggestion.confidence)

    assert np.mean(gaps) == pytest.approx(0, abs=4 * np.std(gaps) / np.sqrt(len(gaps)))


def test_the_right_probabilities_of_one_path_are_a_distribution():
    """Of several, every end that is selected has its own."""
    answer = (("Health", "Illness", "Malaria"),)
    [one], [several] = (Taxonomy(paths=SOME, most=most).targets([answer]) for most in (1, None))
    assert one.tolist() == [0, 1, 0, 0]
    assert several.tolist() == [1, 1, 0, 0]
    with pytest.raises(DataError, match="unknown path"):
        SEVERAL.targets([(("Sport", "Chess"),)])
