"""Disagreement and expected information of a committee, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from tests.xlt.activeml import QUICK, SEEDS
from xlt.simulate.measures.committee import bald, epig


def test_bald_by_hand():
    """Two models that are sure of different classes disagree by log 2; the undecided do not."""
    sure = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    undecided = np.full((2, 1, 2), 0.5)
    assert bald(sure)[0] == pytest.approx(np.log(2))
    assert bald(undecided)[0] == pytest.approx(0)


def test_epig_by_hand():
    """A row whose label settles the target's is worth log 2; one that is independent nothing."""
    targets = np.array([[[1.0, 0.0]], [[0.0, 1.0]]])
    rows = np.array([[[1.0, 0.0], [0.5, 0.5]], [[0.0, 1.0], [0.5, 0.5]]])
    assert epig(rows, targets) == pytest.approx([np.log(2), 0.0])


@QUICK
@given(SEEDS)
def test_epig_of_itself_is_at_most_its_entropy_and_at_least_zero(seed):
    """Mutual information lies between 0 and what there is to know."""
    rng = np.random.default_rng(seed)
    samples = rng.dirichlet(np.ones(3), size=(4, 6))
    mean = samples.mean(axis=0)
    found = epig(samples, samples[:, :2])
    assert (found >= 0).all()
    assert (found <= -(mean * np.log(mean)).sum(axis=1) + 1e-9).all()
