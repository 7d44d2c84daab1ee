"""Single label, by hand: agreement, uncertainty, words, what the control takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from xlt.errors import DataError
from xlt.sampling.uncertainty import MEASURES
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs
from xlt.tasks.single_label.kind import KIND
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Agreement, Suggestion

TASK = SingleLabel(labels=("health", "sport", "travel"))
TAG = Tag(name="label", tag="Choices", labels=TASK.labels, objects=("text",))


@pytest.mark.parametrize("labels", [(), ("a",)])
def test_a_choice_needs_two_labels(labels):
    """One is no choice."""
    with pytest.raises(DataError, match="a task needs at least 2 labels"):
        SingleLabel(labels=labels)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ("s", Agreement(answer="s", weight=1.0)),
        ("ssh", Agreement(answer="s", weight=2 / 3)),
        ("ssht", Agreement(answer="s", weight=1 / 2)),
        ("sh", Agreement(reason="annotators disagree")),
        ("sshht", Agreement(reason="annotators disagree")),
    ],
)
def test_the_majority_decides_and_a_tie_does_not(votes, expected):
    """Weight: its share of the votes."""
    assert TASK.agree(dict(enumerate(votes))) == expected


def test_beliefs_are_the_softmax_language_by_language():
    """Divided by the temperature of the language, or the pooled one."""
    outputs = Outputs(np.array([[0.0, 2.0, 4.0]] * 2))
    found = TASK.beliefs(outputs, ["en", "yo"], Calibration(temperatures={"eng": 2.0}, pooled=1.0))
    for row, z in zip(found.values, ([0.0, 1.0, 2.0], [0.0, 2.0, 4.0]), strict=True):
        assert row == pytest.approx(np.exp(z) / np.exp(z).sum())


def test_the_suggestion_is_the_most_probable_label():
    """Its probability is the credit that it is expected to earn."""
    [suggestion] = TASK.decode(Outputs(np.array([[0.2, 0.5, 0.3]])))
    probabilities = {"health": 0.2, "sport": 0.5, "travel": 0.3}
    assert suggestion == Suggestion(answer="sport", confidence=0.5, probabilities=probabilities)


def test_uncertainty_is_the_samplers_margin_or_another_of_its_measures(rng):
    """By name; the margin if none is named."""
    beliefs = Outputs(rng.dirichlet(np.ones(3), size=9))
    assert TASK.measures == ("margin", "entropy", "least_confidence")
    for name, measure in MEASURES.items():
        assert (TASK.uncertainty(beliefs, name) == measure(beliefs.values)).all()
    assert (TASK.uncertainty(beliefs) == MEASURES["margin"](beliefs.values)).all()


def test_judging_by_hand():
    """Right or wrong; Brier's score over the classes; macro-F1 of scikit-learn."""
    truth, predicted = ["health", "sport", "sport"], ["health", "travel", "sport"]
    assert TASK.credit(truth, predicted).tolist() == [1, 0, 1]
    beliefs = Outputs(np.array([[0.5, 0.3, 0.2]]))
    assert TASK.brier(beliefs, ["sport"]) == pytest.approx([0.25 + 0.49 + 0.04])
    expected = f1_score(truth, predicted, average="macro", zero_division=0)
    assert TASK.summary(truth, predicted) == {"macro_f1": pytest.approx(expected)}
    assert TASK.classes(truth).tolist() == [0, 1, 1]
    assert (TASK.measure, TASK.describe("sport")) == ("accuracy", "'sport'")


def test_what_is_missing_names_what_there_is():
    """A second label."""
    assert TASK.missing([]) == "at least 2 different labels, got []"
    assert TASK.missing(["sport"] * 3) == "at least 2 different labels, got ['sport']"


def test_tables_of_strings_are_this_kind():
    """Anything else is another's; an empty table is this one's to refuse."""
    assert KIND.infer(["sport", "health", "sport"]) == SingleLabel(labels=("health", "sport"))
    assert KIND.infer(["sport", ("health",)]) is None
    with pytest.raises(DataError, match=r"got \[\]"):
        KIND.infer([])


# The control --------------------------------------------------------------------------------


@pytest.mark.parametrize("attributes", [{}, {"choice": "single"}, {"choice": "single-radio"}])
def test_choices_of_which_one_is_chosen_are_a_task(attributes):
    """Label Studio's default is one; choices of which several may be chosen are not this kind."""
    assert KIND.control.task(replace(TAG, attributes=attributes)) == TASK
    assert KIND.control.task(replace(TAG, attributes={"choice": "multiple"})) is None


def test_choices_with_one_label_are_refused():
    """In words that follow the tag's name."""
    refusal = KIND.control.task(replace(TAG, labels=("a",)))
    assert refusal == Refusal(reason="has fewer than two labels: ['a']")
    assert KIND.control.task(replace(TAG, tag="Labels")) is None


def chosen(*labels, by="label"):
    """An annotation's result."""
    return {"from_name": by, "to_name": "text", "type": "choices", "value": {"choices": [*labels]}}


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], None),
        ([chosen("sport")], "sport"),
        ([chosen("health", by="other"), chosen("sport")], "sport"),
        ([chosen(), chosen("sport")], "sport"),
        ([chosen("health", "sport")], None),
        ([chosen(3)], None),
    ],
)
def test_the_first_result_with_exactly_one_choice_counts(results, expected):
    """Of this control; the rest is looked over."""
    assert KIND.control.answer(results, TAG, TASK) == expected


def test_a_choice_that_is_no_label_is_refused():
    """The interface was edited after it was given."""
    with pytest.raises(DataError, match="unknown label 'food'"):
        KIND.control.answer([chosen("food")], TAG, TASK)


#: A tree: dogs and cats are animals, an oak is a tree, stones are alone.
PATHS = (("Animal", "Dog"), ("Animal", "Cat"), ("Plant", "Tree", "Oak"), ("Stone",))
LEAVES = SingleLabel(labels=("Dog", "Cat", "Oak", "Stone"))
TREE = replace(TAG, labels=LEAVES.labels, paths=PATHS, attributes={"allowNested": "true"})


@pytest.mark.parametrize(
    ("choices", "label"),
    [
        ([["Animal", "Dog"]], "Dog"),
        ([["Animal"], ["Animal", "Dog"]], "Dog"),
        ([["Animal", "Cat"], ["Animal"]], "Cat"),
        ([["Plant"], ["Plant", "Tree"], ["Plant", "Tree", "Oak"]], "Oak"),
        ([["Stone"]], "Stone"),
        (["Dog"], "Dog"),
        ([["Animal"], ["Animal", "Dog"], ["Animal", "Cat"]], None),
        ([["Animal", "Dog"], ["Stone"]], None),
        ([[3], 4, {"a": 1}], None),
        ([], None),
    ],
)
def test_in_a_tree_the_leaf_is_the_label(choices, label):
    """However many nodes above it are written too; two leaves are no answer."""
    assert KIND.control.task(TREE) == LEAVES
    assert KIND.control.answer([chosen(*choices)], TREE, LEAVES) == label


@pytest.mark.parametrize("path", [["Animal"], ["Animal", "Cow"], ["Cat", "Animal"], ["Dog"]])
def test_what_is_no_leaf_of_the_tree_is_refused(path):
    """A node above others, a leaf that was removed, a path that goes another way."""
    with pytest.raises(DataError, match=r"unknown label '(Animal|Animal / Cow|Cat / Animal|Dog)'"):
        KIND.control.answer([chosen(path)], TREE, replace(LEAVES, labels=("Cat", "Oak")))


@pytest.mark.parametrize(
    ("label", "choices"),
    [
        ("Dog", [["Animal", "Dog"]]),
        ("Oak", [["Plant"], ["Plant", "Tree"], ["Plant", "Tree", "Oak"]]),
        ("Stone", [["Stone"]]),
    ],
)
def test_a_leaf_is_suggested_as_the_page_writes_it(label, choices):
    """With the nodes above it that have no other leaf; read, it is the same answer."""
    [result] = KIND.control.results(Suggestion(answer=label, confidence=0.5), TREE)
    assert result["value"]["choices"] == choices
    assert KIND.control.answer([result], TREE, LEAVES) == label


def test_paths_are_no_answer_where_there_is_no_tree():
    """The tree was made flat after it was annotated."""
    assert KIND.control.answer([chosen(["Animal", "Dog"])], TAG, TASK) is None


def test_a_suggestion_is_one_result_whose_identity_is_its_answer():
    """The same answer has the same id, whatever the confidence; the score is within [0, 1]."""
    [one] = KIND.control.results(Suggestion(answer="sport", confidence=0.123456789), TAG)
    [two] = KIND.control.results(Suggestion(answer="sport", confidence=1.5), TAG)
    [other] = KIND.control.results(Suggestion(answer="health", confidence=0.5), TAG)
    assert one == chosen("sport") | {"id": one["id"], "score": 0.123457, "origin": "prediction"}
    assert two["id"] == one["id"] != other["id"]
    assert two["score"] == 1.0
