"""How many labels each language gets, and in which turns."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.errors import ConfigError
from xlt.sampling.pool import SamplerOptions
from xlt.sampling.quota import Language, deal, interleave, interleave_sides, slots, weights

LANGUAGES = st.lists(
    st.builds(
        Language,
        available=st.integers(0, 40),
        labelled=st.integers(0, 50),
        accuracy=st.none() | st.floats(0, 1),
        share=st.floats(0.1, 5),
        source=st.booleans(),
    ),
    min_size=1,
    max_size=8,
)
OPTIONS = st.builds(
    SamplerOptions,
    batch=st.integers(1, 120),
    source_share=st.floats(0, 1),
    quota=st.sampled_from(["equal", "proportional", "fixed", "adaptive"]),
    floor=st.integers(0, 3),
)


def shared_out(languages, options):
    """Slots with ties decided by position."""
    ties = np.arange(len(languages))[::-1].astype(float)
    return slots(languages, weights(languages, options), options, ties)


@given(LANGUAGES, OPTIONS)
def test_shares_sum_to_one_and_the_source_gets_its_part(languages, options):
    """Nothing is lost, and with both sides there the sources have exactly `source_share`."""
    found = weights(languages, options)
    there = [language for language in languages if language.available]
    assert found.sum() == pytest.approx(1.0 if there else 0.0)
    assert all(w == 0 for w, lang in zip(found, languages, strict=True) if not lang.available)
    if {language.source for language in there} == {True, False}:
        sources = [language.source for language in languages]
        assert found[sources].sum() == pytest.approx(options.source_share)


@given(LANGUAGES, OPTIONS)
def test_slots_are_exact_and_possible(languages, options):
    """The batch is full whenever there are tasks, and nobody gets more than it has."""
    found = shared_out(languages, options)
    available = np.array([language.available for language in languages])
    assert found.sum() == min(options.batch, available.sum())
    assert (found >= 0).all()
    assert (found <= available).all()


@given(LANGUAGES, OPTIONS)
def test_floors_are_respected_where_the_batch_suffices(languages, options):
    """Every target has its floor (or all it has) if the targets' slots can pay for all floors."""
    found = shared_out(languages, options)
    targets = [(l, n) for l, n in zip(languages, found, strict=True) if not l.source]  # noqa: E741
    floors = [min(options.floor, language.available) for language, _ in targets]
    if sum(floors) <= sum(n for _, n in targets):
        assert all(n >= floor for (_, n), floor in zip(targets, floors, strict=True))


@given(LANGUAGES, OPTIONS)
def test_the_sources_get_their_slots_exactly(languages, options):
    """`source_share` of the batch, rounded, unless one side has too few tasks."""
    source = np.array([language.source for language in languages])
    available = np.array([language.available for language in languages])
    found = shared_out(languages, options)
    total = min(options.batch, available.sum())
    if not available[source].sum() or not available[~source].sum():
        return
    wanted = int(np.floor(total * options.source_share + 0.5))
    least = total - available[~source].sum()
    assert found[source].sum() == min(max(wanted, least), available[source].sum())


@pytest.mark.parametrize("quota", ["equal", "proportional", "adaptive"])
def test_half_a_slot_is_rounded_up_however_many_sources_share_it(quota):
    """The parts of several sources do not add up to the whole by a rounding error."""
    for sources in range(1, 8):
        languages = [Language(available=50 + n, source=True) for n in range(sources)]
        languages += [Language(available=99)] * 3
        for batch in range(1, 80, 2):
            found = shared_out(
                languages, SamplerOptions(batch=batch, source_share=0.5, quota=quota)
            )
            assert found[:sources].sum() == (batch + 1) // 2


def test_equal_shares_by_hand():
    """English 40 %, the rest the same to each: 50 slots, 20 and 10 10 10."""
    languages = [Language(available=99, source=True)] + [Language(available=99)] * 3
    options = SamplerOptions(quota="equal", source_share=0.4)
    assert shared_out(languages, options).tolist() == [20, 10, 10, 10]


def test_proportional_shares_by_hand():
    """Shares follow the number of tasks."""
    languages = [Language(available=n) for n in (100, 200, 300)]
    options = SamplerOptions(batch=60, quota="proportional")
    assert shared_out(languages, options).tolist() == [10, 20, 30]


def test_fixed_shares_by_hand():
    """The user's weights; a language that is not named gets its floor only."""
    languages = [Language(available=99, share=s) for s in (3.0, 1.0, 0.0)]
    options = SamplerOptions(batch=41, quota="fixed")
    assert shared_out(languages, options).tolist() == [30, 10, 1]


def test_languages_without_a_share_take_turns_when_the_others_are_used_up():
    """A project goes on when all texts in the languages of its weights are labelled."""
    languages = [Language(available=n, share=s) for n, s in [(0, 3.0), (99, 0.0), (99, 0.0)]]
    options = SamplerOptions(batch=20, quota="fixed")
    assert shared_out(languages, options).tolist() == [0, 10, 10]


def test_adaptive_shares_follow_the_formula():
    """(1 - A) N^0.3 / (n + 20), within four times the mean."""
    languages = [
        Language(available=100, labelled=0, accuracy=0.2),
        Language(available=1000, labelled=30, accuracy=0.6),
        Language(available=100, labelled=0, accuracy=None),
    ]
    raw = np.array([0.8 * 100**0.3 / 20, 0.4 * 1000**0.3 / 50, 100**0.3 / 20])
    found = weights(languages, SamplerOptions(quota="adaptive"))
    assert found == pytest.approx(raw / raw.sum())


def test_a_language_that_is_learnt_still_gets_its_floor():
    """Accuracy 1 and many labels do not shut a language out."""
    languages = [Language(available=99, labelled=900, accuracy=1.0), Language(available=99)]
    assert shared_out(languages, SamplerOptions(batch=20)).tolist()[0] >= 1


def test_what_a_language_cannot_use_others_get():
    """Two tasks left in one language: its other slots go to the rest, not to waste."""
    languages = [Language(available=2), Language(available=99), Language(available=99)]
    assert shared_out(languages, SamplerOptions(batch=30, quota="equal")).tolist() == [2, 14, 14]


def test_too_few_slots_for_all_floors_go_to_those_with_fewest_labels():
    """Ten languages, three slots: the ones without labels come first."""
    languages = [Language(available=9, labelled=n) for n in (5, 0, 7, 0, 9, 0, 9, 9, 9, 9)]
    found = shared_out(languages, SamplerOptions(batch=3))
    assert found.tolist() == [0, 1, 0, 1, 0, 1, 0, 0, 0, 0]


def sainte_lague(shares, seats):
    """The textbook divisor method, with exact fractions."""
    got = [0] * len(shares)
    for _ in range(seats):
        quotients = [Fraction(s) / (2 * g + 1) for s, g in zip(shares, got, strict=True)]
        got[quotients.index(max(quotients))] += 1
    return got


@given(st.lists(st.integers(1, 50), min_size=1, max_size=6), st.integers(0, 60))
def test_dealing_is_sainte_lague(shares, seats):
    """The same seats as the divisor method in exact arithmetic."""
    n = len(shares)
    ties = np.arange(n)[::-1].astype(float)
    none, limit = np.zeros(n, dtype=int), np.full(n, 99)
    assert deal(seats, none, np.array(shares, float), limit, ties).tolist() == sainte_lague(
        shares, seats
    )


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.data())
def test_every_beginning_of_the_turns_is_shared_out(shares, data):
    """The first t turns are what Sainte-Laguë deals of t seats."""
    n = len(shares)
    ties = np.arange(n)[::-1].astype(float)
    turns = interleave(np.full(n, 30), np.array(shares, float), ties)
    t = data.draw(st.integers(0, 30))
    assert np.bincount(turns[:t], minlength=n).tolist() == sainte_lague(shares, t)


def test_a_large_source_does_not_come_before_all_small_targets():
    """20 English slots and 30 languages with one each: any ten in a row hold four English."""
    counts = np.array([20] + [1] * 30)
    source = np.array([True] + [False] * 30)
    turns = interleave_sides(counts, counts.astype(float), np.arange(31).astype(float), source)
    assert np.bincount(turns).tolist() == counts.tolist()
    english = (turns == 0).cumsum()
    assert all(abs(english[t] - 0.4 * (t + 1)) <= 1 for t in range(50))


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"batch": 0}, "batch"),
        ({"source_share": 1.5}, "source_share"),
        ({"audit_share": -0.1}, "audit_share"),
        ({"quota": "most"}, "quota must be one of"),
        ({"floor": -1}, "floor"),
        ({"cold_labels": -1}, "cold_labels"),
        ({"near_duplicate": 2.0}, "near_duplicate"),
        ({"shares": {"ha": float("nan")}}, "'ha'"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_options_out_of_range_are_named(bad, message):
    """Each bad option is an error that names it."""
    with pytest.raises(ConfigError, match=message):
        SamplerOptions(**bad)


def test_texts_in_an_unsure_language_are_no_target_with_a_quota():
    """They come when the others have none left, and they are the target if there is no other."""
    options = SamplerOptions(batch=10, source_share=0.5, quota="equal")
    unsure, target = Language(available=50, unsure=True), Language(available=50)
    source = Language(available=50, source=True)

    def shared(*languages):
        share = weights(languages, options)
        return slots(languages, share, options, np.arange(len(languages)) * 1.0).tolist()

    assert shared(unsure, target) == [0, 10]
    assert shared(unsure, source, target) == [0, 5, 5]
    assert shared(unsure, source) == [5, 5]
    assert shared(unsure) == [10]
    assert shared(unsure, Language(available=4)) == [6, 4]
