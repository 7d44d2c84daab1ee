"""The head of ratings: what it learns, its losses, what collapse is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.xlt.tasks.samples import examples_of
from xlt.tasks.heads import build_head
from xlt.tasks.kinds import KINDS
from xlt.tasks.rating.answers import Scale
from xlt.tasks.rating.task import Rating

STARS = KINDS["rating"].task(["5"])


def test_targets_say_which_levels_an_answer_is_above():
    """One column for each level but the highest; a part of one on a fine scale."""
    head = build_head(STARS, 4)
    assert head.targets(examples_of([1, 3, 5])).tolist() == [[0] * 4, [1, 1, 0, 0], [1] * 4]
    fine = build_head(Rating(scale=Scale(lowest=0, step=1, steps=100)), 4)
    [row] = fine.targets(examples_of([52])).tolist()
    assert row == pytest.approx([1.0] * 10 + [0.4] + [0.0] * 9)


def test_losses_are_the_mean_over_the_levels():
    """So that scales of many numbers weigh as much as others; smoothed towards a half."""
    head = build_head(STARS, 4, label_smoothing=0.1)
    logits, targets = torch.randn(6, 4), head.targets(examples_of([1, 2, 3, 4, 5, 5]))
    expected = functional.binary_cross_entropy_with_logits(
        logits, targets * 0.9 + 0.05, reduction="none"
    )
    torch.testing.assert_close(head.losses(logits, targets), expected.mean(dim=1))


def test_a_middle_that_is_often_near_has_collapsed():
    """Though its credit is high: the rating of all texts is right for few."""
    head = build_head(STARS, 4)
    near = head.targets(examples_of([2, 3, 4] * 10))
    constant = torch.tensor([[9.0, 9.0, -9.0, -9.0]]).repeat(30, 1)
    fit = head.fit(constant, near)
    assert fit.accuracy == pytest.approx(1 - 2 / 3 / 4)
    assert fit.collapsed
    mostly = head.targets(examples_of([3] * 25 + [1] * 5))
    assert not head.fit(constant, mostly).collapsed


def test_a_warm_start_puts_unseen_ratings_between_those_seen():
    """Trained on 1, 2, 4 and 5 of a line, a text in the middle is rated 3, or next to it."""
    head = build_head(STARS, 2)
    stars = [1, 2, 4, 5] * 10
    rng = np.random.default_rng(0)
    x = torch.tensor([[n, 0.0] for n in stars]) + torch.tensor(rng.normal(0, 0.05, (40, 2)))
    head.warm_start(x.float(), head.targets(examples_of(stars)), torch.ones(40), l2=0.01)
    with torch.no_grad():
        logits = head.classify(torch.tensor([[1.0, 0], [3.0, 0], [5.0, 0]]))
    believed = torch.sigmoid(logits)
    assert [round(float(row.sum())) + 1 for row in believed] == [1, 3, 5]
