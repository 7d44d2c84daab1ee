"""The head: cross-entropy, logistic regression before the first step, collapse."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.heads import build_head
from xlt.tasks.single_label.head import SingleLabelHead
from xlt.tasks.single_label.task import SingleLabel

TASK = SingleLabel(labels=("sport", "politics"))


def test_head_loss_is_hugging_faces_cross_entropy_with_smoothing():
    """Per example, then meaned: what torch gives for the batch."""
    logits, targets = torch.randn(6, 2), torch.tensor([0, 1, 1, 0, 1, 0])
    head = build_head(TASK, 4, label_smoothing=0.1)

    torch.testing.assert_close(
        head.losses(logits, targets).mean(),
        functional.cross_entropy(logits, targets, label_smoothing=0.1),
    )


def test_warm_start_is_logistic_regression():
    """The fitted head is scikit-learn's optimum for the same penalty."""
    from sklearn.linear_model import LogisticRegression

    task = SingleLabel(labels=("a", "b", "c"))
    generator = torch.Generator().manual_seed(3)
    vectors = torch.randn(60, 5, generator=generator) * 3 + 1
    targets = torch.randint(0, 3, (60,), generator=generator)
    head = SingleLabelHead(task, 5)
    head.warm_start(vectors, targets, torch.ones(60), l2=0.6)
    centered = (vectors - head.center) / head.scale
    theirs = LogisticRegression(C=1 / 0.6, max_iter=1000, tol=1e-8).fit(
        centered.numpy(), targets.numpy()
    )

    with torch.no_grad():
        ours = torch.softmax(head.classify(vectors), dim=-1)

    expected = torch.tensor(theirs.predict_proba(centered.numpy()), dtype=torch.float32)
    torch.testing.assert_close(ours, expected, atol=2e-3, rtol=1e-2)


def test_warm_start_survives_a_class_without_examples():
    """Three labels, two seen: finite weights, and the third is never predicted here."""
    head = SingleLabelHead(SingleLabel(labels=("a", "b", "c")), 4, label_smoothing=0.1)
    vectors = torch.eye(4)

    head.warm_start(vectors, torch.tensor([0, 0, 1, 1]), torch.ones(4), l2=0.04)

    with torch.no_grad():
        assert head.classify(vectors).argmax(1).tolist() == [0, 0, 1, 1]


def test_head_refuses_labels_it_does_not_know():
    """A missing or foreign label names the example or the label."""
    head = build_head(TASK, 4)
    with pytest.raises(DataError, match="'9' has no label"):
        head.targets([Example(id="9", texts=("the team won the game",))])
    with pytest.raises(DataError, match="unknown label 'art'"):
        head.targets([Example(id="1", texts=("the team won the game",), answer="art")])


def test_collapse_is_one_class_for_labels_that_differ():
    """One class for everything is a fault, unless nearly all labels are that class."""
    head = build_head(TASK, 4)
    constant = torch.tensor([[1.0, 0.0]]).repeat(10, 1)

    assert head.fit(constant, torch.tensor([0, 1] * 5)).collapsed
    assert not head.fit(constant, torch.tensor([0] * 9 + [1])).collapsed
    assert head.fit(constant, torch.tensor([0] * 6 + [1] * 4)).accuracy == pytest.approx(0.6)
