"""Herding: against brute force, by hand, and what it is for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.sampling import herding
from xlt.sampling.batch import reference_weights
from xlt.sampling.directions import unit
from xlt.sampling.geometry import measure_pool, reference_rows, source_nearness
from xlt.sampling.herding import herd, kernel_width
from xlt.sampling.pool import Pool, SamplerOptions
from xlt.sampling.shares import number_languages

QUICK = settings(max_examples=30)


def brute(candidates, kinds, room, references, weights, labelled):
    """Every gain afresh at every step."""
    left = np.minimum(room, np.bincount(kinds, minlength=len(room)))
    width = kernel_width(references, len(labelled) + int(left.sum()))
    reach = np.exp((candidates @ references.T - 1) * 2 / width)
    cover = np.exp((labelled @ references.T - 1) * 2 / width).max(axis=0, initial=0)
    chosen = []
    while left.sum():
        gain = np.maximum(reach - cover, 0) @ (weights / weights.sum())
        gain[chosen] = -1
        gain[left[kinds] == 0] = -1
        chosen.append(int(np.argmax(gain)))
        left[kinds[chosen[-1]]] -= 1
        cover = np.maximum(cover, reach[chosen[-1]])
    return chosen


@QUICK
@given(st.integers(0, 2**31), st.integers(1, 90), st.integers(1, 40), st.integers(0, 9))
def test_lazy_choices_are_those_of_brute_force(seed, n, r, m):
    """What is not looked at again would not have been chosen."""
    rng = np.random.default_rng(seed)
    rows = [unit(rng.standard_normal((size, 5))).astype(np.float64) for size in (n, r, m)]
    kinds, room = rng.integers(0, 3, n), rng.integers(0, 12, 3)
    weights = rng.random(r) + 0.01
    found = herd(rows[0], kinds, room, rows[1], weights, rows[2])
    assert found.chosen.tolist() == brute(rows[0], kinds, room, rows[1], weights, rows[2])
    counts = np.bincount(kinds[found.chosen], minlength=3)
    assert counts.tolist() == np.minimum(room, np.bincount(kinds, minlength=3)).tolist()
    assert (found.coverage >= 0).all()
    assert found.coverage.sum() <= 1 + 1e-5


def test_copies_end_and_each_is_taken_once():
    """More equals than are looked at in one go."""
    rows = unit(np.ones((200, 3)))
    found = herd(rows, np.zeros(200, int), np.array([150]), rows[:5], np.ones(5), rows[:0])
    assert len(set(found.chosen.tolist())) == 150


def blobs(sizes, spread=0.1, d=8):
    """Crowds of texts in different directions."""
    rng = np.random.default_rng(0)
    name = np.repeat(np.arange(len(sizes)), sizes)
    return unit(np.eye(d)[name] + spread * rng.standard_normal((len(name), d))), name


def test_the_first_picks_are_one_of_each_crowd_the_largest_first():
    """Three blobs (60/30/20), three picks: one of each, the largest first."""
    rows, name = blobs([60, 30, 20])
    found = herd(rows, np.zeros(110, int), np.array([3]), rows, np.ones(110), rows[:0])
    assert name[found.chosen].tolist() == [0, 1, 2]


def test_what_a_label_covers_waits():
    """The largest crowd has a label already."""
    rows, name = blobs([60, 30, 20])
    found = herd(rows, np.zeros(110, int), np.array([2]), rows, np.ones(110), rows[:1])
    assert name[found.chosen].tolist() == [1, 2]


def test_doubts_weigh():
    """A small crowd that the model is unsure of comes before a large one that it knows."""
    rows, name = blobs([60, 30, 20])
    weights = np.where(name == 2, 1.0, 0.05)
    found = herd(rows, np.zeros(110, int), np.array([1]), rows, weights, rows[:0])
    assert name[found.chosen].tolist() == [2]


def test_outliers_are_left_alone():
    """A text unlike all others speaks for nobody, however many are chosen before it."""
    rows, name = blobs([40, 40, 1])
    found = herd(rows, np.zeros(81, int), np.array([6]), rows, np.ones(81), rows[:0])
    assert 2 not in name[found.chosen]


def test_a_source_text_is_worth_what_it_says_of_the_targets():
    """Of two source texts, the one beside the targets; what the source itself is full of is not."""
    rows, _ = blobs([30, 30])
    source = np.concatenate([rows[:30], rows[30:31]])  # thirty of one kind, one of the other
    found = herd(source, np.zeros(31, int), np.array([1]), rows[30:], np.ones(30), rows[:0])
    assert found.chosen.tolist() == [30]


def test_the_kernel_narrows_as_labels_come_in():
    """Coverage never saturates: each label has its share of the texts."""
    rows = unit(np.random.default_rng(0).standard_normal((500, 6)))
    widths = [kernel_width(rows, labels) for labels in (1, 10, 100, 10_000)]
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] > 0
    assert kernel_width(rows[:1], 5) == 1.0
    assert kernel_width(np.repeat(rows[:1], 9, axis=0), 5) > 0


def test_chunks_do_not_change_the_choice(monkeypatch):
    """The table is made in blocks."""
    rows, _ = blobs([60, 30, 20])
    given = (rows, np.zeros(110, int), np.array([9]), rows, np.ones(110), rows[:7])
    whole = herd(*given).chosen.tolist()
    monkeypatch.setattr(herding, "_CHUNK", 5)
    assert herd(*given).chosen.tolist() == whole


def test_doubts_count_more_as_labels_come_in():
    """By hand: no label, none at all; as many as trust, half; nothing doubtful, all alike."""
    doubts = np.array([0.0, 1.0])
    assert reference_weights(doubts, 0, 20).tolist() == [1, 1]
    assert reference_weights(doubts, 20, 20).tolist() == [0.5, 1.5]
    assert reference_weights(np.zeros(2), 99, 20).tolist() == [1, 1]
    assert reference_weights(doubts, 5, 0).tolist() == [0, 2]


def scene_of(vectors, langs, source=("en",)):
    """The geometry of a pool without labels."""
    options = SamplerOptions(source_languages=source)
    pool = Pool(ids=[str(i) for i in range(len(langs))], langs=langs, vectors=vectors)
    everything = np.ones(len(langs), bool)
    rng = np.random.default_rng(0)
    languages = number_languages(pool, options)
    return measure_pool(pool, languages, everything, None, options, rng)


def test_a_source_among_the_targets_is_near_and_one_apart_is_far(rng):
    """As near as the targets to one another: 1; in a corner of its own: 0; alone: 1."""
    same = rng.standard_normal((300, 6))
    langs = ["en"] * 100 + ["ha"] * 100 + ["yo"] * 100
    apart = same.copy()
    apart[:100, 3:], apart[100:, :3] = 0, 0
    assert source_nearness(scene_of(same, langs), rng) > 0.8
    assert source_nearness(scene_of(apart, langs), rng) < 0.1
    assert source_nearness(scene_of(same, langs, source=()), rng) == 1.0
    assert source_nearness(scene_of(same[:200], langs[:200]), rng) == 1.0


def test_references_are_of_the_targets_all_alike(rng):
    """A language with ten times the text does not count ten times; the source not at all."""
    langs = ["en"] * 500 + ["ha"] * 5000 + ["yo"] * 900
    geometry = scene_of(rng.standard_normal((6400, 4)), langs)
    counts = np.bincount(geometry.languages.number[reference_rows(geometry, rng)], minlength=3)
    assert counts.tolist() == [0, 768, 768]


def test_without_targets_all_are_references(rng):
    """One language that is a source: its own texts are to be covered."""
    geometry = scene_of(rng.standard_normal((50, 4)), ["en"] * 50)
    assert sorted(reference_rows(geometry, rng).tolist()) == list(range(50))


@pytest.mark.parametrize("labels", [0, 7])
def test_labels_of_languages_without_tasks_cover_too(labels, rng):
    """What is finished in one language still speaks for the others."""
    options = SamplerOptions()
    pool = Pool(
        ids=["a", "b"],
        langs=["ha", "ha"],
        vectors=rng.standard_normal((2, 4)),
        labelled_vectors=rng.standard_normal((labels, 4)),
        labelled_langs=["yo"] * labels,
    )
    languages = number_languages(pool, options)
    geometry = measure_pool(pool, languages, np.ones(2, bool), None, options, rng)
    assert geometry.labelled_rows.shape == (labels, 4)
    assert geometry.labels == labels
