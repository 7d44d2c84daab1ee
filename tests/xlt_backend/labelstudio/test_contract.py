"""What holds for every kind of task in Label Studio: its own validator accepts what xlt writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface.interface import LabelInterface

from tests.xlt.tasks.samples import (
    MANY,
    TEXTS,
    answers,
    as_outputs,
    certain,
    control_tag,
    labels_of,
    others_of,
    task_of,
    texts_of,
)
from xlt.tasks.kinds import KINDS
from xlt.tasks.task import Suggestion
from xlt_backend.labelstudio.interface import Interface, template


def check_prediction(prediction: dict, label_config: str) -> list[str]:
    """What Label Studio's own validator has against a prediction."""
    return LabelInterface(label_config).validate_prediction(prediction, return_errors=True)


CASES = [*((kind, labels_of(kind)) for kind in KINDS), ("rating", ("0", "0.25", "0.5"))]
pytestmark = pytest.mark.parametrize(("kind", "labels"), CASES)


def test_label_studio_reads_the_template_as_the_task(kind, labels):
    """Its parser finds the tag that is in the XML; nothing in the interface is left out."""
    config = template(kind, labels)
    interface = Interface.from_label_config(config)
    tag = control_tag(config)

    assert interface.task == task_of(kind, labels)
    assert (interface.kind.name, interface.text_keys, interface.notes) == (kind, texts_of(kind), ())
    assert (interface.tag.name, interface.tag.tag) == (tag.name, tag.tag)
    assert (interface.tag.labels, interface.tag.objects) == (tag.labels, tag.objects)
    assert KINDS[kind].control.task(interface.tag) == interface.task


@MANY
@given(st.data())
def test_label_studio_accepts_every_suggestion_and_it_is_read_back(kind, labels, data):
    """By the SDK's validator, as a prediction; read as an annotation it is the answer."""
    interface = Interface.from_label_config(template(kind, labels))
    answer = data.draw(answers(interface.task))
    suggestion = Suggestion(answer=answer, confidence=data.draw(st.floats(0, 1)))
    results = interface.results(suggestion, TEXTS)

    assert results == interface.kind.control.results(suggestion, interface.tag, TEXTS)
    assert check_prediction({"result": results, "score": 0.5}, interface.label_config) == []
    assert interface.answer(results, TEXTS) == answer


def test_what_a_model_suggests_is_accepted(kind, labels):
    """From beliefs to results, for each label of the task."""
    interface = Interface.from_label_config(template(kind, labels))
    for label in labels:
        [suggestion] = interface.task.decode(
            as_outputs(interface.task, [certain(interface.task, label)])
        )
        results = interface.results(suggestion, TEXTS)
        assert results
        assert check_prediction({"result": results, "score": 0.5}, interface.label_config) == []


def test_an_answer_that_the_interface_no_longer_has_is_not_suggested(kind, labels):
    """It was edited after the model was trained; so is a confidence that is no number."""
    interface = Interface.from_label_config(template(kind, labels[:2]))
    task = task_of(kind, others_of(kind) if kind == "pairwise" else labels)
    [old] = task.decode(as_outputs(task, [certain(task, task.labels[-1])]))
    assert interface.results(old, TEXTS) is None
    [new] = interface.task.decode(as_outputs(interface.task, [certain(interface.task, labels[0])]))
    unsure = Suggestion(answer=new.answer, confidence=float("nan"))
    assert interface.results(unsure, TEXTS) is None
