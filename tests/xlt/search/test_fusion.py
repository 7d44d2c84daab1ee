"""Rankings and their fusion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlt.search.fusion import fused, top


@given(
    arrays(np.float32, st.integers(1, 30), elements=st.integers(-3, 3).map(float)),
    st.integers(1, 40),
    st.data(),
)
def test_the_top_is_that_of_a_whole_sort(scores, count, data):
    """Equal scores in the order of rows, whatever is filtered."""
    wanted = np.array(
        data.draw(st.lists(st.booleans(), min_size=len(scores), max_size=len(scores)))
    )

    rows = [row for row in range(len(scores)) if wanted[row]]
    assert top(scores, count, wanted) == sorted(rows, key=lambda row: -scores[row])[:count]


def test_a_fused_score_is_the_sum_of_reciprocal_ranks():
    """A row that two rankings have is before one that is first in one of them alone."""
    found = fused({"a": [5, 7], "b": [9, 7]}, {"a": 1.0, "b": 0.5})

    assert dict(found) == pytest.approx({7: 1.5 / 62, 5: 1 / 61, 9: 0.5 / 61})
    assert [row for row, _ in found] == [7, 5, 9]
    assert fused({"a": []}, {"a": 1.0}) == []
