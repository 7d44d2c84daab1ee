"""Answers: the chosen labels in the order of the label set, as a tuple; () is none of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from xlt.errors import DataError
from xlt.tasks.agreement import DISAGREE
from xlt.tasks.labels import own_label
from xlt.tasks.multi_label.judging import Labels, credit
from xlt.tasks.task import Agreement, Json


def read(value: Json, labels: Sequence[str]) -> Labels:
    """Reads a list of labels, in any order.

    Raises:
        DataError: If it is no list, or if a label is unknown or occurs twice.
    """
    if not isinstance(value, list | tuple):
        raise DataError(f"expected a list of labels, got {value!r}; labels: {list(labels)}")
    own = [own_label(label, labels) for label in value]
    if None in own:
        unknown = value[own.index(None)]
        raise DataError(f"unknown label {unknown!r}; labels: {list(labels)}")
    if len(set(own)) != len(own):
        raise DataError(f"expected each label once, got {list(value)}")
    return tuple(label for label in labels if label in own)


def describe(answer: Labels) -> str:
    """Returns the labels in quotes; for an empty answer, a phrase."""
    return " and ".join(map(repr, answer)) or "none of the labels"


def agree(votes: Mapping[str, Labels], labels: Sequence[str]) -> Agreement:
    """Returns the labels that more than half of the annotators chose.

    There is no answer if exactly half chose one of them, or if the votes have nothing in common
    with the answer. The weight is the mean credit of the votes against the answer.
    """
    counts = Counter(label for vote in votes.values() for label in vote)
    answer = tuple(label for label in labels if 2 * counts[label] > len(votes))
    weight = float(credit([answer] * len(votes), list(votes.values())).mean())
    if weight == 0.0 or any(2 * count == len(votes) for count in counts.values()):
        return Agreement(reason=DISAGREE)
    return Agreement(answer=answer, weight=weight)


def missing(answers: Sequence[Labels]) -> str:
    """Returns what is missing to train: a second answer, if all are the same."""
    seen = sorted(set(answers))
    return "" if len(seen) > 1 else f"at least 2 different answers, got {[list(a) for a in seen]}"
