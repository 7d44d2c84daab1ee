"""Splits and folds that keep translations together."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.data.examples import Example
from xlt.data.splits import drawn_evenly, folds_by_group, split_by_group, without_groups
from xlt.errors import DataError


@given(
    st.lists(st.none() | st.sampled_from("abcdefgh"), max_size=30),
    st.floats(0, 1),
    st.integers(0, 2**31),
)
def test_groups_are_never_split(groups, share, seed):
    """Every example is on one side, each group on one side only, in the old order."""
    examples = [Example(id=str(i), texts=("x",), group=g) for i, g in enumerate(groups)]
    train, held = split_by_group(examples, share, np.random.default_rng(seed))
    assert sorted(e.id for e in [*train, *held]) == sorted(e.id for e in examples)
    assert {e.group_key for e in train}.isdisjoint(e.group_key for e in held)
    assert [e for e in examples if e in train] == train
    count = len({e.group_key for e in examples})
    assert len({e.group_key for e in held}) == int(np.floor(count * share + 0.5))


@given(
    st.lists(st.tuples(st.none() | st.sampled_from("abcd"), st.sets(st.sampled_from("XYZ")))),
    st.floats(0, 1),
    st.integers(0, 2**31),
)
def test_the_last_example_of_a_decision_is_never_held_out(rows, share, seed):
    """All that an answer decides is in training too; no group that could be held out is spared."""
    examples = [
        Example(id=str(i), texts=("x",), group=group, answer=frozenset(answer))
        for i, (group, answer) in enumerate(rows)
    ]
    rng = np.random.default_rng(seed)
    train, held = split_by_group(examples, share, rng, decisions=sorted)
    assert {e.group_key for e in train}.isdisjoint(e.group_key for e in held)
    kept = Counter(mark for e in train for mark in e.answer)
    assert set(kept) == {mark for e in examples for mark in e.answer}
    wanted = int(np.floor(len({e.group_key for e in examples}) * share + 0.5))
    assert len({e.group_key for e in held}) <= wanted
    if len({e.group_key for e in held}) < wanted:
        for group in {e.group_key for e in train}:
            own = Counter(mark for e in train if e.group_key == group for mark in e.answer)
            assert any(kept[mark] == n for mark, n in own.items())


def test_frequent_answers_do_not_change_the_draw():
    """A seed holds out the same groups with and without decisions, if no last example is drawn."""
    examples = [Example(id=str(i), texts=("x",), answer="ab"[i % 2]) for i in range(40)]
    plain = split_by_group(examples, 0.25, np.random.default_rng(3))
    assert plain == split_by_group(examples, 0.25, np.random.default_rng(3), decisions=list)


def test_the_seed_decides_the_split(rng):
    """The same generator state gives the same split; a share out of range is refused."""
    examples = [Example(id=str(i), texts=("x",)) for i in range(40)]
    one = split_by_group(examples, 0.5, np.random.default_rng(1))
    assert one == split_by_group(examples, 0.5, np.random.default_rng(1))
    assert one != split_by_group(examples, 0.5, np.random.default_rng(2))
    with pytest.raises(DataError, match=r"1\.5"):
        split_by_group(examples, 1.5, rng)


def test_folds_keep_translations_together_and_are_even(rng):
    """Every group in one fold, as many groups in each."""
    examples = [
        Example(id=f"{lang}{n}", texts=(f"{n}",), lang=lang, group=str(n))
        for n in range(23)
        for lang in ("en", "ha")
    ]
    folds = folds_by_group(examples, 5, rng)

    fold_of = {e.group_key: fold for e, fold in zip(examples, folds.tolist(), strict=True)}
    assert [fold_of[e.group_key] for e in examples] == folds.tolist()
    assert sorted(np.bincount(list(fold_of.values()))) == [4, 4, 5, 5, 5]


def test_nothing_of_a_held_out_group_is_left():
    """Neither the examples themselves nor their translations."""
    rows = [("1", None), ("2", "g"), ("3", "g"), ("4", "h")]
    examples = [Example(id=id, texts=(id,), group=group) for id, group in rows]
    assert without_groups(examples, [examples[0], examples[2]]) == examples[3:]
    assert without_groups(examples, []) == examples


def test_a_held_out_text_is_the_same_under_another_id():
    """In one language, however its code is written."""
    held = [Example(id="1", texts=("x",), lang="ha")]
    others = [
        Example(id="a", texts=("x",), lang="Hausa"),
        Example(id="b", texts=("x",), lang="en"),
        Example(id="c", texts=("y",), lang="ha"),
    ]
    assert without_groups(others, held) == others[1:]


@given(st.lists(st.sampled_from(["en", "ha", "hau", "yo"]), max_size=30), st.integers(0, 20))
def test_rows_are_drawn_as_even_over_languages_as_they_allow(langs, most):
    """In their order, whatever languages are called."""
    rows = drawn_evenly(langs, most, np.random.default_rng(0))

    assert rows.tolist() == sorted(set(rows.tolist()))
    assert len(rows) == min(most, len(langs))
    keys = ["hau" if lang == "ha" else lang for lang in langs]
    drawn, there = Counter(keys[row] for row in rows), Counter(keys)
    left = [drawn[key] for key in there if drawn[key] < there[key]]
    if left:
        assert max(drawn.values(), default=0) - min(left) <= 1
