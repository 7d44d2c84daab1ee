"""Answers: the left or the right text, by the name that the project gives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from xlt.errors import DataError
from xlt.tasks.agreement import majority
from xlt.tasks.labels import own_label
from xlt.tasks.task import Agreement, Json

#: Names of the left and the right text that mean nothing else; the first are Label Studio's.
NAMES = (("left", "right"), ("choice1", "choice2"), ("first", "second"))
#: Names that may mean something else in a table.
_UNSURE = (("0", "1"), ("1", "2"), ("a", "b"))


def read(value: Json, labels: Sequence[str]) -> str:
    """Reads the name of a text.

    Raises:
        DataError: If it is neither of the two.
    """
    label = own_label(value, labels)
    if label is None:
        raise DataError(f"expected {labels[0]!r} or {labels[1]!r}, got {value!r}")
    return label


def agree(votes: Mapping[str, str]) -> Agreement:
    """Returns the text with most votes."""
    return majority(votes)


def missing(answers: Sequence[str]) -> str:
    """Returns what is missing to train: a second answer, if all are the same."""
    seen = sorted(set(answers))
    return "" if len(seen) > 1 else f"both answers, left and right, got {seen}"


def names_of(cells: Sequence[Json], *, sure: bool) -> tuple[str, str] | None:
    """Returns the names of a table's answers, the left one first; None if they are no such.

    Args:
        cells: The answers as the table holds them.
        sure: Leaves out names that may mean something else.
    """
    given = set(cells)
    known = NAMES if sure else (*NAMES, *_UNSURE)
    return next((names for names in known if given and given <= set(names)), None)


def numbers(answers: Sequence[str], labels: Sequence[str]) -> NDArray[np.intp]:
    """Returns 0 for the left text, 1 for the right one, (N,).

    Raises:
        DataError: If an answer is neither.
    """
    return np.array([labels.index(read(answer, labels)) for answer in answers], dtype=np.intp)


def one_hot(answers: Sequence[str], labels: Sequence[str]) -> NDArray[np.float64]:
    """Returns the right probabilities (N, 2)."""
    return np.eye(2)[numbers(answers, labels)]
