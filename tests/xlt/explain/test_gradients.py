"""Integrated gradients: complete, and those of captum."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients

from tests.xlt.explain.conftest import MIXED
from xlt.explain.gradients import attributed, by_gradients
from xlt.explain.network import Network
from xlt.models.predictor import Predictor
from xlt.tasks.calibration import Calibration


@pytest.mark.parametrize("name", ["frozen", "joint", "multi_label"])
@pytest.mark.parametrize("label", ["law", "sport"])
def test_scores_add_up_to_what_the_text_changes(models, float32, name, label):
    """Within 5 %, the words alone: no token or n-gram of this text is outside of them."""
    network = Network.load(models[name])

    found = by_gradients(network, MIXED, label)

    sums = found.completeness
    assert sums.is_complete
    total = sum(word.score for word in found.words)
    assert total == pytest.approx(sums.attributed, rel=1e-5)
    assert total == pytest.approx(sums.score - sums.baseline, rel=0.05)
    p = Predictor.load(models[name]).predict([MIXED]).suggestions[0].probabilities[label]
    assert sums.score == pytest.approx(np.log(p / (1 - p)), abs=1e-3)


def test_steps_rise_until_scores_add_up_and_a_gap_is_reported(models):
    """One step is not enough for this text; the numbers say so rather than hide it."""
    network = Network.load(models["frozen"])

    one = by_gradients(network, MIXED, steps=(1,)).completeness
    more = by_gradients(network, MIXED, steps=(1, 64)).completeness

    assert (one.steps, more.steps) == (1, 1 if one.is_complete else 64)
    assert more.is_complete
    assert one.gap > by_gradients(network, MIXED, steps=(64,)).completeness.gap


@pytest.mark.parametrize("name", ["frozen", "joint", "multi_label"])
def test_attributions_are_those_of_captum(models, name):
    """Another implementation of the same integral, on the same network."""
    network = Network.load(models[name])
    network.calibration = Calibration(pooled=1.7)
    read = network.read(MIXED)
    row = read.ngrams.sum(0)

    def log_odds(embeddings, ngrams):
        z = network.logits(read, embeddings, ngrams) / 1.7
        p = z.sigmoid() if name == "multi_label" else z.softmax(dim=1)
        return torch.logit(p[:, 1])

    method = IntegratedGradients(log_odds, multiply_by_inputs=True)
    tokens, ngrams = method.attribute(
        (read.embeddings[None], row[None]),
        (network.baseline(read)[None], torch.zeros_like(row)[None]),
        n_steps=16,
        method="gausslegendre",
    )
    found = attributed(network, read, 1, 16)

    np.testing.assert_allclose(found.tokens, tokens[0].sum(-1).detach().numpy(), atol=1e-4)
    assert found.ngrams.sum() == pytest.approx(float(ngrams.sum()), abs=1e-4)


def test_the_label_is_the_models_own_unless_another_is_named(models):
    """And its words are those of the text, with their places."""
    explain = partial(by_gradients, Network.load(models["frozen"]), MIXED)
    found = explain()

    assert found.label == found.suggestion.answer
    assert explain("law").label == "law"
    assert all(MIXED.text[word.start : word.end] == word.text for word in found.words)
    assert [word.text for word in found.words][:4] == ["The", "team", "won", ","]
