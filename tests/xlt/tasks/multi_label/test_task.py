"""Several labels, by hand and by brute force: agreement, suggestions, credit, the control."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from tests.xlt.tasks.samples import MANY, SEEDS, drawn
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.multi_label.judging import expected_credit, many_hot
from xlt.tasks.multi_label.kind import KIND
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.outputs import Outputs
from xlt.tasks.tags import Refusal, Tag
from xlt.tasks.task import Agreement, Suggestion

TASK = MultiLabel(labels=("health", "sport", "travel"))
TAG = Tag(
    name="label",
    tag="Choices",
    attributes={"choice": "multiple"},
    labels=TASK.labels,
    objects=("text",),
)


def subsets(labels):
    """All answers to a task with these labels."""
    rows = itertools.product([False, True], repeat=len(labels))
    return [tuple(itertools.compress(labels, chosen)) for chosen in rows]


# Answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("sport", r"expected a list of labels, got 'sport'; labels: \['health'"),
        (["sport", "food"], "unknown label 'food'"),
        (["sport", "sport"], r"expected each label once, got \['sport', 'sport'\]"),
        ([["sport"]], "unknown label"),
        ([{"sport": 1}], "unknown label"),
    ],
)
def test_what_is_no_list_of_labels_is_refused(value, message):
    """It says what was seen."""
    with pytest.raises(DataError, match=message):
        TASK.read(value)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        (["hs", "hs"], Agreement(answer=("health", "sport"), weight=1.0)),
        (["hs", "hs", "h"], Agreement(answer=("health", "sport"), weight=(1 + 1 + 1 / 2) / 3)),
        (["s", "s", "h"], Agreement(answer=("sport",), weight=2 / 3)),
        (["", "", "h"], Agreement(answer=(), weight=2 / 3)),
        (["hs", "h"], Agreement(reason="annotators disagree")),
        (["h", "s", "t"], Agreement(reason="annotators disagree")),
    ],
)
def test_labels_that_more_than_half_chose_are_the_answer(votes, expected):
    """Half and half is no answer, nor is one that no vote has anything in common with."""
    first = {label[0]: label for label in TASK.labels}
    given_by = {str(n): tuple(first[letter] for letter in vote) for n, vote in enumerate(votes)}
    agreement = TASK.agree(given_by)
    assert (agreement.answer, agreement.reason) == (expected.answer, expected.reason)
    assert agreement.weight == pytest.approx(expected.weight)


def test_words_and_what_is_missing():
    """For people."""
    assert TASK.describe(("health", "sport")) == "'health' and 'sport'"
    assert TASK.describe(()) == "none of the labels"
    assert TASK.missing([("sport",)] * 3) == "at least 2 different answers, got [['sport']]"
    assert TASK.missing([("sport",), ()]) == ""
    assert MultiLabel(labels=("spam",)).width == 1


# Judging ------------------------------------------------------------------------------------


@MANY
@given(SEEDS, st.integers(1, 6), st.sampled_from([0.3, 1.0, 4.0]))
def test_the_suggestion_is_the_set_with_most_expected_credit(seed, width, scale):
    """Of all sets of labels, over all right answers, if labels are independent."""
    task = MultiLabel(labels=tuple("abcdef"[:width]))
    p = 1 / (1 + np.exp(-scale * np.random.default_rng(seed).normal(0, 2, (1, width))))
    sets = subsets(task.labels)
    rows = many_hot(sets, task.labels)
    chance = np.prod(np.where(rows == 1, p, 1 - p), axis=1)  # (2 ** W,)
    credit = [float(chance @ task.credit(sets, [one] * len(sets))) for one in sets]
    [suggestion] = task.decode(Outputs(p))

    assert suggestion.confidence == pytest.approx(max(credit))
    assert credit[sets.index(suggestion.answer)] == pytest.approx(max(credit))


@MANY
@given(SEEDS, st.integers(1, 6))
def test_expected_credit_is_that_of_the_most_probable_labels(seed, width):
    """For every number of labels, none included."""
    p = np.sort(np.random.default_rng(seed).random((1, width)))[:, ::-1]
    labels = tuple("abcdef"[:width])
    sets, rows = subsets(labels), many_hot(subsets(labels), labels)
    chance = np.prod(np.where(rows == 1, p, 1 - p), axis=1)
    credit = MultiLabel(labels=labels).credit
    expected = [chance @ credit(sets, [labels[:count]] * len(sets)) for count in range(width + 1)]
    assert expected_credit(p)[0] == pytest.approx(expected)


def test_suggestions_by_hand():
    """One sure label, two likely ones, nothing likely."""
    p = np.array([[0.9, 0.1, 0.1], [0.8, 0.7, 0.05], [0.1, 0.2, 0.1]])
    found = TASK.decode(Outputs(p))
    assert [s.answer for s in found] == [("health",), ("health", "sport"), ()]
    assert found[2].confidence == pytest.approx(0.9 * 0.8 * 0.9)
    assert found[0].probabilities == {"health": 0.9, "sport": 0.1, "travel": 0.1}


@MANY
@given(SEEDS, st.integers(1, 12))
def test_credit_and_summary_are_scikit_learns(seed, n):
    """Jaccard's index of each example, exact matches, micro-averaged F1."""
    truth, predicted = (drawn(TASK, seed + k, 8 + n)[8:] for k in (0, 1))
    a, b = many_hot(truth, TASK.labels), many_hot(predicted, TASK.labels)
    each = [
        jaccard_score([x], [y], average="samples", zero_division=1)
        for x, y in zip(a, b, strict=True)
    ]
    assert TASK.credit(truth, predicted) == pytest.approx(each)
    found = TASK.summary(truth, predicted)
    assert found["exact"] == pytest.approx(accuracy_score(a, b))
    assert found["micro_f1"] == pytest.approx(f1_score(a, b, average="micro", zero_division=1))


def test_beliefs_uncertainty_and_brier_by_hand():
    """Each label is a question of its own; an example has their mean."""
    calibration = Calibration(temperatures={"eng": 2.0}, pooled=1.0)
    found = TASK.beliefs(Outputs(np.array([[0.0, 2.0, -4.0]] * 2)), ["en", "yo"], calibration)
    for row, z in zip(found.values, ([0.0, 1.0, -2.0], [0.0, 2.0, -4.0]), strict=True):
        assert row == pytest.approx(1 / (1 + np.exp(-np.array(z))))
    p = Outputs(np.array([[0.5, 0.9, 0.0]]))
    assert TASK.measures == ("margin", "entropy")
    assert TASK.uncertainty(p) == pytest.approx([(1 + 0.2 + 0) / 3])
    entropy = -(0.9 * np.log2(0.9) + 0.1 * np.log2(0.1))
    assert TASK.uncertainty(p, "entropy") == pytest.approx([(1 + entropy) / 3])
    assert TASK.brier(p, [("sport",)]) == pytest.approx([0.25 + 0.01])
    assert TASK.classes([("sport",)]) is None


# Tables and the demo ------------------------------------------------------------------------


def test_tables_of_lists_are_this_kind():
    """Labels that occur in any list, sorted; a label that is a string is another kind."""
    assert KIND.infer([("b", "a"), (), ("c",)]) == MultiLabel(labels=("a", "b", "c"))
    assert KIND.infer([("a",), "a"]) is None
    assert KIND.infer([]) is None
    with pytest.raises(DataError, match="a label in at least one row"):
        KIND.infer([(), ()])


def test_the_demo_has_texts_of_two_topics_of_one_and_of_none(rng):
    """Translations stay together: two groups are joined in all languages, or none is."""
    topics = ("health", "sport", "travel")
    examples = [
        Example(
            id=f"{lang}{n}", texts=(f"t{n}{lang}",), lang=lang, answer=topics[n % 3], group=f"g{n}"
        )
        for n in range(60)
        for lang in ("en", "ha")
    ]
    made = KIND.demonstrate(examples, rng)

    assert {len(example.answer) for example in made} == {0, 1, 2}
    assert {label for example in made for label in example.answer} == {"health", "sport"}
    assert len({example.id for example in made}) == len(made) == 2 * 40
    of_group: dict[str, list[Example]] = {}
    for example in made:
        of_group.setdefault(example.group, []).append(example)
    used = [part for group in of_group for part in group.split("+")]
    assert len(used) == len(set(used))
    for translations in of_group.values():
        assert {example.lang for example in translations} == {"en", "ha"}
        assert len({example.answer for example in translations}) == 1
    assert any(" " in example.text for example in made)


# The control --------------------------------------------------------------------------------


def chosen(*labels, by="label"):
    """An annotation's result."""
    return {"from_name": by, "to_name": "text", "type": "choices", "value": {"choices": [*labels]}}


def test_choices_of_which_several_are_chosen_are_a_task():
    """Also of one label; not if only one may be chosen, which is Label Studio's default."""
    assert KIND.control.task(TAG) == TASK
    assert KIND.control.task(replace(TAG, labels=("spam",))) == MultiLabel(labels=("spam",))
    assert KIND.control.task(replace(TAG, labels=())) == Refusal(reason="has no labels")
    for attributes in ({}, {"choice": "single"}, {"choice": "single-radio"}):
        assert not isinstance(KIND.control.task(replace(TAG, attributes=attributes)), MultiLabel)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], ()),
        ([chosen("travel", "health")], ("health", "travel")),
        ([chosen("sport", by="other")], ()),
        ([chosen("sport"), chosen("health", "sport")], ("health", "sport")),
    ],
)
def test_an_annotation_without_a_choice_says_none_of_the_labels(results, expected):
    """In the order of the labels, whatever the order of choosing."""
    assert KIND.control.answer(results, TAG, TASK) == expected


def test_a_choice_that_is_no_label_is_refused():
    """Even beside one that is."""
    with pytest.raises(DataError, match="unknown label 'food'"):
        KIND.control.answer([chosen("sport", "food")], TAG, TASK)


def test_a_suggestion_is_one_result_and_none_of_the_labels_is_no_result():
    """Choices in the order of the labels."""
    suggestion = Suggestion(answer=("health", "travel"), confidence=0.5)
    [one] = KIND.control.results(suggestion, TAG)
    assert one == chosen("health", "travel") | {
        "id": one["id"], "score": 0.5, "origin": "prediction"
    }  # fmt: skip
    assert KIND.control.results(replace(suggestion, answer=()), TAG) == []


def test_a_tree_of_choices_is_refused():
    """Of several leaves and the nodes above them it is not said which were chosen."""
    tree = replace(TAG, paths=tuple((label,) for label in TAG.labels))
    refusal = KIND.control.task(tree)
    assert isinstance(refusal, Refusal)
    assert "allowNested" in refusal.reason
