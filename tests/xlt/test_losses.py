"""The joint loss: against Hugging Face's own, by gradient check, and at its empty edges."""

from __future__ import annotations

import math

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional

from xlt.errors import ConfigError
from xlt.losses import (
    LossWeights,
    alignment,
    contrast_with_bank,
    contrastive_alignment,
    control_mean,
    cosine_alignment,
    joint_loss,
    koleo,
    l2_alignment,
    language_mean,
    token_mean,
)


@pytest.fixture
def generator():
    """The suite's one seed, for torch."""
    return torch.Generator().manual_seed(13)


def test_language_mean_is_the_mean_of_each_languages_weighted_mean():
    """By hand: language 0 has (1*1 + 3*0.5) / 1.5, language 1 has 10."""
    losses = torch.tensor([1.0, 10.0, 3.0])

    result = language_mean(losses, torch.tensor([0, 1, 0]), torch.tensor([1.0, 0.2, 0.5]))

    assert result.item() == pytest.approx(((1 + 1.5) / 1.5 + 10) / 2)


def test_one_language_gives_hugging_faces_cross_entropy(generator):
    """With one language and weight 1 the task term is transformers' own classification loss."""
    from transformers import BertConfig
    from transformers.loss.loss_utils import ForSequenceClassificationLoss

    logits = torch.randn(9, 4, generator=generator)
    labels = torch.randint(0, 4, (9,), generator=generator)
    config = BertConfig(num_labels=4, problem_type="single_label_classification")
    theirs = ForSequenceClassificationLoss(labels, logits, config)

    losses = functional.cross_entropy(logits, labels, reduction="none")
    ours = language_mean(losses, torch.zeros(9, dtype=torch.int64), torch.ones(9))

    torch.testing.assert_close(ours, theirs)


def test_masked_positions_only_give_hugging_faces_masked_lm_loss(generator):
    """Masked = subset: gathering the masked rows first changes neither loss nor gradient."""
    from transformers.loss.loss_utils import ForMaskedLMLoss

    states = torch.randn(3, 7, 5, generator=generator, requires_grad=True)
    decoder = torch.randn(5, 11, generator=generator)
    labels = torch.randint(0, 11, (3, 7), generator=generator)
    labels[torch.rand(3, 7, generator=generator) < 0.6] = -100
    theirs = ForMaskedLMLoss(states @ decoder, labels, vocab_size=11)
    (their_gradient,) = torch.autograd.grad(theirs, states)

    positions = torch.nonzero(labels.flatten() != -100).squeeze(1)
    ours = token_mean(states.flatten(0, 1)[positions] @ decoder, labels.flatten()[positions])
    (our_gradient,) = torch.autograd.grad(ours, states)

    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(our_gradient, their_gradient)


def test_order_in_a_batch_is_irrelevant(generator):
    """A permuted batch has the same task loss."""
    losses, weights = torch.rand(8, generator=generator), torch.rand(8, generator=generator) + 0.1
    languages = torch.tensor([0, 1, 1, 2, 2, 2, 4, 4])
    order = torch.randperm(8, generator=generator)

    torch.testing.assert_close(
        language_mean(losses, languages, weights),
        language_mean(losses[order], languages[order], weights[order]),
    )


def test_exponent_leads_from_languages_alike_to_examples_alike(generator):
    """At 1 the task term is the plain weighted mean; between, larger languages count for more."""
    losses, weights = torch.tensor([1.0, 1.0, 1.0, 5.0]), torch.ones(4)
    languages = torch.tensor([0, 0, 0, 1])

    results = [
        language_mean(losses, languages, weights, exponent=exponent).item()
        for exponent in (0.0, 0.5, 1.0)
    ]

    assert results == pytest.approx([3.0, (3**0.5 + 5) / (3**0.5 + 1), 2.0])


@pytest.mark.parametrize("world", [2, 3])
def test_parts_of_a_batch_sum_to_the_whole(world, generator):
    """Split over processes and normalised by global counts, the terms add up."""
    losses, weights = torch.rand(9, generator=generator), torch.rand(9, generator=generator) + 0.1
    languages = torch.tensor([0, 1, 1, 2, 2, 2, 4, 4, 4])
    totals = torch.zeros(5).index_add_(0, languages, weights)
    logits = torch.randn(9, 6, generator=generator)
    targets = torch.randint(0, 6, (9,), generator=generator)
    parts = [slice(rank, None, world) for rank in range(world)]

    task = sum(language_mean(losses[p], languages[p], weights[p], totals=totals) for p in parts)
    mlm = sum(token_mean(logits[p], targets[p], total=9) for p in parts)

    torch.testing.assert_close(task, language_mean(losses, languages, weights))
    torch.testing.assert_close(mlm, token_mean(logits, targets))


@pytest.mark.parametrize("kind", ["cosine", "l2", "contrastive"])
def test_gradients_are_right_and_finite(kind, generator):
    """Numerical and analytical gradient agree in float64 for every term."""
    a, b = (torch.randn(4, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    a.requires_grad_()
    b.requires_grad_()

    assert gradcheck(
        lambda x, y: {
            "cosine": lambda: cosine_alignment(x, y),
            "l2": lambda: l2_alignment(x, y),
            "contrastive": lambda: contrastive_alignment(x, y, temperature=0.5),
        }[kind]().sum(),
        (a, b),
    )
    assert gradcheck(koleo, (a,))
    languages, weights = torch.tensor([0, 0, 1, 2]), torch.rand(4).double() + 0.1
    assert gradcheck(lambda x: language_mean(x[:, 0], languages, weights), (a,))


def test_alignment_by_hand():
    """Equal vectors: cosine and l2 are 0; orthogonal ones: cosine 1; InfoNCE of 2 equal pairs."""
    one, other = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])

    assert alignment(one, 3 * one, kind="cosine").item() == pytest.approx(0.0, abs=1e-6)
    assert alignment(one, other, kind="cosine").item() == pytest.approx(1.0)
    assert alignment(one, other, kind="l2").item() == pytest.approx(1.0)
    both = torch.cat([one, other])
    expected = math.log(1 + math.exp(-1 / 0.5))
    assert alignment(both, both, kind="contrastive", temperature=0.5).item() == pytest.approx(
        expected
    )


@pytest.mark.parametrize("kind", ["cosine", "l2", "contrastive"])
@pytest.mark.parametrize("n_pairs", [0, 1, 2])
def test_alignment_is_finite_for_any_number_of_pairs(kind, n_pairs):
    """No pair: exactly zero with zero gradient. One pair, or equal vectors: finite."""
    vectors = torch.ones(n_pairs, 4, requires_grad=True)

    loss = alignment(vectors, vectors * 2, kind=kind, koleo_weight=0.1)
    loss.backward()

    assert torch.isfinite(loss)
    assert torch.isfinite(vectors.grad).all()
    if n_pairs == 0:
        assert loss.item() == 0.0


def test_empty_parts_are_exactly_zero_with_zero_gradient():
    """A batch without labels, masked tokens or pairs has a loss of 0 that moves nothing."""
    states = torch.randn(5, 3, requires_grad=True)
    none = torch.zeros(0, dtype=torch.int64)
    task = language_mean(states[:0, 0], none, torch.zeros(0))
    mlm = token_mean(states[:0], none)
    align = alignment(states[:0], states[:0], kind="contrastive")

    loss = joint_loss(
        task=task, mlm=mlm, tlm=mlm, align=align, weights=LossWeights(mlm=1.0, tlm=1.0, align=1.0)
    )
    loss.total.backward()

    assert loss.named(loss.values()) == dict.fromkeys(("total", "task", "mlm", "tlm", "align"), 0.0)
    assert torch.equal(states.grad, torch.zeros_like(states))


def test_language_without_weight_is_not_counted():
    """A language of which this batch has nothing does not dilute the mean; a singleton counts."""
    losses = torch.tensor([2.0, 4.0], requires_grad=True)

    result = language_mean(losses, torch.tensor([3, 7]), torch.ones(2))
    result.backward()

    assert result.item() == pytest.approx(3.0)
    assert losses.grad.tolist() == pytest.approx([0.5, 0.5])


def test_weight_zero_is_the_task_loss_exactly():
    """With weight 0 even a broken part cannot reach the total or its gradient."""
    states = torch.ones(2, requires_grad=True)
    broken = (states * float("nan")).sum()

    loss = joint_loss(
        task=states.sum(), mlm=broken, tlm=broken, align=broken, weights=LossWeights()
    )
    loss.total.backward()

    assert loss.total.item() == 2.0
    assert states.grad.tolist() == [1.0, 1.0]


def test_total_is_the_weighted_sum():
    """The total is task + l1 mlm + l2 tlm + l3 align."""
    loss = joint_loss(
        task=torch.tensor(1.0),
        mlm=torch.tensor(2.0),
        tlm=torch.tensor(3.0),
        align=torch.tensor(4.0),
        weights=LossWeights(mlm=0.5, tlm=0.25, align=2.0),
    )

    assert loss.total.item() == pytest.approx(1 + 1 + 0.75 + 8)


def test_unknown_alignment_is_refused():
    """The message names the three that there are."""
    with pytest.raises(ConfigError, match="cosine, l2 or contrastive; got 'dot'"):
        alignment(torch.ones(1, 2), torch.ones(1, 2), kind="dot")


def test_bank_leaves_out_the_right_answer():
    """A bank sentence that is the translation itself is no negative."""
    vectors = torch.eye(2)
    loss = contrast_with_bank(
        vectors,
        vectors,
        vectors,
        same_bank=torch.eye(2, dtype=torch.bool),
        same_batch=torch.eye(2, dtype=torch.bool),
        temperature=1.0,
    )
    assert loss.item() == pytest.approx(-math.log(math.e / (math.e + 2)), abs=1e-5)


def test_the_mean_over_controls_is_that_of_the_examples_that_answer_each():
    """A control without an answer has no part in the loss, nor a gradient."""
    losses = torch.rand(6, 3, requires_grad=True)
    answered = torch.tensor([[1, 1, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 0]]) > 0
    languages, weights = torch.tensor([0, 0, 0, 1, 2, 1]), torch.rand(6) + 0.1
    totals = torch.zeros(3, 3).index_add_(0, languages, weights[:, None] * answered)

    total = control_mean(losses, answered, languages, weights, totals=totals)
    each = [
        language_mean(losses[own, c], languages[own], weights[own])
        for c, own in enumerate(answered.T[:2])
    ]
    assert total.item() == pytest.approx(sum(each).item() / 2)
    total.backward()
    assert ((losses.grad != 0) == answered).all()


def test_one_control_is_the_mean_over_languages():
    """And a batch in which nobody answered anything has the loss 0."""
    losses, languages, weights = torch.rand(4, 1), torch.tensor([0, 1, 1, 1]), torch.rand(4)
    totals = torch.zeros(2).index_add_(0, languages, weights)[:, None]
    every = torch.ones(4, 1) > 0
    assert control_mean(losses, every, languages, weights, totals=totals) == language_mean(
        losses[:, 0], languages, weights
    )
    none, two = torch.zeros(4, 2) > 0, losses.expand(4, 2)
    assert control_mean(two, none, languages, weights, totals=torch.zeros(2, 2)) == 0
