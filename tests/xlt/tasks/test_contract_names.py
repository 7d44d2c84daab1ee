"""What holds for every kind of task whose labels are names: how they are written, their order."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import (
    LABELS,
    MANY,
    NAMED,
    SEEDS,
    TEXTS,
    answers,
    believed,
    control_tag,
    drawn,
    examples_of,
    in_other_order,
    task_of,
)
from xlt.data.jsonl import hashable
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS, infer_task
from xlt.tasks.tags import Refusal
from xlt.tasks.task import Suggestion

pytestmark = pytest.mark.parametrize("kind", NAMED)


def test_the_order_of_labels_is_kept(kind):
    """It is part of the task, as annotators see it."""
    assert task_of(kind, LABELS[::-1]) != task_of(kind)


@MANY
@given(st.data())
def test_labels_that_look_the_same_are_one_label(kind, data):
    """A table's cells are read whatever their Unicode form; so is the task that they make."""
    task = task_of(kind)
    answer = data.draw(answers(task))
    form = data.draw(st.sampled_from(["NFC", "NFD"]))

    def written(answer):
        text = json.dumps(task.plain(answer), ensure_ascii=False)
        return hashable(json.loads(unicodedata.normalize(form, text)))

    assert task.read(written(answer)) == answer
    table = examples_of([written(one) for one in drawn(task, 1, 20)])
    assert set(infer_task([*table, *examples_of(drawn(task, 1, 20))]).labels) == set(task.labels)


def test_a_task_has_no_two_labels_that_look_the_same(kind):
    """They would be two classes that people cannot tell apart."""
    twice = [*LABELS, unicodedata.normalize("NFD", LABELS[-1])]
    with pytest.raises(DataError, match="distinct"):
        KINDS[kind].task(twice)


@MANY
@given(SEEDS, st.permutations(range(len(LABELS))))
def test_names_and_order_of_labels_do_not_matter(kind, seed, order):
    """Columns and names in another order: the same numbers, the same suggestions renamed."""
    task = task_of(kind)
    names = dict(zip(LABELS, ("z", "y", "m", "a"), strict=True))
    other = task_of(kind, [names[LABELS[place]] for place in order])

    def written(plain):
        if isinstance(plain, str):
            return names[plain]
        if isinstance(plain, dict):
            return {**plain, "label": names[plain["label"]]}
        return [written(part) for part in plain]

    def renamed(answer):
        return other.read(written(json.loads(json.dumps(task.plain(answer)))))

    beliefs = believed(task, seed, 6)
    turned = in_other_order(task, beliefs, order)
    truth, predicted = drawn(task, seed, 6), drawn(task, seed + 1, 6)
    assert other.credit(list(map(renamed, truth)), list(map(renamed, predicted))) == pytest.approx(
        task.credit(truth, predicted)
    )
    assert other.summary(list(map(renamed, truth)), list(map(renamed, predicted))) == pytest.approx(
        dict(task.summary(truth, predicted))
    )
    assert other.brier(turned, list(map(renamed, truth))) == pytest.approx(
        task.brier(beliefs, truth)
    )
    for measure in task.measures:
        assert other.uncertainty(turned, measure) == pytest.approx(
            task.uncertainty(beliefs, measure)
        )
    for one, two in zip(task.decode(beliefs), other.decode(turned), strict=True):
        assert two.answer == renamed(one.answer)
        assert two.confidence == pytest.approx(one.confidence)


def decomposed(value):
    """The same results, with every label as another keyboard may write it."""
    text = json.dumps(value, ensure_ascii=False)
    return json.loads(unicodedata.normalize("NFD", text))


@MANY
@given(st.data())
def test_choices_that_look_like_the_task_s_are_the_task_s(kind, data):
    """An annotation's label is found whatever its Unicode form, and read as the task writes it."""
    task, control = task_of(kind), KINDS[kind].control
    tag = control_tag(control.template(LABELS))
    answer = data.draw(answers(task))
    results = control.results(Suggestion(answer=answer, confidence=0.5), tag, TEXTS)

    assert control.answer(decomposed(results), tag, task, TEXTS) == answer


def test_two_labels_that_look_the_same_are_refused(kind):
    """Annotators cannot tell them apart; the reason names both."""
    control = KINDS[kind].control
    for other in (unicodedata.normalize("NFD", LABELS[-1]), f"{LABELS[-1]}\u00a0"):
        twice = (*LABELS, other)
        refused = control.task(replace(control_tag(control.template(LABELS)), labels=twice))
        assert isinstance(refused, Refusal)
        assert f"{LABELS[-1]!r}, {other!r}" in refused.reason
