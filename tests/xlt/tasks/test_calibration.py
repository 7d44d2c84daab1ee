"""Temperatures per language, against scipy's minimiser, for both links."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, log_softmax, softmax

from xlt.errors import DataError
from xlt.tasks.calibration import Calibration, best_temperature, fit, probabilities
from xlt.tasks.metrics import ece

LINKS = pytest.mark.parametrize("link", ["softmax", "sigmoid"])


def draw(rng, n, scale, link="softmax", classes=4):
    """Logits whose right temperature is `scale`: targets follow the link of logits / scale."""
    logits = rng.normal(size=(n, classes)) * 3
    if link == "sigmoid":
        return logits, (rng.random((n, classes)) < expit(logits / scale)).astype(float)
    p = softmax(logits / scale, axis=1)
    return logits, np.eye(classes)[(p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)]


def nll(log_t, logits, targets, link="softmax"):
    """Mean negative log-likelihood at temperature exp(log_t)."""
    z = logits / math.exp(log_t)
    if link == "sigmoid":
        return (np.logaddexp(0, z) - z * targets).sum(axis=1).mean()
    return -(log_softmax(z, axis=1) * targets).sum(axis=1).mean()


@LINKS
@settings(max_examples=40)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 60), scale=st.floats(0.1, 20))
def test_the_optimum_is_scipys(link, seed, n, scale):
    """The bisected temperature has the loss that scipy's bounded minimiser finds."""
    logits, targets = draw(np.random.default_rng(seed), n, scale, link)
    bounds = (math.log(0.25), math.log(10))
    oracle = minimize_scalar(nll, bounds=bounds, args=(logits, targets, link), method="bounded")
    own = best_temperature(logits, targets, link)
    assert 0.25 * 0.999 <= own <= 10 * 1.001
    assert nll(math.log(own), logits, targets, link) <= oracle.fun + 1e-6


@given(st.integers(0, 2**31), st.sampled_from([1.0, 30.0, 1e4]))
def test_probabilities_are_scipys(seed, scale):
    """Of logits of any size, for both links."""
    logits = np.random.default_rng(seed).normal(size=(5, 3)) * scale
    assert probabilities(logits, "softmax") == pytest.approx(softmax(logits, axis=1))
    assert probabilities(logits, "sigmoid") == pytest.approx(expit(logits))


@LINKS
def test_logits_that_prefer_nothing_keep_their_scale(link):
    """All temperatures are as good; the lowest would make the next logits four times as large."""
    assert best_temperature(np.full((50, 3), 1e-12), np.eye(3)[[0] * 50], link) == 1.0


@LINKS
def test_a_weight_is_a_number_of_copies(link, rng):
    """A row of weight 3 counts as three rows."""
    logits, targets = draw(rng, 30, 2.0, link)
    counts = rng.integers(0, 4, 30)
    copied = best_temperature(np.repeat(logits, counts, 0), np.repeat(targets, counts, 0), link)
    assert best_temperature(logits, targets, link, counts) == pytest.approx(copied)


def test_shrinkage_by_hand(rng):
    """Log T_l is the mean of its own, n times, and the pooled one, k times; that one, of 0."""
    logits, targets = draw(rng, 60, 3.0)
    langs = ["en"] * 40 + ["sw"] * 20
    found = fit(logits, targets, langs, "softmax", prior_strength=100)
    pooled = math.exp(60 * math.log(best_temperature(logits, targets, "softmax")) / (60 + 20))
    own = best_temperature(logits[40:], targets[40:], "softmax")
    assert found.pooled == pytest.approx(pooled)
    expected = math.exp((20 * math.log(own) + 100 * math.log(pooled)) / 120)
    assert found.temperatures["swa"] == pytest.approx(expected)


def calibration_error(p, targets, link):
    """The error of the most probable class, or of every column as a question of its own."""
    if link == "sigmoid":
        return ece(p.ravel(), targets.ravel())
    best = p.argmax(axis=1)
    return ece(p.max(axis=1), targets[np.arange(len(p)), best])


@LINKS
def test_an_overconfident_language_gets_the_higher_temperature(link, rng):
    """With enough labels each language finds its own scale, and its calibration error falls."""
    first, first_targets = draw(rng, 2000, 1.0, link)
    second, second_targets = draw(rng, 2000, 4.0, link)
    logits = np.concatenate([first, second])
    targets = np.concatenate([first_targets, second_targets])
    langs = ["eng_Latn"] * 2000 + ["swh_Latn"] * 2000
    found = fit(logits, targets, langs, link, prior_strength=1)
    assert found.temperatures["eng"] == pytest.approx(1.0, rel=0.1)
    assert found.temperatures["swa"] == pytest.approx(4.0, rel=0.1)
    before, after = probabilities(second, link), found.apply(second, ["sw"] * 2000, link)
    errors = [calibration_error(p, second_targets, link) for p in (after, before)]
    assert errors[0] < 0.05 < errors[1]


def test_no_labels_change_nothing():
    """Without audit labels probabilities are the plain softmax."""
    found = fit(np.empty((0, 3)), np.empty((0, 3)), [], "softmax")
    assert found == Calibration()
    logits = np.array([[1.0, 2.0, 3.0]])
    assert found.apply(logits, ["xx"], "softmax") == pytest.approx(softmax(logits, axis=1))
    assert found.apply(logits, ["xx"], "sigmoid") == pytest.approx(expit(logits))


def test_a_handful_of_labels_changes_little(rng):
    """Five labels that happen to be right do not make the model four times as sure."""
    logits = rng.normal(size=(5, 3)) * 5
    found = fit(logits, np.eye(3)[logits.argmax(axis=1)], ["en"] * 5, "softmax")
    assert 0.7 < found.pooled < 1
    assert 0.7 < found.temperatures["eng"] < 1


@given(st.integers(0, 2**31))
def test_applying_keeps_the_order_of_classes(seed):
    """A temperature never changes which class is most probable; rows sum to 1."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(6, 4)) * 30
    langs = ["en", "sw", "xx"] * 2
    calibration = Calibration(temperatures={"eng": 0.25, "swa": 10.0}, pooled=2.0)
    p = calibration.apply(logits, langs, "softmax")
    assert p.sum(axis=1) == pytest.approx(1)
    assert (p.argmax(axis=1) == logits.argmax(axis=1)).all()
    assert p[2] == pytest.approx(softmax(logits[2] / 2.0))
    assert p[1] == pytest.approx(softmax(logits[1] / 10.0))
    each = calibration.apply(logits, langs, "sigmoid")
    assert (np.diff(np.take_along_axis(each, logits.argsort(axis=1), axis=1)) >= 0).all()
    assert ((each > 0.5) == (logits > 0)).all()


@LINKS
def test_extreme_logits_stay_finite(link):
    """Large logits and certain models give probabilities, not nan."""
    logits = np.array([[1e4, -1e4], [-1e4, 1e4]])
    found = fit(logits, np.eye(2)[[0, 0]], ["en", "en"], link)
    assert np.isfinite(found.apply(logits, ["en", "en"], link)).all()


def test_json_there_and_back(rng):
    """What is saved beside a model is what was fitted."""
    logits, targets = draw(rng, 50, 2.0)
    found = fit(logits, targets, ["ha", "yo"] * 25, "softmax")
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_calibration_is_a_file_beside_the_model(tmp_path):
    """What is saved is loaded; without a file probabilities stay as they are; junk is named."""
    found = Calibration(temperatures={"hau": 1.5}, pooled=1.25)
    assert Calibration.load(tmp_path) == Calibration()
    found.save(tmp_path)
    assert Calibration.load(tmp_path) == found
    (tmp_path / "calibration.json").write_text("{")
    with pytest.raises(DataError, match=r"cannot read .*calibration\.json"):
        Calibration.load(tmp_path)


def test_the_codes_of_an_older_file_still_count():
    """Keys as they were written then, and macrolanguages whose members were one with them."""
    value = {"pooled": 1.0, "temperatures": {"tgl": 2.0, "que": 4.0, "hausa": 8.0}}
    found = Calibration.from_json(value)
    logits, langs = np.array([[8.0, 0.0]] * 5), ["tl", "quy_Latn", "hau", "yo", "my group"]
    expected = np.array([4.0, 2.0, 1.0, 8.0, 8.0])
    assert found.apply(logits, langs, "sigmoid")[:, 0] == pytest.approx(expit(expected))


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
    """Lengths, NaN and targets of another width are errors that say what was seen."""
    right = np.eye(2)
    with pytest.raises(DataError, match=r"rows \[1\]"):
        fit(np.array([[0.0, 1.0], [np.nan, 0.0]]), right, ["en", "en"], "softmax")
    with pytest.raises(DataError, match="languages"):
        fit(np.zeros((2, 2)), right, ["en"], "softmax")
    with pytest.raises(DataError, match=r"\(2, 2\), \(2, 3\)"):
        fit(np.zeros((2, 2)), np.eye(3)[:2], ["en", "en"], "softmax")
    with pytest.raises(DataError, match="2 languages"):
        Calibration().apply(np.zeros((2, 2)), ["en"], "softmax")
