"""Several labels: expected credit against all possible answers, and what follows from it."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, jaccard_score

from xlt.errors import DataError
from xlt.tasks.multi_label.judging import credit, decode, expected_credit, many_hot, summary
from xlt.tasks.multi_label.task import MultiLabel
from xlt.tasks.outputs import Outputs

LABELS = ("a", "b", "c", "d")
TASK = MultiLabel(labels=LABELS)
PROBABILITIES = arrays(np.float64, (1, 4), elements=st.floats(0, 1))
SETS = st.sets(st.sampled_from(LABELS)).map(lambda chosen: tuple(sorted(chosen)))


def mean_credit(p: np.ndarray, answer: tuple[str, ...]) -> float:
    """The credit of an answer over all sixteen sets of labels that may be right."""
    total = 0.0
    for chosen in product([False, True], repeat=4):
        chance = float(np.prod(np.where(chosen, p, 1 - p)))
        truth = tuple(label for label, said in zip(LABELS, chosen, strict=True) if said)
        total += chance * float(credit([truth], [answer])[0])
    return total


@given(PROBABILITIES)
def test_expected_credit_is_the_mean_over_all_answers(p):
    """Of the k most probable labels, for every k."""
    ranked = -np.sort(-p, axis=1)
    expected = expected_credit(ranked)[0]

    for k in range(5):
        assert expected[k] == pytest.approx(mean_credit(ranked[0], LABELS[:k]), abs=1e-12)


@given(PROBABILITIES)
def test_no_set_of_labels_is_expected_to_earn_more_than_the_suggestion(p):
    """Against all sixteen; its confidence is what it is expected to earn."""
    [suggestion] = decode(Outputs(p), LABELS)
    sets = [
        tuple(label for label, said in zip(LABELS, chosen, strict=True) if said)
        for chosen in product([False, True], repeat=4)
    ]

    assert suggestion.confidence == pytest.approx(mean_credit(p[0], suggestion.answer), abs=1e-12)
    assert suggestion.confidence >= max(mean_credit(p[0], each) for each in sets) - 1e-9


@given(st.lists(st.tuples(SETS, SETS), min_size=1, max_size=12))
def test_credit_and_summary_are_those_of_scikit_learn(pairs):
    """Jaccard by example and F1 over all decisions; two empty sets are equal."""
    truth, predicted = [list(side) for side in zip(*pairs, strict=True)]
    y, z = many_hot(truth, LABELS), many_hot(predicted, LABELS)
    measured = summary(truth, predicted)

    for row, earned in enumerate(credit(truth, predicted)):
        one, two = y[row : row + 1], z[row : row + 1]
        assert earned == pytest.approx(jaccard_score(one, two, average="samples", zero_division=1))
    assert measured["micro_f1"] == pytest.approx(f1_score(y, z, average="micro", zero_division=1))
    assert measured["exact"] == pytest.approx((y == z).all(axis=1).mean())


def test_annotators_agree_label_by_label():
    """More than half decide; half of them is no agreement; nothing in common is none either."""
    agreed = TASK.agree({"1": ("a", "b"), "2": ("a",), "3": ("a", "c")})

    assert (agreed.answer, agreed.reason) == (("a",), "")
    assert agreed.weight == pytest.approx((1 / 2 + 1 + 1 / 2) / 3)
    assert TASK.agree({"1": (), "2": ()}).answer == ()
    for votes in ({"1": ("a",), "2": ("b",)}, {"1": ("a",), "2": ("b",), "3": ("c",)}):
        assert TASK.agree(votes).answer is None
        assert TASK.agree(votes).reason == "annotators disagree"


@pytest.mark.parametrize("value", [["a", "a"], ["e"], "a"])
def test_lists_that_are_no_answer_are_refused(value):
    """A label twice, an unknown one, or no list; the value is named."""
    with pytest.raises(DataError, match=r"a|e"):
        TASK.read(value)
