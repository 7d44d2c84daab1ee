"""What holds for every kind of task in Label Studio: its own validator accepts what xlt writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface.interface import LabelInterface

from tests.xlt.tasks.samples import LABELS, MANY, answers, certain, control_tag, task_of
from xlt.tasks.kinds import KINDS
from xlt.tasks.outputs import Outputs
from xlt.tasks.task import Suggestion
from xlt_backend.labelstudio.interface import Interface, template


def check_prediction(prediction: dict, label_config: str) -> list[str]:
    """What Label Studio's own validator has against a prediction."""
    return LabelInterface(label_config).validate_prediction(prediction, return_errors=True)


pytestmark = pytest.mark.parametrize("kind", KINDS)


def test_label_studio_reads_the_template_as_the_task(kind):
    """Its parser finds the tag that is in the XML; nothing in the interface is left out."""
    config = template(kind, LABELS)
    interface = Interface.from_label_config(config)
    tag = control_tag(config)

    assert interface.task == task_of(kind)
    assert (interface.kind.name, interface.text_keys, interface.notes) == (kind, ("text",), ())
    assert (interface.tag.name, interface.tag.tag) == (tag.name, tag.tag)
    assert (interface.tag.labels, interface.tag.objects) == (tag.labels, tag.objects)
    assert KINDS[kind].control.task(interface.tag) == interface.task


@MANY
@given(st.data())
def test_label_studio_accepts_every_suggestion_and_it_is_read_back(kind, data):
    """By the SDK's validator, as a prediction; read as an annotation it is the answer."""
    interface = Interface.from_label_config(template(kind, LABELS))
    answer = data.draw(answers(interface.task))
    suggestion = Suggestion(answer=answer, confidence=data.draw(st.floats(0, 1)))
    results = interface.results(suggestion)

    assert results == interface.kind.control.results(suggestion, interface.tag)
    assert check_prediction({"result": results, "score": 0.5}, interface.label_config) == []
    assert interface.answer(results) == answer


def test_what_a_model_suggests_is_accepted(kind):
    """From beliefs to results, for each label of the task."""
    interface = Interface.from_label_config(template(kind, LABELS))
    for label in LABELS:
        [suggestion] = interface.task.decode(Outputs(certain(interface.task, label)[None]))
        results = interface.results(suggestion)
        assert results
        assert check_prediction({"result": results, "score": 0.5}, interface.label_config) == []


def test_an_answer_that_the_interface_no_longer_has_is_not_suggested(kind):
    """It was edited after the model was trained; so is a confidence that is no number."""
    interface = Interface.from_label_config(template(kind, LABELS[:2]))
    [old] = task_of(kind).decode(Outputs(certain(task_of(kind), LABELS[3])[None]))
    assert interface.results(old) is None
    [new] = interface.task.decode(Outputs(certain(interface.task, LABELS[0])[None]))
    assert interface.results(Suggestion(answer=new.answer, confidence=float("nan"))) is None
