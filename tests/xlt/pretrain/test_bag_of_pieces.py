"""Rows that are learned as a bag of words."""

from __future__ import annotations

import math

import pytest
import torch

from tests.xlt.pretrain.bodies import N_WORDS, translations_of
from xlt.pretrain.bag_of_pieces import BagOptions, contrast, learn_rows


def learned(toy, rng, steps, dropout=0.0):
    """The rows after some steps of the bag."""
    sources, texts, rows, known = toy
    return learn_rows(
        rows,
        known,
        translations=translations_of(sources, texts),
        options=BagOptions(steps=steps, batch_size=32, learning_rate=0.05, dropout=dropout),
        rng=rng,
        progress=lambda line: None,
    )


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_bag_pulls_translations_together(toy, rng, dropout):
    """A word's row comes to lie by its translation's; the teacher's rows do not move."""
    rows = learned(toy, rng, 150, dropout)
    _, _, before, known = toy
    fixed = torch.from_numpy(known)
    torch.testing.assert_close(rows[fixed], before[fixed], rtol=0, atol=0)
    ours, theirs = rows[5 + N_WORDS :], rows[5 : 5 + N_WORDS]
    nearest = torch.cdist(ours, theirs).argmin(dim=1)
    assert (nearest == torch.arange(N_WORDS)).float().mean() > 0.8


def test_contrast_by_hand():
    """Orthogonal vectors give the entropy of one right answer among B, less what it stands out."""
    vectors = torch.eye(3)
    loss = contrast(vectors, vectors, torch.arange(3), temperature=1.0)
    assert loss.item() == pytest.approx(-math.log(math.e / (math.e + 2)), abs=1e-5)
    alone = contrast(vectors, vectors, torch.zeros(3), temperature=1.0)
    assert alone.item() == pytest.approx(0.0, abs=1e-6)
