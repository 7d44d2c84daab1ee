"""What holds for every kind whose answers sentence vectors tell: probes and heads learn them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given

from tests.xlt.tasks.samples import (
    FEW,
    PROBED,
    SEEDS,
    certain_of,
    drawn,
    examples_of,
    others_of,
    random_outputs,
    task_of,
    texts_of,
    vectors_of,
)
from xlt.errors import DataError
from xlt.tasks.calibration import Calibration
from xlt.tasks.heads import build_head
from xlt.tasks.logistic import scaled
from xlt.tasks.outputs import Outputs

pytestmark = pytest.mark.parametrize("kind", PROBED)


@FEW
@given(SEEDS)
def test_a_probe_learns_what_vectors_tell(kind, seed):
    """All right on vectors that are separable, seen and not seen; a start changes nothing."""
    task = task_of(kind)
    given_answers, others = drawn(task, seed, 40), drawn(task, seed + 1, 40)
    raw, new = vectors_of(task, given_answers, 1), vectors_of(task, others, 2)
    x, unseen = scaled(raw, raw), scaled(new, raw)
    probe = task.probe(x, given_answers, l2=0.01)
    again = task.probe(x, given_answers, l2=0.01, start=probe)

    for rows, right in ((x, given_answers), (unseen, others)):
        outputs = probe.outputs(rows)
        beliefs = task.beliefs(outputs, ["en"] * len(outputs), Calibration())
        assert (task.credit(right, [s.answer for s in task.decode(beliefs)]) == 1).all()
        restarted = task.beliefs(again.outputs(rows), ["en"] * len(rows), Calibration())
        assert restarted.values == pytest.approx(beliefs.values, abs=0.02)


def test_a_probe_trusts_answers_by_their_weight(kind):
    """Wrong answers of weight 0 are as good as none."""
    task = task_of(kind)
    right = drawn(task, 0, 40)
    raw = vectors_of(task, right)
    x = scaled(raw, raw)
    probe = task.probe(
        np.concatenate([x, x]),
        [*right, *right[1:], right[0]],
        l2=0.01,
        weights=np.repeat([1.0, 0.0], 40),
    )
    beliefs = task.beliefs(probe.outputs(x), ["en"] * 40, Calibration())
    assert (task.credit(right, [s.answer for s in task.decode(beliefs)]) == 1).all()


def test_a_probe_of_no_answers_knows_nothing(kind):
    """The same of every example, as unsure as can be."""
    task = task_of(kind)
    outputs = task.probe(np.zeros((0, 8)), [], l2=0.4).outputs(np.ones((3, 8)))
    assert outputs.values.shape == (3, task.width)
    assert task.uncertainty(task.beliefs(outputs, ["en"] * 3, Calibration())) == pytest.approx(1.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_losses_of_a_head_are_one_finite_number_per_example(kind, smoothing):
    """For a batch of one, of one answer, of all; gradients are finite."""
    task = task_of(kind)
    texts = len(texts_of(kind))
    head = build_head(task, 6, texts=texts, label_smoothing=smoothing)
    several = drawn(task, 0, 12)
    for batch in (several[:1], several[:1] * 5, several):
        n = len(batch)
        states = torch.randn(n * texts, 7, 6, requires_grad=True)
        mask = torch.ones(n * texts, 7)
        logits = head(states, mask)
        targets = head.targets(examples_of(batch))
        losses = head.losses(logits, targets)
        losses.sum().backward()

        assert logits.shape == (n, task.width)
        assert logits.dtype == torch.float32
        assert len(targets) == n
        assert losses.shape == (n,)
        assert (losses >= 0).all()
        assert torch.isfinite(losses).all()
        assert all(torch.isfinite(p.grad).all() for p in head.parameters())


def test_padding_does_not_change_what_a_head_gives(kind):
    """The mask says which tokens there are."""
    texts = len(texts_of(kind))
    head = build_head(task_of(kind), 6, texts=texts)
    with torch.no_grad():
        for parameter in head.parameters():
            torch.nn.init.normal_(parameter)
        rows = 2 * texts
        states = torch.randn(rows, 5, 6)
        padded = torch.cat([states, torch.randn(rows, 3, 6)], dim=1)
        mask = torch.cat([torch.ones(rows, 5), torch.zeros(rows, 3)], dim=1)
        torch.testing.assert_close(head(padded, mask), head(states, torch.ones(rows, 5)))


def test_a_head_that_starts_warm_knows_what_vectors_tell(kind):
    """Fit says so: all right, not collapsed, and the share that the task's credit gives."""
    task = task_of(kind)
    right = drawn(task, 0, 40)
    vectors = torch.tensor(vectors_of(task, right))
    head = build_head(task, vectors.shape[1])
    targets = head.targets(examples_of(right))
    head.warm_start(vectors, targets, torch.ones(40), l2=0.01)
    with torch.no_grad():
        logits = head(vectors[:, None], torch.ones(40, 1))

    fit = head.fit(logits, targets)
    assert (fit.accuracy, fit.collapsed) == (pytest.approx(1.0), False)
    beliefs = task.beliefs(Outputs(logits.numpy()), ["en"] * 40, Calibration())
    assert (task.credit(right, [s.answer for s in task.decode(beliefs)]) == 1).all()


@FEW
@given(SEEDS)
def test_the_fit_of_a_head_is_the_mean_credit_of_its_decisions(kind, seed):
    """As the task decides without a calibration."""
    task = task_of(kind)
    right, outputs = drawn(task, seed, 30), random_outputs(task, seed, 30)
    head = build_head(task, 4)
    fit = head.fit(torch.tensor(outputs.values), head.targets(examples_of(right)))
    beliefs = task.beliefs(outputs, ["en"] * 30, Calibration())
    credit = task.credit(right, [s.answer for s in task.decode(beliefs)])
    assert fit.accuracy == pytest.approx(credit.mean(), abs=1e-6)


def test_a_model_that_gives_the_same_for_everything_has_collapsed(kind):
    """Though the answers differ; if they do not, it is right."""
    task = task_of(kind)
    head = build_head(task, 4)
    several = drawn(task, 0, 20)
    constant = torch.tensor(certain_of(task, several[:1] * 20).values).float() * 20 - 10
    assert head.fit(constant, head.targets(examples_of(several))).collapsed
    same = head.fit(constant, head.targets(examples_of(several[:1] * 20)))
    assert (same.accuracy, same.collapsed) == (1.0, False)


def test_a_head_refuses_answers_that_are_missing_or_foreign(kind):
    """It names the example, or the label."""
    head = build_head(task_of(kind), 4)
    with pytest.raises(DataError, match=r"'0' has no (label|answer)"):
        head.targets(examples_of([None]))
    foreign = drawn(task_of(kind, others_of(kind)), 0, 9)[:1]
    with pytest.raises(DataError, match=others_of(kind)[0]):
        head.targets(examples_of(foreign))
