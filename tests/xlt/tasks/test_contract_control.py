"""What holds for every kind of task: answers in Label Studio's JSON, the interface's XML."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.xlt.tasks.samples import (
    MANY,
    TEXTS,
    answers,
    control_tag,
    empty,
    labels_of,
    others_of,
    task_of,
)
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS
from xlt.tasks.tags import Refusal
from xlt.tasks.task import Suggestion

pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_the_template_asks_for_the_task(kind):
    """Its one control, read back, is the task; labels keep their order and every character."""
    control = KINDS[kind].control
    assert control.task(control_tag(control.template(labels_of(kind)))) == task_of(kind)


@MANY
@given(st.data())
def test_an_answer_goes_to_label_studio_and_back(kind, data):
    """Results of a suggestion are read as its answer; equal answers have equal results."""
    task, control = task_of(kind), KINDS[kind].control
    tag = control_tag(control.template(labels_of(kind)))
    suggestion = Suggestion(answer=data.draw(answers(task)), confidence=data.draw(st.floats(0, 1)))
    results = json.loads(json.dumps(control.results(suggestion, tag, TEXTS)))

    assert control.answer(results, tag, task, TEXTS) == suggestion.answer
    assert control.results(suggestion, tag, TEXTS) == results
    for result in results:
        [own] = [one for one in tag.controls if one.name == result["from_name"]]
        assert result["to_name"] == own.objects[0]
        assert 0 <= result["score"] <= 1


@MANY
@given(st.data())
def test_results_of_other_controls_are_not_looked_at(kind, data):
    """Nor is what Label Studio never writes; a label that the task does not have is refused."""
    task, control = task_of(kind), KINDS[kind].control
    tag = control_tag(control.template(labels_of(kind)))
    answer = data.draw(answers(task).filter(bool))
    results = control.results(Suggestion(answer=answer, confidence=0.5), tag, TEXTS)
    foreign = [{**result, "from_name": "another"} for result in results]
    junk = [{"from_name": one.name} for one in tag.controls]
    junk += [{"from_name": one.name, "value": 3} for one in tag.controls] + [{}]

    assert control.answer([*foreign, *junk, *results], tag, task, TEXTS) == answer
    other = replace(tag, labels=others_of(kind))
    with pytest.raises(DataError):
        control.answer(results, other, task_of(kind, others_of(kind)), TEXTS)


def test_a_control_of_another_kind_is_no_task(kind):
    """None for other tags; a reason for one of the kind that has nothing to choose."""
    control = KINDS[kind].control
    tag = control_tag(control.template(labels_of(kind)))
    assert control.task(replace(tag, tag="DateTime")) is None
    refused = control.task(empty(tag))
    assert isinstance(refused, Refusal)
    assert refused.reason
    assert control.supported
