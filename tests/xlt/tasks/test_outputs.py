"""Scores: the same after saving, some of them, and refused where they do not fit."""

from __future__ import annotations

import numpy as np
import pytest

from xlt.errors import DataError
from xlt.tasks.outputs import Outputs, Scores


def test_scores_are_the_same_after_saving(tmp_path):
    """Bit for bit, without pickle."""
    outputs = Outputs(np.arange(6, dtype=np.float32).reshape(2, 3))
    scores = Scores(outputs=outputs, vectors=np.ones((2, 4), np.float32))
    scores.save(tmp_path / "scores.npz")

    loaded = Scores.load(tmp_path / "scores.npz")

    np.testing.assert_array_equal(loaded.outputs.values, scores.outputs.values)
    np.testing.assert_array_equal(loaded.vectors, scores.vectors)
    assert len(loaded) == 2


def test_broken_scores_are_refused(tmp_path):
    """Rows that do not match, absent, damaged and pickled files: one clear error each."""
    with pytest.raises(DataError, match=r"\(2, 3\) and \(1, 4\)"):
        Scores(outputs=Outputs(np.ones((2, 3))), vectors=np.ones((1, 4), np.float32))
    path = tmp_path / "scores.npz"
    for content in (None, b"", b"junk"):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(DataError, match="holds no scores"):
            Scores.load(path)
    with path.open("wb") as file:
        np.savez(file, logits=np.array([[{}]], dtype=object), vectors=np.ones((1, 1)))
    with pytest.raises(DataError, match="holds no scores"):
        Scores.load(path)


@pytest.mark.parametrize("rows", [[2, 0], np.array([2, 0]), np.array([True, False, True])])
def test_some_scores_are_taken_in_the_order_asked_for(rows):
    """By numbers or by a mask; outputs and vectors stay together."""
    values = np.arange(6, dtype=np.float32).reshape(3, 2)
    taken = Scores(outputs=Outputs(values), vectors=values + 10).take(rows)
    np.testing.assert_array_equal(taken.outputs.values, values[rows])
    np.testing.assert_array_equal(taken.vectors, values[rows] + 10)


def test_outputs_are_rows_and_columns():
    """A list of numbers is not the outputs of one example."""
    with pytest.raises(DataError, match=r"shape \(N, W\), got \(3,\)"):
        Outputs(np.zeros(3))
