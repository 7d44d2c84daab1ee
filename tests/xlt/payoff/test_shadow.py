"""The shadow test of chosen against random labels, on known cases."""

from __future__ import annotations

import numpy as np
import pytest

from tests.xlt.graded import Stars
from tests.xlt.payoff.texts import labels, named, numbers, replaced
from xlt.payoff.shadow import Comparison, Shadow, falls_back, shadow_test
from xlt.tasks.intervals import Interval


def arms(n: int, random: int) -> tuple[np.ndarray, np.ndarray]:
    """The last labels were drawn at random, the others chosen."""
    at_random = np.arange(n) >= n - random
    return ~at_random, at_random


TARGETS = ["l0", "l1", "l2", "l3"]


def outcome(data, chosen, random, seed=0, targets=TARGETS):
    """A shadow test by a fresh generator."""
    return shadow_test(data, chosen, random, targets, np.random.default_rng(seed))


def test_where_choosing_hurts_it_is_found():
    """Half of what was chosen is noise that annotators cannot tell apart."""
    data = labels(0, 700)
    chosen, random = arms(700, 160)
    rng = np.random.default_rng(1)
    noise = chosen & (rng.random(700) < 0.7)
    y = np.where(noise, rng.integers(0, 4, 700), numbers(data))
    found = outcome(replaced(data, answers=named(y)), chosen, random)
    assert found is not None
    assert found.overall.gain.high < 0
    assert falls_back(False, found)


def test_graded_credit_is_compared_as_well():
    """The same noise, but a wrong answer can be nearly right: less is lost, and it is found."""
    data = labels(0, 700)
    chosen, random = arms(700, 160)
    rng = np.random.default_rng(1)
    noise = chosen & (rng.random(700) < 0.7)
    noisy = replaced(data, answers=named(np.where(noise, rng.integers(0, 4, 700), numbers(data))))
    found = outcome(replaced(noisy, task=Stars(labels=noisy.task.labels)), chosen, random)
    assert found is not None
    assert outcome(noisy, chosen, random).overall.gain.value < found.overall.gain.value < 0
    assert found.overall.gain.high < 0


def test_where_choosing_helps_it_is_found():
    """Two thirds of the texts are garbled; the sampler keeps away from them."""
    data = labels(0, 1500, width=30, noise=2.0)
    rng = np.random.default_rng(0)
    garbled = rng.random(1500) < 0.67
    noise = 8 * rng.standard_normal(data.vectors.shape).astype(np.float32)
    chosen, random = arms(1500, 300)
    vectors = np.where(garbled[:, None], noise, data.vectors)
    found = outcome(replaced(data, vectors=vectors), chosen & ~garbled, random)
    assert found is not None
    assert found.overall.gain.low > 0
    assert not falls_back(False, found)
    assert found.overall.doublings is None or found.overall.doublings.low > 0


def test_labels_saved_are_counted_in_doublings():
    """Of four chosen texts three say nothing: four hundred are worth a hundred random ones."""
    data = labels(5, 2500, langs=1, width=60, noise=3.5)
    chosen, random = arms(2500, 500)
    mute = chosen & (np.arange(2500) % 4 > 0)
    vectors = np.where(mute[:, None], data.vectors[~mute].mean(axis=0), data.vectors)
    found = outcome(replaced(data, vectors=vectors), chosen, random)
    assert found is not None
    assert found.labels == 400
    assert found.overall.doublings is not None
    assert found.overall.doublings.value == pytest.approx(-2, abs=0.5)
    assert found.overall.doublings.low < -2 < found.overall.doublings.high < 0


def test_where_nothing_matters_there_are_few_alarms():
    """Chosen labels that are random ones: 30 tests, the interval leaves zero in at most 2."""
    alarms = 0
    for seed in range(30):
        chosen, random = arms(360, 80)
        found = outcome(labels(seed, 360), chosen, random, seed)
        assert found is not None
        alarms += not found.overall.gain.low <= 0 <= found.overall.gain.high
    assert alarms <= 2


def test_translations_give_nothing_away():
    """A chosen label whose translation is judged does not train, whatever it would tell."""
    rng = np.random.default_rng(0)
    data = labels(3, 600, width=80)
    chosen, random = arms(600, 200)
    x = rng.standard_normal(data.vectors.shape).astype(np.float32)
    y, groups = rng.integers(0, 4, 600), data.groups.copy()  # nothing can be learned
    x[:200], y[:200], groups[:200] = x[400:], y[400:], groups[400:]
    copies = replaced(data, vectors=x, answers=named(y), groups=groups)
    found = outcome(copies, chosen, random)
    strangers = outcome(replaced(copies, groups=data.groups), chosen, random)
    assert found is not None
    assert strangers is not None
    assert abs(found.overall.gain.value) < 0.08
    assert strangers.overall.gain.value > 0.15


def test_few_labels_say_nothing():
    """None, and what was decided before stays."""
    chosen, random = arms(60, 15)
    found = outcome(labels(0, 60), chosen, random)
    assert found is None
    assert falls_back(True, None)
    assert not falls_back(False, None)
    nobody = np.zeros(60, bool)
    assert outcome(labels(0, 60), nobody, nobody) is None
    assert outcome(labels(0, 60), chosen, random, targets=["xx"]) is None


def test_languages_are_judged_where_they_have_labels():
    """A language of whose labels a split may hold none has no result of its own."""
    data = labels(4, 900)
    langs = data.langs.copy()
    langs[-5:] = "rare"
    chosen, random = arms(900, 240)
    found = outcome(replaced(data, langs=langs), chosen, random, targets=[*TARGETS, "rare"])
    assert found is not None
    assert set(found.languages) == set(TARGETS)
    assert found.judged == 240


def test_a_seed_gives_one_result():
    """The same generator, the same numbers."""
    chosen, random = arms(300, 80)
    assert outcome(labels(0, 300), chosen, random) == outcome(labels(0, 300), chosen, random)


def comparison(value: float, low: float, high: float) -> Shadow:
    """A test's result with this gain."""
    gain = Interval(value=value, low=low, high=high)
    overall = Comparison(gain=gain, doublings=None)
    return Shadow(overall=overall, languages={}, labels=50, judged=60)


@pytest.mark.parametrize(
    ("before", "gain", "after"),
    [
        (False, (-0.05, -0.09, -0.01), True),
        (False, (-0.05, -0.12, 0.02), False),
        (False, (0.05, 0.01, 0.09), False),
        (True, (-0.05, -0.12, 0.02), True),
        (True, (0.001, -0.1, 0.1), False),
        (True, (0.05, 0.01, 0.09), False),
    ],
)
def test_it_falls_back_when_clearly_worse_and_comes_back_when_not_worse(before, gain, after):
    """Between the two nothing changes."""
    assert falls_back(before, comparison(*gain)) is after


def test_labels_saved_by_hand():
    """One doubling: half; minus one: as many again are lost; a factor of 16: nobody knows."""
    gain = Interval(value=0.1, low=0, high=0.2)
    d = Interval(value=0.0, low=-1.0, high=1.0)
    found = Comparison(gain=gain, doublings=d).saved
    assert found is not None
    assert (found.value, found.low, found.high) == (0.0, -1.0, 0.5)
    vague = Interval(value=1.0, low=-2.0, high=2.0)
    assert Comparison(gain=gain, doublings=vague).saved is None
    assert Comparison(gain=gain, doublings=None).saved is None
