"""Heads of taxonomies: what they learn where one path is asked for, and where several can be."""

from __future__ import annotations

import pytest
import torch

from tests.xlt.tasks.samples import examples_of
from tests.xlt.tasks.trees import ALL_NODES, LEAVES, all_answers
from xlt.errors import DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.heads import build_head
from xlt.tasks.outputs import Outputs
from xlt.tasks.taxonomy.task import Taxonomy


@pytest.mark.parametrize("most", [1, None])
@pytest.mark.parametrize("paths", [ALL_NODES, LEAVES])
def test_a_head_that_starts_warm_knows_what_vectors_tell(paths, most):
    """Answers to inner nodes, to leaves, to several paths and to none of them."""
    task = Taxonomy(paths=paths, most=most)
    answers = [answer for answer in all_answers(paths, most) if most is None or answer]
    right = [answers[n % len(answers)] for n in range(3 * len(answers))]
    vectors = torch.tensor(3 * task.targets(right)).float()
    vectors += 0.05 * torch.randn(vectors.shape, generator=torch.Generator().manual_seed(0))
    head = build_head(task, task.width)
    targets = head.targets(examples_of(right))
    head.warm_start(vectors, targets, torch.ones(len(right)), l2=0.01)
    with torch.no_grad():
        logits = head(vectors[:, None], torch.ones(len(right), 1))

    beliefs = task.beliefs(Outputs(logits.numpy()), ["en"] * len(right), Calibration())
    assert [suggestion.answer for suggestion in task.decode(beliefs)] == right
    fit = head.fit(logits, targets)
    assert (fit.accuracy, fit.collapsed) == (pytest.approx(1.0), False)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("most", [1, None])
def test_the_loss_is_least_at_the_right_probabilities(most, smoothing):
    """Its slope in the logits is zero there; it is one number per example."""
    task = Taxonomy(paths=ALL_NODES, most=most)
    head = build_head(task, 4, label_smoothing=smoothing)
    targets = head.targets(examples_of([(("Health", "Diet"),), (("Sport",),)]))
    smooth = head.right(targets).clamp(1e-6, 1 - 1e-6)
    logits = (smooth.log() if most == 1 else smooth.logit()).requires_grad_()
    losses = head.losses(logits, targets)
    losses.sum().backward()

    assert losses.shape == (2,)
    assert logits.grad == pytest.approx(torch.zeros_like(logits), abs=1e-4)


def test_an_example_without_an_answer_is_refused():
    """And one with a path that the tree does not have."""
    head = build_head(Taxonomy(paths=LEAVES, most=None), 4)
    with pytest.raises(DataError, match="'0' has no label"):
        head.targets(examples_of([None]))
    with pytest.raises(DataError, match="'Chess'"):
        head.targets(examples_of([(("Sport", "Chess"),)]))
