"""Temperatures per language, against scipy's minimiser."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from xlt.errors import DataError
from xlt.tasks.calibration import Calibration, best_temperature, fit
from xlt.tasks.metrics import ece


def draw(rng, n, scale, classes=4):
    """Logits whose right temperature is `scale`: labels follow softmax(logits / scale)."""
    logits = rng.normal(size=(n, classes)) * 3
    p = softmax(logits / scale, axis=1)
    labels = (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
    return logits, labels


def nll(log_t, logits, labels):
    """Mean negative log-likelihood at temperature exp(log_t)."""
    return -log_softmax(logits / math.exp(log_t), axis=1)[np.arange(len(labels)), labels].mean()


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.integers(1, 60), st.floats(0.1, 20))
def test_the_optimum_is_scipys(seed, n, scale):
    """The bisected temperature has the loss that scipy's bounded minimiser finds."""
    logits, labels = draw(np.random.default_rng(seed), n, scale)
    bounds = (math.log(0.25), math.log(10))
    oracle = minimize_scalar(nll, bounds=bounds, args=(logits, labels), method="bounded")
    own = best_temperature(logits, labels)
    assert 0.25 * 0.999 <= own <= 10 * 1.001
    assert nll(math.log(own), logits, labels) <= oracle.fun + 1e-6


def test_shrinkage_by_hand(rng):
    """Log T_l is the mean of its own, n times, and the pooled one, k times; that one, of 0."""
    logits, labels = draw(rng, 60, 3.0)
    langs = ["en"] * 40 + ["sw"] * 20
    found = fit(logits, labels, langs, prior_strength=100)
    pooled = math.exp(60 * math.log(best_temperature(logits, labels)) / (60 + 20))
    own = best_temperature(logits[40:], labels[40:])
    assert found.pooled == pytest.approx(pooled)
    expected = math.exp((20 * math.log(own) + 100 * math.log(pooled)) / 120)
    assert found.temperatures["swa"] == pytest.approx(expected)


def test_an_overconfident_language_gets_the_higher_temperature(rng):
    """With enough labels each language finds its own scale, and its calibration error falls."""
    first, first_labels = draw(rng, 2000, 1.0)
    second, second_labels = draw(rng, 2000, 4.0)
    logits, labels = np.concatenate([first, second]), np.concatenate([first_labels, second_labels])
    langs = ["eng_Latn"] * 2000 + ["swh_Latn"] * 2000
    found = fit(logits, labels, langs, prior_strength=1)
    assert found.temperatures["eng"] == pytest.approx(1.0, rel=0.1)
    assert found.temperatures["swa"] == pytest.approx(4.0, rel=0.1)
    before, after = softmax(second, axis=1), found.apply(second, ["sw"] * 2000)
    assert ece(after, second_labels) < 0.05 < ece(before, second_labels)


def test_no_labels_change_nothing():
    """Without audit labels probabilities are the plain softmax."""
    found = fit(np.empty((0, 3)), np.empty(0, dtype=int), [])
    assert found == Calibration()
    logits = np.array([[1.0, 2.0, 3.0]])
    assert found.apply(logits, ["xx"]) == pytest.approx(softmax(logits, axis=1))


def test_a_handful_of_labels_changes_little(rng):
    """Five labels that happen to be right do not make the model four times as sure."""
    logits = rng.normal(size=(5, 3)) * 5
    found = fit(logits, logits.argmax(axis=1), ["en"] * 5)
    assert 0.7 < found.pooled < 1
    assert 0.7 < found.temperatures["eng"] < 1


@given(st.integers(0, 2**31))
def test_applying_keeps_the_order_of_classes(seed):
    """A temperature never changes which class is most probable; rows sum to 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(6, 4)) * 30
    langs = ["en", "sw", "xx"] * 2
    p = Calibration(temperatures={"eng": 0.25, "swa": 10.0}, pooled=2.0).apply(logits, langs)
    assert p.sum(axis=1) == pytest.approx(1)
    assert (p.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert p[2] == pytest.approx(softmax(logits[2] / 2.0))
    assert p[1] == pytest.approx(softmax(logits[1] / 10.0))


def test_extreme_logits_stay_finite():
    """Large logits and certain models give probabilities, not nan."""
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]])
    found = fit(logits, np.array([0, 0]), ["en", "en"])
    assert np.isfinite(found.apply(logits, ["en", "en"])).all()


def test_json_there_and_back(rng):
    """What is saved beside a model is what was fitted."""
    logits, labels = draw(rng, 50, 2.0)
    found = fit(logits, labels, ["ha", "yo"] * 25)
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"pooled": 1},
        {"pooled": "x", "temperatures": {}},
        {"pooled": 0, "temperatures": {}},
        {"pooled": 1, "temperatures": {"en": float("nan")}},
        {"pooled": 1, "temperatures": []},
    ],
)
def test_bad_json_is_refused(value):
    """Anything else is a DataError, not a crash later."""
    with pytest.raises(DataError):
        Calibration.from_json(value)


def test_bad_input_is_named():
    """Lengths, NaN and unknown classes are errors that say what was seen."""
    with pytest.raises(DataError, match=r"rows \[1\]"):
        fit(np.array([[0.0, 1.0], [np.nan, 0.0]]), np.array([0, 1]), ["en", "en"])
    with pytest.raises(DataError, match="languages"):
        fit(np.zeros((2, 2)), np.array([0, 1]), ["en"])
    with pytest.raises(DataError, match=r"0\.\.1"):
        fit(np.zeros((2, 2)), np.array([0, 2]), ["en", "en"])
    with pytest.raises(DataError, match="2 languages"):
        Calibration().apply(np.zeros((2, 2)), ["en"])
