"""What labels are worth: estimators by hand and by enumeration, and on known cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.errors import DataError
from xlt.payoff.arms import Comparison, Shadow, falls_back, shadow_test
from xlt.payoff.intervals import Interval, Resampled, paired_difference
from xlt.payoff.labelled import Labelled
from xlt.payoff.lure import capped, effective_number, lure, lure_weights, weighted_accuracy
from xlt.payoff.marginal import bought_by_last, last_labels
from xlt.sampling.control import mixed
from xlt.tasks.metrics import wilson

# LURE -------------------------------------------------------------------------------------------


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


@settings(deadline=None, max_examples=30)
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
        found = mixed(np.arange(60), rng.random(60), 0.2, rng)
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
    right = np.array([True, True, False, True])
    found = weighted_accuracy(right, np.ones(4), np.array([True, False]))
    assert (found.low, found.high) == pytest.approx(wilson(4, 6))
    assert (found.accuracy, found.labels, found.effective) == pytest.approx((4 / 6, 6, 6))


def test_nothing_judged_says_nothing():
    """From 0 to 1."""
    none = np.zeros(0, bool)
    found = weighted_accuracy(none, np.zeros(0), none)
    assert (found.low, found.high, found.effective) == (0, 1, 0)


def test_chosen_labels_alone_say_next_to_nothing():
    """Nineteen chosen labels without a random one among them are not nineteen random labels."""
    v = lure_weights(np.full(19, 0.9), 1000)
    assert effective_number(v) < 1
    found = weighted_accuracy(np.ones(19, bool), v, np.zeros(0, bool))
    assert found.low < 0.3


@pytest.mark.parametrize("m", [40, 150])
def test_the_interval_holds_the_truth_as_often_as_it_says(m):
    """Pools of 600, choice that prefers errors, a tenth at random: at least 93 of 100."""
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(300):
        wrong = rng.random(600) < 0.4
        wanted = np.argsort(-(wrong + rng.normal(0, 0.5, 600)))
        found = mixed(wanted, rng.random(600), 0.1, rng)
        v = capped(lure_weights(found.propensity[:m], 600))
        said = weighted_accuracy(~wrong[found.order[:m]], v, ~(rng.random(m // 9) < 0.4))
        held += said.low <= 1 - wrong.mean() <= said.high
    assert held / 300 >= 0.93


# Intervals --------------------------------------------------------------------------------------


def test_bonett_and_price_by_hand():
    """N = 10, 3 won, 1 lost: (4/12 - 2/12) +- 1.96 sqrt((6/12 - (2/12)^2) / 12)."""
    found = paired_difference(3, 1, 10)
    half = 1.959964 * np.sqrt((6 / 12 - (2 / 12) ** 2) / 12)
    assert (found.value, found.low, found.high) == pytest.approx(
        (0.2, 2 / 12 - half, 2 / 12 + half), abs=1e-5
    )


@pytest.mark.parametrize(("n", "won", "lost"), [(20, 0.02, 0.02), (30, 0.2, 0.1), (60, 0.05, 0.0)])
def test_paired_differences_are_covered(n, won, lost):
    """Coverage by enumeration of all tables is at least 94 %."""
    from scipy.stats import multinomial

    held = 0.0
    for a in range(n + 1):
        b = np.arange(n + 1 - a)
        table = np.stack([np.full_like(b, a), b, n - a - b], axis=1)
        chance = multinomial.pmf(table, n, [won, lost, 1 - won - lost])
        found = [paired_difference(a, int(k), n) for k in b]
        held += chance[[f.low <= won - lost <= f.high for f in found]].sum()
    assert held >= 0.94


def test_the_corrected_interval_by_hand():
    """Nadeau and Bengio: (1/J + 1/4) in place of 1/J."""
    from scipy.stats import t

    values = np.array([[1.0], [2.0], [4.0], [5.0]])
    found = Resampled.of(values, 0.25).interval(0)
    half = t.ppf(0.975, 3) * np.sqrt((1 / 4 + 1 / 4) * values.var(ddof=1))
    assert (found.value, found.high) == pytest.approx((3, 3 + half))


def test_fiellers_interval_solves_its_equation(rng):
    """At its ends the interval of a - ratio * b just touches zero."""
    values = rng.normal([1.0, 2.0], [0.3, 0.3], size=(15, 2))
    resampled = Resampled.of(values, 0.25)
    found = resampled.ratio(0, 1)
    assert found is not None
    for end in (found.low, found.high):
        line = Resampled.of((values[:, 0] - end * values[:, 1])[:, None], 0.25).interval(0)
        assert min(abs(line.low), abs(line.high)) == pytest.approx(0, abs=1e-9)
    assert found.low < found.value < found.high


def test_a_ratio_to_nothing_is_not_known(rng):
    """Where random labels do not clearly help, nobody can say how many would be needed."""
    values = rng.normal([1.0, 0.0], [0.3, 0.3], size=(15, 2))
    assert Resampled.of(values, 0.25).ratio(0, 1) is None


# The shadow test --------------------------------------------------------------------------------


def middles(width: int) -> np.ndarray:
    """Where the texts of four classes are."""
    return np.random.default_rng(99).standard_normal((4, width))


def labels(seed: int, n: int, *, langs=4, width=12, noise=1.2):
    """Texts whose classes are directions plus noise, in several languages."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    vectors = middles(width)[y] + noise * rng.standard_normal((n, width))
    return Labelled(
        vectors=vectors.astype(np.float32),
        labels=y,
        langs=np.array([f"l{i}" for i in rng.integers(0, langs, n)], dtype="<U8"),
        groups=np.arange(n).astype(str),
        classes=4,
    )


def arms(n: int, random: int) -> tuple[np.ndarray, np.ndarray]:
    """The last labels were drawn at random, the others chosen."""
    at_random = np.arange(n) >= n - random
    return ~at_random, at_random


def replaced(data: Labelled, **fields) -> Labelled:
    """The same with other labels, languages or groups."""
    names = ("vectors", "labels", "langs", "groups", "classes", "l2")
    return Labelled(**{name: getattr(data, name) for name in names} | fields)


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
    y = np.where(noise, rng.integers(0, 4, 700), data.labels)
    found = outcome(replaced(data, labels=y), chosen, random)
    assert found is not None
    assert found.overall.gain.high < 0
    assert falls_back(False, found)


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
    y, groups = rng.integers(0, 4, 600), data.groups.copy()  # nothing can be learnt
    x[:200], y[:200], groups[:200] = x[400:], y[400:], groups[400:]
    copies = replaced(data, vectors=x, labels=y, groups=groups)
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


# The last labels --------------------------------------------------------------------------------


def test_last_labels_are_a_hundred_or_half():
    """Of few labels the later half."""
    assert [last_labels(n) for n in (0, 1, 31, 200, 1000)] == [0, 0, 15, 100, 100]


def test_the_last_labels_are_found_to_have_bought_what_they_bought():
    """In one language the last labels are the first of any sense, in the other of none."""
    data = labels(7, 1600, langs=2)
    rng = np.random.default_rng(0)
    far = replaced(
        data,
        vectors=np.concatenate(  # nothing of one language helps the other
            [data.vectors * (data.langs == lang)[:, None] for lang in ("l0", "l1")], axis=1
        ),
    )
    trained, judging = np.arange(800), np.arange(800, 1600)
    own = [np.flatnonzero(far.langs[trained] == lang) for lang in ("l0", "l1")]
    y = far.labels.copy()
    y[own[0][:-100]] = rng.integers(0, 4, len(own[0]) - 100)
    found = bought_by_last(replaced(far, labels=y), trained, judging)
    first, second = found["l0"], found["l1"]
    assert first is not None
    assert second is not None
    assert first.labels == second.labels == 100
    assert first.gain.low > 0.1
    assert second.gain.low < 0 < second.gain.high
    assert abs(second.gain.value) < 0.05


def test_it_is_too_early_where_labels_are_few():
    """Few to judge by, few to train on, or none in a language."""
    data = labels(8, 200, langs=2)
    langs = data.langs.copy()
    langs[100:] = "l0"
    few = replaced(data, langs=langs)
    assert bought_by_last(few, np.arange(100), np.arange(185, 200)) == {"l0": None, "l1": None}
    found = bought_by_last(few, np.arange(100), np.arange(100, 200))
    assert found["l0"] is not None
    assert found["l1"] is None


def test_lengths_must_agree():
    """As many labels as vectors."""
    with pytest.raises(DataError, match="expected 60 labels"):
        replaced(labels(0, 60), labels=np.zeros(3, np.intp))
