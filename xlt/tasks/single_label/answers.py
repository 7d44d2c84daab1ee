"""Answers: one label of the task's, as a string."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.agreement import majority
from xlt.tasks.labels import own_label
from xlt.tasks.task import Agreement, Json


def read(value: Json, labels: Sequence[str]) -> str:
    """Reads a label.

    Raises:
        DataError: If it is not one of the labels.
    """
    if isinstance(value, list | tuple):
        raise DataError(f"expected one label, got {list(value)}; labels: {list(labels)}")
    label = own_label(value, labels)
    if label is None:
        raise DataError(f"unknown label {value!r}; labels: {list(labels)}")
    return label


def agree(votes: Mapping[str, str]) -> Agreement:
    """Returns the label with most votes."""
    return majority(votes)


def missing(answers: Sequence[str]) -> str:
    """Returns what is missing to train: a second label, if all answers are the same."""
    seen = sorted(set(answers))
    return "" if len(seen) > 1 else f"at least 2 different labels, got {seen}"


def numbers(answers: Sequence[str], labels: Sequence[str]) -> NDArray[np.intp]:
    """Returns the positions (N,) of labels in the label set.

    Raises:
        DataError: If one of them is not in it.
    """
    position = {label: number for number, label in enumerate(labels)}
    try:
        return np.array([position[answer] for answer in answers], dtype=np.intp)
    except KeyError as error:
        raise DataError(f"unknown label {error.args[0]!r}; labels: {list(labels)}") from None


def one_hot(answers: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the right probabilities (N, C): 1 for the label, 0 for the others."""
    return np.eye(len(labels))[numbers(answers, labels)]
