"""Ranks of scores."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xlt.search.ranks import place, top


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


def test_a_place_counts_what_is_better_and_wanted():
    """From 1; equal scores share a place."""
    scores, wanted = np.array([3.0, 1.0, 2.0, 2.0, 9.0]), np.array([True] * 4 + [False])

    assert [place(scores, row, wanted) for row in range(4)] == [1, 4, 2, 2]
