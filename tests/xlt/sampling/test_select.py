"""The order of a whole pool: complete, fair, reproducible, explained."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.errors import SamplingError
from xlt.sampling.select import Pool, SamplerOptions, select
from xlt.sampling.uncertainty import MEASURES

SLOW = settings(max_examples=40)


def margins(probabilities, measure="margin"):
    """What a model with class probabilities (N, C) says: uncertainty and its name."""
    return {"uncertainty": MEASURES[measure](probabilities), "measure": measure}


def make_pool(seed=0, n=60, langs=("en", "ha", "yo"), d=5, classes=4, model=True, audits=0.2, **kw):
    """A random pool; languages in blocks of random sizes."""
    rng = np.random.default_rng(seed)
    chosen = [langs[i] for i in rng.integers(0, len(langs), n)]
    return Pool(
        ids=[f"t{i}" for i in range(n)],
        langs=chosen,
        **(margins(rng.dirichlet(np.ones(classes), size=n)) if model else {}),
        vectors=rng.standard_normal((n, d)).astype(np.float32) if d else None,
        audit=rng.random(n) < audits,
        **kw,
    )


POOLS = st.builds(
    make_pool,
    seed=st.integers(0, 2**31),
    n=st.integers(0, 80),
    langs=st.sampled_from([("en",), ("en", "ha"), ("en", "ha", "yo", "sw", "ig")]),
    d=st.sampled_from([0, 3, 8]),
    model=st.booleans(),
    audits=st.sampled_from([0.0, 0.2, 1.0]),
    labelled_counts=st.dictionaries(st.sampled_from(["en", "ha", "yo"]), st.integers(0, 60)),
    audit_counts=st.dictionaries(st.sampled_from(["en", "ha", "yo"]), st.integers(0, 9)),
)
OPTIONS = st.builds(
    SamplerOptions,
    batch=st.integers(1, 60),
    source_languages=st.sampled_from([(), ("eng_Latn",), ("en", "ha")]),
    source_share=st.sampled_from([0.0, 0.4, 1.0]),
    quota=st.sampled_from(["equal", "proportional", "adaptive"]),
    floor=st.integers(0, 2),
    audit_share=st.sampled_from([0.0, 0.1, 0.5, 1.0]),
    control_share=st.sampled_from([0.0, 0.1, 0.9, 1.0]),
)


def order(pool, options, seed=5):
    """A selection by a fresh generator."""
    return select(pool, options, np.random.default_rng(seed))


@SLOW
@given(POOLS, OPTIONS)
def test_the_order_is_a_permutation_of_the_pool(pool, options):
    """Every task once, ranks 0..N-1, its own language, the batch in front."""
    found = order(pool, options)
    assert sorted(found.ids) == sorted(pool.ids)
    assert [pick.rank for pick in found.picks] == list(range(len(pool.ids)))
    lang = dict(zip(pool.ids, pool.langs, strict=True))
    assert all(pick.lang == lang[pick.id] for pick in found.picks)
    assert found.batch == min(options.batch, len(pool.ids))
    assert [pick.slot == "rest" for pick in found.picks] == [
        rank >= found.batch for rank in range(len(pool.ids))
    ]


@SLOW
@given(POOLS, OPTIONS)
def test_the_batch_keeps_the_quotas_exactly(pool, options):
    """Languages in the batch are counted as promised."""
    found = order(pool, options)
    counts = Counter(pick.lang for pick in found.picks[: found.batch])
    assert dict(counts) == {lang: n for lang, n in found.quotas.items() if n}


@SLOW
@given(POOLS, OPTIONS)
def test_audit_tasks_are_chosen_in_audit_slots_only(pool, options):
    """Within the batch an audit task never fills a quota slot, nor the other way round."""
    audit = dict(zip(pool.ids, pool.audit, strict=True))
    found = order(pool, options)
    for pick in found.picks[: found.batch]:
        assert audit[pick.id] == (pick.slot == "audit")
    langs = set(pool.langs)
    have_enough = all(
        sum(not audit[i] for i, l in zip(pool.ids, pool.langs, strict=True) if l == lang)  # noqa: E741
        >= found.quotas[lang]
        for lang in langs
    )
    if have_enough:
        drawn = sum(pick.slot == "audit" for pick in found.picks)
        assert drawn <= int(np.floor(found.batch * options.audit_share + 0.5))


@SLOW
@given(POOLS, OPTIONS)
def test_a_seed_gives_one_order(pool, options):
    """The same generator state, the same picks, reasons included."""
    assert order(pool, options) == order(pool, options)


@SLOW
@given(POOLS, OPTIONS)
def test_names_of_languages_do_not_matter(pool, options):
    """Languages by other names: the same order of tasks."""
    names = {"en": "aaa", "ha": "zzz", "yo": "mmm", "sw": "bbb", "ig": "yyy"}
    sources = {"eng_Latn": "aaa", "en": "aaa", "ha": "zzz"}
    renamed = replace(
        pool,
        langs=[names[lang] for lang in pool.langs],
        labelled_counts={names[lang]: n for lang, n in pool.labelled_counts.items()},
        audit_counts={names[lang]: n for lang, n in pool.audit_counts.items()},
    )
    other = replace(options, source_languages=tuple(sources[s] for s in options.source_languages))
    assert order(renamed, other).ids == order(pool, options).ids


@SLOW
@given(POOLS, OPTIONS)
def test_every_pick_says_why(pool, options):
    """Each reason is a sentence of its own kind."""
    for pick in order(pool, options).picks:
        assert pick.reason
        if pick.slot in ("audit", "control"):
            assert "at random" in pick.reason
        if pick.slot != "rest":
            assert f"{pick.lang} gets" in pick.reason


def test_a_new_pool_without_a_model_is_ordered_by_typicality():
    """Cold start: no model, vectors only; no pick claims an uncertainty."""
    chosen = SamplerOptions(source_languages=("en",), control_share=0)
    found = order(make_pool(model=False, n=200), chosen)
    assert found.phase == "typicality"
    assert all(pick.uncertainty is None for pick in found.picks)
    assert sum("typical: covers" in pick.reason for pick in found.picks) == 45


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"labelled_counts": {"en": 19}}, "typicality"),
        ({"labelled_counts": {"en": 10, "ha": 10}}, "margin"),
        ({"labelled_counts": {"en": 10, "ha": 10}, "vectors": None}, "margin"),
        ({"labelled_counts": {"en": 20}, "measure": "entropy"}, "entropy"),
        ({"uncertainty": None, "vectors": None}, "random"),
    ],
)
def test_phases(changes, phase):
    """Doubts count once the languages have labels together; without a model there are none."""
    assert order(replace(make_pool(), **changes), SamplerOptions()).phase == phase


def test_codes_of_one_language_are_one_language():
    """Tasks that say `ha` and `hau_Latn` share one quota."""
    pool = make_pool(langs=("en", "ha", "hau_Latn"))
    found = order(
        pool, SamplerOptions(source_languages=("eng",), quota="equal", batch=20, source_share=0.4)
    )
    assert sorted(found.quotas.values()) == [8, 12]


def test_the_uncertain_come_first_in_a_warm_language():
    """Without vectors the order within a language is that of the margin, ties aside."""
    pool = make_pool(n=40, langs=("ha",), d=0, audits=0, labelled_counts={"ha": 99})
    seen = [
        pick.uncertainty for pick in order(pool, SamplerOptions(batch=10, control_share=0)).picks
    ]
    assert seen == sorted(seen, reverse=True)


def test_the_batch_is_where_the_model_is_unsure_and_varied():
    """Warm: each crowd that it is unsure of before a second text of one; the known one never."""
    rng = np.random.default_rng(0)
    crowd = np.repeat(np.arange(5), 80)
    top = np.where(crowd == 4, 0.99, 0.55)
    pool = Pool(
        ids=[str(i) for i in range(400)],
        langs=["ha"] * 400,
        **margins(np.stack([top, 1 - top], axis=1)),
        vectors=3 * np.eye(16)[crowd] + 0.3 * rng.standard_normal((400, 16)),
        labelled_counts={"ha": 99},
    )
    found = order(pool, SamplerOptions(batch=8, cold_labels=1))
    chosen = [crowd[int(pick.id)] for pick in found.picks[:8]]
    assert sorted(chosen[:4]) == [0, 1, 2, 3]
    assert 4 not in chosen


def test_a_batch_does_not_say_the_same_in_two_languages():
    """Translations are no twins, but one of them speaks for the other."""
    rows = 3.0 * np.eye(12)
    pool = Pool(
        ids=[f"{lang}{i}" for lang in ("ha", "yo") for i in range(12)],
        langs=["ha"] * 12 + ["yo"] * 12,
        vectors=np.concatenate([rows, rows + 0.1]),
    )
    found = order(pool, SamplerOptions(batch=12, quota="equal", control_share=0))
    assert len({pick.id[2:] for pick in found.picks[:12]}) == 12


def test_few_audit_labels_say_little_of_a_language():
    """Two languages judged by two labels each get as much as one that nobody judged."""
    pool = Pool(
        ids=[str(i) for i in range(300)],
        langs=["ha"] * 100 + ["yo"] * 100 + ["ig"] * 100,
        accuracies={"ha": 0.34, "yo": 0.1},
        audit_counts={"ha": 2, "yo": 2},
    )
    assert set(order(pool, SamplerOptions(batch=30)).quotas.values()) == {10}
    many = replace(pool, accuracies={"ha": 0.9, "yo": 0.3}, audit_counts={"ha": 300, "yo": 300})
    found = order(many, SamplerOptions(batch=30)).quotas
    assert found["ha"] < found["ig"] < found["yo"]


def test_all_spellings_of_a_language_are_one_in_quotas():
    """Tasks, labels and accuracies, each weighted by its audit labels."""
    pool = Pool(
        ids=[str(i) for i in range(300)],
        langs=["ha"] * 100 + ["yo"] * 50 + ["Yoruba"] * 50 + ["ig"] * 100,
        accuracies={"ha": 0.5, "yor": 0.1, "Yorùbá": 0.6, "ig": 0.5},
        audit_counts={"ha": 300, "yor": 60, "Yorùbá": 240, "ig": 300},
    )
    assert order(pool, SamplerOptions(batch=30)).quotas == {"ha": 10, "yo": 10, "ig": 10}


def test_picks_name_their_labelled_neighbours():
    """The nearest first, of any language, for chosen texts; none where ids are unknown."""
    rows = 3.0 * np.eye(12)
    pool = Pool(
        ids=["a", "b", "c"],
        langs=["ha"] * 3,
        vectors=rows[:3],
        labelled_vectors=np.concatenate([rows[[2, 1]] + 0.2, rows[3:]]),
        labelled_langs=["yo"] * 11,
        labelled_ids=[f"known{i}" for i in (2, 1, *range(3, 12))],
    )
    found = order(pool, SamplerOptions(batch=2))
    for pick in found.picks:
        assert len(pick.neighbours) == (3 if pick.slot == "quota" else 0)
    near = {pick.id: pick.neighbours[0] for pick in found.picks[:2]}
    assert near.get("b", "known1") == "known1"
    assert near.get("c", "known2") == "known2"
    unnamed = order(replace(pool, labelled_ids=()), SamplerOptions(batch=2))
    assert not any(pick.neighbours for pick in unnamed.picks)


def test_a_language_that_comes_later_gets_its_share_at_once():
    """Hundreds of labels elsewhere, none here: more slots than the others, by typical texts."""
    rng = np.random.default_rng(0)
    pool = Pool(
        ids=[str(i) for i in range(300)],
        langs=["ha"] * 100 + ["yo"] * 100 + ["ig"] * 100,
        **margins(rng.dirichlet(np.ones(3), size=300)),
        vectors=rng.standard_normal((300, 8)),
        labelled_counts={"ha": 300, "yo": 300},
        labelled_vectors=rng.standard_normal((600, 8)),
        labelled_langs=["ha"] * 300 + ["yo"] * 300,
    )
    found = order(pool, SamplerOptions(batch=30))
    assert found.quotas["ig"] > 2 * found.quotas["ha"]


def test_answers_that_come_late_do_not_move_the_others():
    """Skipped, deleted and answered tasks leave the pool: the rest is still ordered whole."""
    pool = make_pool(n=60, labelled_counts={"en": 30})
    kept = [i for i in range(60) if i % 7]
    left = replace(
        pool,
        ids=[pool.ids[i] for i in kept],
        langs=[pool.langs[i] for i in kept],
        uncertainty=pool.uncertainty[kept],
        vectors=pool.vectors[kept],
        audit=pool.audit[kept],
    )
    assert sorted(order(left, SamplerOptions()).ids) == sorted(left.ids)


def test_labels_without_vectors_are_counted_only():
    """Labels that came from elsewhere: nothing to be near to."""
    pool = replace(make_pool(), labelled_langs=["en"] * 30)
    assert order(pool, SamplerOptions()).phase == "margin"


def test_near_duplicates_stand_last_and_name_their_twin():
    """Of texts that say the same, one is early; the others come after all the rest."""
    pool = make_pool(n=40, langs=("ha",), audits=0, d=32)
    vectors = np.concatenate([pool.vectors, pool.vectors[:10]])
    unsure = np.concatenate([pool.uncertainty, pool.uncertainty[:10]])
    pool = Pool(
        ids=[f"t{i}" for i in range(50)], langs=["ha"] * 50, vectors=vectors, uncertainty=unsure
    )
    for warm in (0, 99):
        warmed = replace(pool, labelled_counts={"ha": warm})
        found = order(warmed, SamplerOptions(batch=30, control_share=0))
        last = found.picks[-10:]
        assert all("says nearly the same as task" in pick.reason for pick in last)
        assert {int(pick.id[1:]) % 40 for pick in last} == set(range(10))
        assert len({int(pick.id[1:]) % 40 for pick in found.picks[:40]}) == 40


def test_a_chosen_text_counts_those_that_say_the_same():
    """Near-duplicates are represented once, with their number."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((12, 30))
    vectors[9:] = vectors[0] + 1e-3
    pool = Pool(ids=[str(i) for i in range(12)], langs=["ha"] * 12, vectors=vectors)
    found = order(pool, SamplerOptions(batch=9))
    [chosen] = [pick for pick in found.picks if "more say" in pick.reason]
    assert chosen.id in {"0", "9", "10", "11"}
    assert chosen.reason.endswith("; 3 more say nearly the same")


@SLOW
@given(POOLS, OPTIONS, st.integers(0, 99))
def test_what_is_held_back_comes_last_of_its_language(pool, options, seed):
    """In the batch only where nothing else of the language is left; audit tasks aside."""
    rng = np.random.default_rng(seed)
    audit = dict(zip(pool.ids, pool.audit, strict=True))
    held = {id: "has no letters" for id in pool.ids if rng.random() < 0.2 and not audit[id]}
    found = order(replace(pool, held_back=held), options)
    for lang in set(pool.langs):
        main = [p for p in found.picks if p.lang == lang and not audit[p.id]]
        waits = [p.id in held for p in main]
        assert waits == sorted(waits)
        assert all(("comes last: has no letters" in p.reason) == (p.id in held) for p in main)


def test_twins_of_labelled_texts_stand_last():
    """What an annotator has answered already is not asked again in other words."""
    pool = make_pool(n=30, langs=("ha",), audits=0, d=32)
    pool = replace(pool, labelled_vectors=pool.vectors[:5] * 2, labelled_langs=["hau_Latn"] * 5)
    found = order(pool, SamplerOptions(batch=20, control_share=0))
    assert {pick.id for pick in found.picks[-5:]} == {f"t{i}" for i in range(5)}
    assert all("a labelled text" in pick.reason for pick in found.picks[-5:])


def test_texts_of_different_languages_are_no_twins():
    """A translation is not a duplicate."""
    rows = np.random.default_rng(0).standard_normal((10, 8))
    pool = Pool(
        ids=[str(i) for i in range(20)],
        langs=["en"] * 10 + ["ha"] * 10,
        vectors=np.concatenate([rows, rows]),
    )
    assert not any("same as" in pick.reason for pick in order(pool, SamplerOptions()).picks)


def test_every_beginning_of_the_order_is_fair():
    """Source and targets are within two of their shares at any rank, batch and rest alike."""
    langs = ["en"] * 400 + [f"l{i % 9}" for i in range(900)]
    n = len(langs)
    pool = Pool(ids=[str(i) for i in range(n)], langs=langs, audit=np.arange(n) % 10 == 0)
    found = order(
        pool, SamplerOptions(batch=50, source_languages=("en",), quota="equal", source_share=0.4)
    )
    english = np.cumsum([pick.lang == "en" for pick in found.picks])
    audits = np.cumsum([pick.slot == "audit" for pick in found.picks[:50]])
    for rank in range(600):
        assert abs(english[rank] - 0.4 * (rank + 1)) <= 2
    for rank in range(50):
        assert abs(audits[rank] - 0.1 * (rank + 1)) <= 1
    for rank in (49, 99, 399):
        counts = Counter(p.lang for p in found.picks[: rank + 1] if p.lang != "en")
        assert max(counts.values()) - min(counts.values()) <= 1


def test_audit_slots_even_out_over_rounds():
    """The languages with the fewest audit labels get the next ones."""
    had = {f"l{i}": 3 for i in range(5)} | {f"l{i}": 0 for i in range(5, 10)}
    pool = Pool(
        ids=[str(i) for i in range(500)],
        langs=[f"l{i % 10}" for i in range(500)],
        audit=np.arange(500) % 7 == 0,
        audit_counts=had,
    )
    found = order(pool, SamplerOptions(batch=50))
    assert {p.lang for p in found.picks if p.slot == "audit"} == {f"l{i}" for i in range(5, 10)}


def test_ties_are_not_broken_by_position():
    """All equally uncertain: another seed gives another order, and none is the pool's."""
    pool = Pool(
        ids=[str(i) for i in range(30)],
        langs=["ha"] * 30,
        uncertainty=np.ones(30),
        labelled_counts={"ha": 99},
    )
    one, two = (order(pool, SamplerOptions(), seed).ids for seed in (1, 2))
    assert one != two
    assert list(pool.ids) not in (one, two)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_pools_smaller_than_the_batch(n):
    """No task, one task, fewer than the batch: all of it is the batch."""
    found = order(make_pool(n=n, model=n > 0, d=3 if n else 0), SamplerOptions())
    assert found.batch == len(found.picks) == n


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": ["a", "b", "b"]}, "'b' twice"),
        ({"langs": ["en"] * 2}, "3 langs"),
        ({"audit": np.zeros(2, bool)}, "3 audit"),
        ({"uncertainty": np.full(2, 0.5)}, r"shape \(3,\), got \(2,\)"),
        ({"uncertainty": np.full((3, 2), 0.5)}, r"\(3, 2\)"),
        ({"uncertainty": np.array([0.5, np.nan, 0.5])}, r"row\(s\) 1"),
        ({"uncertainty": np.array([0.5, 0.5, 1.5])}, r"row\(s\) 2"),
        ({"random_keys": np.zeros(4)}, "3 random_keys"),
        ({"vectors": np.array([[1.0], [1.0], [np.inf]])}, r"row\(s\) 2"),
        ({"vectors": np.ones(3)}, r"\(3,\)"),
        ({"vectors": np.ones((3, 2)), "labelled_vectors": np.ones((1, 3)), "labelled_langs": ["e"]},
         "same width"),
        ({"labelled_vectors": np.ones((2, 2)), "labelled_langs": ["en"]}, "labelled_vectors"),
        ({"labelled_langs": ["en"], "labelled_ids": ["a", "b"]}, "expected 1 labelled_ids"),
    ],
    ids=[
        "twice", "langs", "audit", "rows", "columns", "nan", "range", "keys", "inf", "shape",
        "width", "labelled", "names",
    ],
)  # fmt: skip
def test_broken_pools_are_refused(change, message):
    """What does not fit together is an error that names it."""
    pool = replace(Pool(ids=["a", "b", "c"], langs=["en"] * 3), **change)
    with pytest.raises(SamplingError, match=message):
        order(pool, SamplerOptions())


def test_sampling_needs_no_torch():
    """Choosing what to label loads neither torch nor transformers."""
    code = "import sys, xlt.sampling.select; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
