"""Ratings as answers: scales, numbers in tables, votes of several annotators."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS, infer_task, read_answers, task_from_json
from xlt.tasks.rating.answers import Scale
from xlt.tasks.rating.task import Rating

KIND = KINDS["rating"]
STARS = KIND.task(["5"])
MANY = settings(max_examples=60)
SCALES = st.builds(
    Scale,
    lowest=st.sampled_from([0, 1, -3, 0.5, -0.1, 1000]),
    step=st.sampled_from([1, 0.1, 0.25, 5, 1e-3, 0.3]),
    steps=st.integers(1, 500),
)


def table(*cells):
    """Examples with these cells."""
    return [Example(id=str(n), texts=("t",), answer=cell) for n, cell in enumerate(cells)]


@MANY
@given(SCALES, st.data())
def test_every_number_of_a_scale_goes_to_json_and_back(scale, data):
    """Whole numbers as integers; as text in a cell, too; a step beside it is another number."""
    place = data.draw(st.integers(0, scale.steps))
    value = scale.value(place)
    task = Rating(scale=scale)
    assert task.read(json.loads(json.dumps(task.plain(value)))) == value
    assert task.read(str(value)) == task.read(float(value)) == value
    assert isinstance(value, int) == float(value).is_integer()
    assert scale.place(value) == place
    assert value == pytest.approx(scale.lowest + place * scale.step, abs=1e-9)
    with pytest.raises(DataError, match="in steps of"):
        task.read(value + scale.step / 3)


@MANY
@given(SCALES)
def test_a_scale_is_that_of_its_numbers(scale):
    """Inferred from a table with all of them, in any order; its JSON is read back."""
    cells = [scale.value(place) for place in range(scale.steps + 1)]
    task = KIND.infer([str(cell) for cell in cells[::-1]])
    assert task == Rating(scale=scale)
    assert task_from_json(json.loads(json.dumps(task.to_json()))) == task


@MANY
@given(SCALES)
def test_levels_are_at_most_21_of_its_numbers(scale):
    """Its ends are among them; their distances differ by a step at most."""
    gaps = np.diff(scale.levels)
    assert len(scale.levels) == min(21, scale.steps + 1)
    assert (scale.levels[0], scale.levels[-1]) == (0, scale.steps)
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [(6, "got 6"), (0, "got 0"), (2.5, "got 2.5"), (float("nan"), "nan"), (True, "True"),
     ("five", "'five'"), ("1e999", "1e999"), (10**400, "got 1000"), ([3], r"\[3\]"), ("", "''")],
)  # fmt: skip
def test_what_is_not_on_the_scale_is_refused_in_a_line(value, shown):
    """It says what was seen and what was expected, however long the value is."""
    with pytest.raises(DataError, match=shown) as refused:
        STARS.read(value)
    assert str(refused.value).startswith("expected a number from 1 to 5 in steps of 1, got ")
    assert len(str(refused.value)) < 120


def test_labels_make_a_scale():
    """All numbers in any order, or the highest alone."""
    assert KIND.task(["5"]) == KIND.task(["3", "1", "2", "5", "4"])
    assert KIND.task(["0", "0.5", "1"]).labels == ("0", "0.5", "1")
    assert KIND.task(["2"]).labels == ("1", "2")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["good", "bad"], "are numbers"),
        (["1", "2", "4"], "equally spaced"),
        (["1", "2", "1.0"], "distinct"),
        (["1"], "two numbers or more"),
        (["2.5"], "whole number"),
        (["-4"], "two numbers or more"),
        (["99999999"], "at most 1000000"),
        (["nan", "1"], "are numbers"),
    ],
)
def test_labels_that_make_no_scale_are_refused(labels, message):
    """In one line."""
    with pytest.raises(DataError, match=message):
        KIND.task(labels)


@pytest.mark.parametrize(
    "value",
    [
        {"lowest": 1, "step": 1},
        {"lowest": 1, "step": 0, "steps": 4},
        {"lowest": 1, "step": 1, "steps": 0},
        {"lowest": 1, "step": 1, "steps": 2.5},
        {"lowest": 1, "step": 1, "steps": True},
        {"lowest": "a", "step": 1, "steps": 4},
        {"lowest": 1, "step": 1, "steps": 10**9},
        {"lowest": 1e300, "step": 1, "steps": 3},
    ],
)
def test_json_that_is_no_scale_is_refused(value):
    """Files come from outside."""
    with pytest.raises(DataError):
        task_from_json({"kind": "rating", **value})


def test_numbers_in_a_table_are_a_rating_if_it_is_asked_for():
    """Otherwise they are labels like any other; a cell that is no number is none."""
    cells = table("4", "1", "2.0")
    assert infer_task(cells).kind == "single_label"
    task = infer_task(cells, "rating")
    assert task.labels == ("1", "2", "3", "4")
    assert [example.answer for example in read_answers(cells, task)] == [4, 1, 2]
    with pytest.raises(DataError, match="expected labels of the kind 'rating'"):
        infer_task(table("4", "good"), "rating")
    with pytest.raises(DataError, match="at least 2 different ratings"):
        infer_task(table("4", "4.0"), "rating")
    with pytest.raises(DataError, match=r"numbers such as 3\.66666666\d+: round them"):
        infer_task(table(4, 11 / 3, 3.5), "rating")


@pytest.mark.parametrize(
    ("votes", "answer", "weight"),
    [
        ([4], 4, 1.0),
        ([1, 4, 5], 4, 1 - (3 + 1) / 3 / 4),
        ([2, 4], 3, 0.75),
        # Of two numbers in the middle, the one nearer to the middle of the scale.
        ([1, 2], 2, 1 - 0.5 / 4),
        ([4, 5], 4, 1 - 0.5 / 4),
        ([3, 4], 3, 1 - 0.5 / 4),
        ([2, 3], 3, 1 - 0.5 / 4),
        ([1, 1, 1, 5], 1, 0.75),
        ([1, 5], None, 0.0),
        ([5, 1, 1, 5], None, 0.0),
    ],
)
def test_annotators_agree_on_the_median(votes, answer, weight):
    """Trusted by the mean credit of their votes; none if half are at either end."""
    agreement = STARS.agree({str(n): vote for n, vote in enumerate(votes)})
    assert (agreement.answer, agreement.weight) == (answer, pytest.approx(weight))
    assert bool(agreement.reason) == (answer is None)


@MANY
@given(st.lists(st.integers(1, 5), min_size=1, max_size=7))
def test_no_other_number_has_more_credit_with_the_votes(votes):
    """The agreement is a best answer to them."""
    agreement = STARS.agree({str(n): vote for n, vote in enumerate(votes)})
    best = max(float(STARS.credit(votes, [n] * len(votes)).mean()) for n in range(1, 6))
    if agreement.answer is None:
        assert best == pytest.approx(0.5)
    else:
        assert agreement.weight == pytest.approx(best)


def test_a_number_decides_its_nearest_level():
    """On a fine scale several numbers decide the same."""
    fine = Rating(scale=Scale(lowest=0, step=1, steps=100))
    assert fine.decisions(52) == fine.decisions(48) == (("50", True),)
    assert STARS.decisions(2) == (("2", True),)


def test_texts_about_topics_are_rated_by_how_much_is_about_half_of_them():
    """Two texts with the same languages become one; what was rated already stays."""
    topics = ("art", "farm", "sport", "war")
    texts = [
        Example(
            id=f"{n}-{lang}", texts=(f"{topics[n % 4]}",), lang=lang, answer=topics[n % 4],
            group=str(n),
        )
        for n in range(40)
        for lang in ("en", "ha")
    ]  # fmt: skip
    made = KIND.demonstrate(texts, np.random.default_rng(0))
    assert len(made) == 40
    for example in made:
        parts = example.text.split()
        assert example.answer == 1 + sum(part in ("art", "farm") for part in parts)
        assert len(parts) == 2
    assert {example.answer for example in made} == {1, 2, 3}
    used = [part for example in made for part in example.id.split("+")]
    assert len(used) == len(set(used)) == len(texts)

    for cells, answers in (
        (("4", "1", "2"), [4, 1, 2]),
        (("0", "52", "99", "100"), [0, 50, 100, 100]),
    ):
        rated = KIND.demonstrate(table(*cells), np.random.default_rng(0))
        assert [example.answer for example in rated] == answers
