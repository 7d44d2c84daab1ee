"""The LURE estimator, by hand and by enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.errors import DataError
from xlt.payoff.lure import capped, effective_number, lure, lure_weights, weighted_accuracy
from xlt.sampling.control import mix_in_control
from xlt.tasks.metrics import wilson


def test_weights_by_hand():
    """N = 4, M = 2: v_1 = 1 + 2/3 (1/(4 q) - 1), v_2 = 1 + 2/2 (1/(3 q) - 1)."""
    found = lure_weights(np.array([0.5, 0.25]), 4)
    assert found == pytest.approx([1 + 2 / 3 * (0.5 - 1), 1 + (4 / 3 - 1)])
    assert lure(np.array([1.0, 0.0]), found) == pytest.approx(1 / 3)


def test_uniform_picks_weigh_alike():
    """Drawn at random there is nothing to put right."""
    assert lure_weights(1 / np.arange(9, 4, -1), 9) == pytest.approx(np.ones(5))


def test_the_whole_pool_needs_no_weights():
    """All labels there: the mean is the truth, whatever the chances were."""
    assert lure_weights(np.array([0.9, 0.05, 1.0]), 3).tolist() == [1, 1, 1]


@pytest.mark.parametrize("bad", [0.0, -0.1, 1.1, np.nan])
def test_impossible_chances_are_refused(bad):
    """A text without a chance cannot have been picked."""
    with pytest.raises(DataError, match="propensity must be in"):
        lure_weights(np.array([0.5, bad]), 4)


def test_more_picks_than_texts_are_refused():
    """Somebody counted wrong."""
    with pytest.raises(DataError, match="at most 1 picks"):
        lure_weights(np.array([0.5, 0.5]), 1)


@settings(max_examples=30)
@given(st.integers(2, 5), st.data())
def test_the_estimate_is_unbiased(n, data):
    """All sequences of picks enumerated, the chances depending on what was picked before."""
    m = data.draw(st.integers(1, n))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**31)))
    losses = rng.random(n)
    table = {}

    def chances(before: tuple[int, ...]) -> np.ndarray:
        if before not in table:
            table[before] = rng.dirichlet(np.full(n - len(before), 0.7)) * 0.9 + 0.1 / (
                n - len(before)
            )
        return table[before]

    expected = weight = 0.0
    for picks in itertools.permutations(range(n), m):
        q = []
        for k in range(m):
            left = [i for i in range(n) if i not in picks[:k]]
            q.append(float(chances(picks[:k])[left.index(picks[k])]))
        v = lure_weights(np.array(q), n)
        expected += np.prod(q) * lure(losses[list(picks)], v)
        weight += np.prod(q) * v.mean()
    assert expected == pytest.approx(losses.mean())
    assert weight == pytest.approx(1)


def test_the_estimate_is_unbiased_under_our_sampler():
    """Choice prefers what the model gets wrong: the plain mean is far off, LURE is not."""
    rng = np.random.default_rng(0)
    losses = (np.arange(60) < 20).astype(float)
    plain, weighted = [], []
    for _ in range(6000):
        found = mix_in_control(np.arange(60), rng.random(60), 0.2, rng)
        picked = losses[found.order[:15]]
        plain.append(picked.mean())
        weighted.append(lure(picked, lure_weights(found.propensity[:15], 60)))
    assert np.mean(plain) > 0.8
    error = np.std(weighted) / np.sqrt(len(weighted))
    assert abs(np.mean(weighted) - 1 / 3) < 4 * error < 0.05


def test_no_weight_is_above_its_share_of_the_sum():
    """A quarter of 8 is 2; what is below stays."""
    assert capped(np.array([5.0, 2.0, 1.0])).tolist() == [2, 2, 1]


def test_labels_at_random_have_wilsons_interval():
    """Equal weights and audit labels are one random sample."""
    right = np.array([1.0, 1.0, 0.0, 1.0])
    found = weighted_accuracy(right, np.ones(4), np.array([1.0, 0.0]))
    assert (found.low, found.high) == pytest.approx(wilson(4, 6))
    assert (found.accuracy, found.labels, found.effective) == pytest.approx((4 / 6, 6, 6))


def test_nothing_judged_says_nothing():
    """From 0 to 1."""
    none = np.zeros(0)
    found = weighted_accuracy(none, np.zeros(0), none)
    assert (found.low, found.high, found.effective) == (0, 1, 0)


def test_chosen_labels_alone_say_next_to_nothing():
    """Nineteen chosen labels without a random one among them are not nineteen random labels."""
    v = lure_weights(np.full(19, 0.9), 1000)
    assert effective_number(v) < 1
    found = weighted_accuracy(np.ones(19), v, np.zeros(0))
    assert found.low < 0.3


@pytest.mark.parametrize("m", [40, 150])
def test_the_interval_holds_the_truth_as_often_as_it_says(m):
    """Pools of 600, choice that prefers errors, a tenth at random: at least 93 of 100."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        wrong = rng.random(600) < 0.4
        wanted = np.argsort(-(wrong + rng.normal(0, 0.5, 600)))
        found = mix_in_control(wanted, rng.random(600), 0.1, rng)
        v = capped(lure_weights(found.propensity[:m], 600))
        credit = 1.0 - wrong[found.order[:m]]
        said = weighted_accuracy(credit, v, 1.0 - (rng.random(m // 9) < 0.4))
        held += said.low <= 1 - wrong.mean() <= said.high
    assert held / 300 >= 0.93


def test_graded_credit_by_hand():
    """Weights 3 and 1 with credit 0.5 and 1: 1.6 labels' worth at 0.625; one audit label of 0.2."""
    found = weighted_accuracy(np.array([0.5, 1.0]), np.array([3.0, 1.0]), np.array([0.2]))
    assert found.effective == pytest.approx(1.6 + 1)
    assert found.accuracy == pytest.approx((1.6 * 0.625 + 0.2) / 2.6)
    assert (found.low, found.high) == pytest.approx(wilson(1.2, 2.6))
    assert found.labels == 3


@pytest.mark.parametrize("m", [40, 150])
def test_the_interval_holds_for_graded_credit_too(m):
    """The same pools, but an error still earns some of the credit."""
    rng = np.random.default_rng(4)
    held = 0
    for _ in range(300):
        worth = np.where(rng.random(600) < 0.4, rng.random(600) * 0.6, 1.0)
        wanted = np.argsort(worth + rng.normal(0, 0.5, 600))
        found = mix_in_control(wanted, rng.random(600), 0.1, rng)
        v = capped(lure_weights(found.propensity[:m], 600))
        said = weighted_accuracy(worth[found.order[:m]], v, rng.choice(worth, m // 9))
        held += said.low <= worth.mean() <= said.high
    assert held / 300 >= 0.93
