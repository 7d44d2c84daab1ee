"""The state of a simulated project."""

from __future__ import annotations

import math

import numpy as np

from tests.xlt.simulate.parallel import replay
from xlt.simulate.state import State


def test_a_state_knows_what_is_open_and_what_trains():
    """Audit labels are answered but do not train."""
    audit = np.zeros(120, bool)
    audit[3] = True
    state = State(pool=replay().pool, answered=np.array([5, 3]), audit=audit)
    assert state.trained.tolist() == [5]
    assert state.judging.tolist() == [3]
    assert len(state.open_rows) == 118
    assert not math.isnan(state.pool.vectors.sum())
