"""The head: one binary cross-entropy per label, logistic regression before the first step."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from xlt.data.examples import Example
from xlt.tasks.heads import build_head
from xlt.tasks.multi_label.task import MultiLabel

TASK = MultiLabel(labels=("a", "b", "c"))


def test_the_loss_is_the_sum_of_binary_cross_entropies():
    """Smoothing moves the right probabilities towards a half."""
    logits = torch.randn(6, 3)
    targets = (torch.rand(6, 3) < 0.5).float()
    for smoothing in (0.0, 0.1):
        soft = targets * (1 - smoothing) + smoothing / 2
        expected = functional.binary_cross_entropy(torch.sigmoid(logits), soft, reduction="none")
        head = build_head(TASK, 4, label_smoothing=smoothing)
        torch.testing.assert_close(head.losses(logits, targets), expected.sum(dim=1))


def test_targets_are_1_for_each_chosen_label():
    """None of them is an answer, too."""
    chosen = [("a", "c"), (), ("b",)]
    examples = [Example(id=str(n), texts=("x",), answer=answer) for n, answer in enumerate(chosen)]
    targets = build_head(TASK, 4).targets(examples)
    assert targets.dtype == torch.float32
    assert targets.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_warm_start_is_one_logistic_regression_per_label():
    """Scikit-learn's optimum for the same penalty, label by label."""
    generator = torch.Generator().manual_seed(3)
    vectors = torch.randn(60, 5, generator=generator) * 3 + 1
    targets = (torch.rand(60, 3, generator=generator) < 0.4).float()
    head = build_head(TASK, 5)
    head.warm_start(vectors, targets, torch.ones(60), l2=0.6)
    centered = (vectors - head.center) / head.scale

    with torch.no_grad():
        ours = torch.sigmoid(head.classify(vectors))

    for column in range(3):
        theirs = LogisticRegression(C=1 / 0.6, max_iter=1000, tol=1e-8)
        theirs.fit(centered.numpy(), targets[:, column].numpy())
        expected = torch.tensor(theirs.predict_proba(centered.numpy())[:, 1], dtype=torch.float32)
        torch.testing.assert_close(ours[:, column], expected, atol=2e-3, rtol=1e-2)


def test_collapse_is_one_answer_for_answers_that_differ():
    """Unless that answer is nearly right for nearly all."""
    head = build_head(TASK, 4)
    constant = torch.tensor([[9.0, -9.0, -9.0]]).repeat(10, 1)
    alone, other, both = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 0.0]

    assert head.fit(constant, torch.tensor([alone, other] * 5)).collapsed
    assert not head.fit(constant, torch.tensor([alone] * 9 + [other])).collapsed
    found = head.fit(constant, torch.tensor([alone] * 6 + [both] * 4))
    assert (found.accuracy, found.collapsed) == (pytest.approx(0.8), False)
