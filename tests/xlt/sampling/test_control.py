"""Control tasks: every chance is known, and what was drawn is a random sample."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.sampling.test_select import make_pool, order
from xlt.sampling.control import mix_in_control, random_key, random_sample
from xlt.sampling.select import SamplerOptions


@given(st.integers(0, 40), st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]), st.integers(0, 2**31))
def test_the_order_is_two_orders_laid_into_one_another(k, share, seed):
    """Each place has the first, by choice or by random key, of the rows that have none yet."""
    rng = np.random.default_rng(seed)
    rows, random_keys = rng.permutation(k), rng.random(k)
    found = mix_in_control(rows, random_keys, share, rng)
    left, by_key = rows.tolist(), np.argsort(random_keys).tolist()
    for row, control in zip(found.order.tolist(), found.control.tolist(), strict=True):
        assert row == (by_key if control else left)[0]
        left.remove(row)
        by_key.remove(row)
    assert not left
    if share in (0.0, 1.0):
        assert found.control.all() == (share == 1.0) or k == 0


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_propensities_are_the_frequencies(share):
    """Lots and coins drawn again and again: each task has its place as often as it says."""
    rng = np.random.default_rng(1)
    rows, draws = np.arange(4), 20_000
    seen: Counter[tuple[int, ...]] = Counter()
    chance = {}
    for _ in range(draws):
        found = mix_in_control(rows, rng.random(4), share, rng)
        seen[tuple(found.order.tolist())] += 1
        chance[tuple(found.order.tolist())] = float(found.propensity.prod())
    assert len(chance) == 24
    assert sum(chance.values()) == pytest.approx(1)
    for sequence, p in chance.items():
        assert abs(seen[sequence] / draws - p) < 5 * np.sqrt(p / draws)


def test_a_random_key_is_for_good_and_even():
    """The same for every process; uniform over tasks; another one in another project."""
    random_keys = [random_key(str(i), salt="a") for i in range(4000)]
    assert random_keys == [random_key(str(i), salt="a") for i in range(4000)]
    assert np.allclose(np.quantile(random_keys, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.03)
    assert random_key("1", salt="a") != random_key("1", salt="b")
    assert (
        np.corrcoef(random_keys, [random_key(str(i), salt="b") for i in range(4000)])[0, 1] < 0.05
    )


def test_the_sample_is_random_although_choosing_took_some_of_it():
    """Choice takes what is good, in many short orders: the sample is as good as the pool."""
    rng = np.random.default_rng(0)
    n, shares, sizes = 200, [], []
    good = np.arange(n) < 60
    for _ in range(300):
        random_keys, labelled = rng.random(n), np.zeros(n, bool)
        for _ in range(8):
            wanted = np.flatnonzero(~labelled)
            wanted = wanted[np.argsort(~good[wanted], kind="stable")]
            found = mix_in_control(wanted, random_keys, 0.3, rng)
            labelled[found.order[:10]] = True
        sample = random_sample(random_keys, labelled, np.full(n, "ha"))
        assert not (sample & ~labelled).any()
        shares.append(good[sample].mean())
        sizes.append(sample.sum())
    assert np.mean(sizes) > 0.3 * 80
    assert np.mean(shares) == pytest.approx(good.mean(), abs=0.04)
    assert good[labelled].mean() > 0.6


def test_a_few_tasks_that_nobody_labels_do_not_hold_up_the_sample():
    """One task in eleven is skipped by everybody; another language has no labels at all."""
    random_keys, labelled = np.arange(200) / 200, np.arange(200) % 11 != 3
    labelled[100:] = False
    langs = np.repeat(["ha", "yo"], 100)
    assert random_sample(random_keys, labelled, langs).sum() == labelled.sum()


def test_control_slots_are_a_share_of_the_others():
    """About one in ten of the batch, none where none is wanted, all where all are."""
    pool = make_pool(n=2000, audits=0.1)
    for share in (0.0, 0.1, 1.0):
        found = order(pool, SamplerOptions(batch=500, control_share=share))
        slots = Counter(pick.slot for pick in found.picks[:500])
        of = slots["control"] / (slots["control"] + slots["quota"])
        assert of == pytest.approx(share, abs=0.05)


def test_every_task_has_a_chance():
    """Propensities are above zero, and the first of a language was drawn from all of them."""
    pool = make_pool(n=300, audits=0.2)
    found = order(pool, SamplerOptions(batch=50))
    kinds: dict[tuple[str, bool], list] = {}
    audit = dict(zip(pool.ids, pool.audit, strict=True))
    for pick in found.picks:
        assert 0 < pick.propensity <= 1
        kinds.setdefault((pick.lang, bool(audit[pick.id])), []).append(pick)
    for (_, is_audit), picks in kinds.items():
        assert [pick.remaining for pick in picks] == list(range(len(picks), 0, -1))
        if is_audit:
            assert all(p.propensity == pytest.approx(1 / p.remaining) for p in picks)


def test_random_keys_decide_what_is_drawn():
    """The same keys, other coins and another order: the same control tasks first."""
    pool = make_pool(n=400, langs=("ha",), audits=0)
    pool = type(pool)(
        ids=pool.ids,
        langs=pool.langs,
        uncertainty=pool.uncertainty,
        vectors=pool.vectors,
        random_keys=np.array([random_key(id, salt="s") for id in pool.ids]),
    )
    drawn = [
        [p.id for p in order(pool, SamplerOptions(batch=100), seed).picks if p.slot == "control"]
        for seed in (1, 2, 3)
    ]
    first = set(np.array(pool.ids)[np.argsort(pool.random_keys)][:30])
    assert all(len(ids) >= 3 and set(ids) <= first for ids in drawn)


def test_a_sampler_that_fell_back_says_so():
    """Why most are drawn at random."""
    found = order(make_pool(), SamplerOptions(control_share=0.9))
    assert any("random labels gave better models" in pick.reason for pick in found.picks)


def test_what_waits_for_all_others_is_in_no_draw():
    """Held-back texts keep their places at the end, and are not among those that are left."""
    found = mix_in_control(
        np.arange(9), np.linspace(0.9, 0, 9), 0.5, np.random.default_rng(0), last=3
    )
    assert found.order[6:].tolist() == [6, 7, 8]
    assert found.remaining.tolist() == [6, 5, 4, 3, 2, 1, 1, 1, 1]
    assert not found.control[6:].any()
