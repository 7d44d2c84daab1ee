"""The state of a simulated project."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.xlt.graded import Stars
from tests.xlt.simulate.parallel import replay
from xlt.errors import ConfigError
from xlt.simulate.state import State
from xlt.tasks.outputs import Outputs


def test_a_state_knows_what_is_open_and_what_trains():
    """Audit labels are answered but do not train."""
    audit = np.zeros(120, bool)
    audit[3] = True
    data = replay()
    state = State(pool=data.pool, answered=np.array([5, 3]), audit=audit, task=data.task)
    assert state.trained.tolist() == [5]
    assert state.judging.tolist() == [3]
    assert len(state.open_rows) == 118
    assert not math.isnan(state.pool.vectors.sum())
    assert state.answers(state.answered) == [data.pool.answers[5], data.pool.answers[3]]


def test_class_probabilities_are_those_of_tasks_with_classes():
    """None before the first model; a way of choosing that needs them says so of other tasks."""
    data, p = replay(), np.full((120, 3), 1 / 3)
    given = {"pool": data.pool, "answered": np.zeros(0, np.intp), "audit": np.zeros(120, bool)}
    assert State(**given, task=data.task).probabilities is None
    assert State(**given, task=data.task, beliefs=Outputs(p)).probabilities is p
    graded = State(**given, task=Stars(labels=data.task.labels), beliefs=Outputs(p))
    with pytest.raises(ConfigError, match="needs class probabilities"):
        _ = graded.probabilities
