"""The texts of a simulation and their vectors."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.simulate.parallel import example, features
from xlt.errors import DataError
from xlt.simulate.replay import cached_features, make_replay


def test_a_sentence_cannot_be_in_pool_and_test():
    """A labelled sentence gives its translations away."""
    pool = [example(0, "en", 0), example(1, "ha", 1)]
    test = [example(0, "ha", 0)]
    with pytest.raises(DataError, match="reveal the answer"):
        make_replay(pool, test, features(np.zeros((3, 2)), [*pool, *test]), source=["en"])


def test_a_simulation_needs_targets():
    """A source alone has nothing to help."""
    one = [example(0, "en", 0)]
    with pytest.raises(DataError, match="expected target languages"):
        make_replay(one, [], features(np.zeros((1, 2)), one), source=["eng"])


def test_vectors_are_computed_once_and_not_mixed_up(tiny_encoder, tmp_path):
    """Another text or another encoder is another file."""
    reports = []
    given = {"encoder": str(tiny_encoder), "folder": tmp_path, "show": lambda *a: reports.append(a)}
    one = cached_features(["good game", "bad law"], **given)
    reported = len(reports)
    assert reported > 0
    again = cached_features(["good game", "bad law"], **given)
    assert np.array_equal(again.vectors, one.vectors)
    assert (again.ngrams != one.ngrams).nnz == 0
    assert len(reports) == reported
    cached_features(["good game", "bad game"], **given)
    assert len(list(tmp_path.glob("*.npy"))) == 2
