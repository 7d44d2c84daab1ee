"""Labels with their vectors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.graded import Stars
from tests.xlt.payoff.texts import TASK, labels, named, numbers, replaced
from xlt.errors import DataError


def test_lengths_must_agree():
    """As many labels as vectors."""
    with pytest.raises(DataError, match="expected 60 answers"):
        replaced(labels(0, 60), answers=["c0"] * 3)


@pytest.mark.parametrize(
    "task", [TASK, Stars(labels=TASK.labels)], ids=["right or wrong", "graded"]
)
def test_credit_is_the_tasks_judgement_of_what_a_probe_decides(task):
    """The most probable class of each row, against its answer."""
    data = replaced(labels(1, 120), task=task).scaled()
    rows, judging = np.arange(80), np.arange(80, 120)
    probe = data.fit(rows)
    decided = probe.outputs(data.vectors[judging]).values.argmax(axis=1)
    found = data.credit(probe, judging)
    assert found.tolist() == task.credit(data.answers[80:], named(decided)).tolist()
    right = decided == numbers(data)[judging]
    assert (found[right] == 1).all()
    assert (found[~right] < 1).all()


def test_nothing_is_scaled_to_nothing():
    """No labels, no statistics of them."""
    none = np.zeros(0, np.str_)
    empty = replaced(
        labels(0, 9), vectors=np.zeros((0, 12), np.float32), answers=[], langs=none, groups=none
    )
    assert len(empty.scaled().vectors) == 0
