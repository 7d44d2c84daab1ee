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


def ragged(lengths: list[int]) -> Outputs:
    """Outputs of examples with these numbers of rows, all of them different."""
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.arange(2 * starts[-1], dtype=np.float32).reshape(-1, 2)
    return Outputs(values, starts, values.astype(np.int64))


def test_examples_may_have_several_rows_or_none(tmp_path):
    """They are taken, joined and saved with their places."""
    outputs = ragged([2, 0, 3])
    assert len(outputs) == 3
    taken = outputs.take([2, 0, 1])
    np.testing.assert_array_equal(taken.starts, [0, 3, 5, 5])
    np.testing.assert_array_equal(taken.values, outputs.values[[2, 3, 4, 0, 1]])
    np.testing.assert_array_equal(taken.where, outputs.where[[2, 3, 4, 0, 1]])
    mask = outputs.take(np.array([True, False, True]))
    np.testing.assert_array_equal(mask.starts, [0, 2, 5])
    joined = outputs.take([0]).concat(outputs.take([1, 2]))
    for name in ("values", "starts", "where"):
        np.testing.assert_array_equal(getattr(joined, name), getattr(outputs, name))
    Scores(outputs=outputs, vectors=np.ones((3, 4), np.float32)).save(tmp_path / "s.npz")
    loaded = Scores.load(tmp_path / "s.npz").outputs
    for name in ("values", "starts", "where"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(outputs, name))


def test_rows_and_places_must_fit_together():
    """What does not is refused with what was expected."""
    values, where = np.zeros((3, 2)), np.zeros((3, 2), np.int64)
    for starts in ([0, 2], [1, 3], [0, 2, 1, 3]):
        with pytest.raises(DataError, match="starts must rise from 0 to 3"):
            Outputs(values, np.array(starts), where)
    with pytest.raises(DataError, match="places must have shape"):
        Outputs(values, np.array([0, 3]), where[:2])
    with pytest.raises(DataError, match="need starts and places"):
        Outputs(values, np.array([0, 3]))
    with pytest.raises(DataError, match="got one row each"):
        Outputs(values).ragged()
