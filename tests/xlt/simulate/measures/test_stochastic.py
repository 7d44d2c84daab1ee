"""Batches drawn by the power of a score."""

from __future__ import annotations

import numpy as np

from xlt.simulate.measures.stochastic import power_batch


def test_chances_of_a_power_batch():
    """The first draw has chances like the scores; rows of score 0 come last."""
    scores = np.array([1.0, 2.0, 5.0, 0.0])
    first = [power_batch(scores, 1, np.random.default_rng(seed))[0] for seed in range(4000)]
    assert np.allclose(np.bincount(first, minlength=4) / 4000, scores / 8, atol=0.03)
    assert power_batch(scores, 4, np.random.default_rng(0))[-1] == 3
    assert power_batch(scores, 1, np.random.default_rng(0), power=200.0).tolist() == [2]
