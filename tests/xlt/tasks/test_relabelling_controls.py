"""Models of several controls are read in an interface whose controls changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.xlt.tasks.samples import believed
from xlt.data.by_control import ByControl
from xlt.tasks.kinds import KINDS
from xlt.tasks.multi_task.task import MultiTask
from xlt.tasks.outputs import Scores
from xlt.tasks.parts import Part, in_common
from xlt.tasks.predictions import Predictions
from xlt.tasks.relabelling import relabelling
from xlt.tasks.renames import GONE
from xlt.tasks.tags import Condition

TOPIC = Part(name="topic", task=KINDS["single_label"].task(["sport", "health", "war"]))
STARS = Part(name="stars", task=KINDS["rating"].task(["4"]))
TAGS = Part(name="tags", task=KINDS["multi_label"].task(["new", "old"]))
TASK = MultiTask(parts=(TOPIC, STARS))


def predicted(task) -> Predictions:
    """What some model of the task predicts of five texts."""
    beliefs = believed(task, 1, 5)
    return Predictions(
        scores=Scores(outputs=beliefs, vectors=np.zeros((5, 2), np.float32)),
        beliefs=beliefs,
        suggestions=task.decode(beliefs),
        uncertainty=task.uncertainty(beliefs),
    )


def answers(task, read: Predictions) -> list:
    """The suggested answers, which are those of the task."""
    for suggestion in read.suggestions:
        assert task.read(task.plain(suggestion.answer)) == suggestion.answer
    return [suggestion.answer for suggestion in read.suggestions]


def test_controls_that_both_have_are_read_wherever_they_stand():
    """One that is new is not suggested; one that is gone is left out and said so."""
    target = MultiTask(parts=(TAGS, TOPIC))
    reading = relabelling(TASK, target)
    assert reading is not None
    assert set(reading.changed) == {f"stars: {n}" for n in range(1, 5)}
    assert set(reading.changed.values()) == {GONE}
    before = predicted(TASK)
    after = reading.read(before)
    assert answers(target, after) == [
        ByControl.of({"topic": one.answer.get("topic")}) for one in before.suggestions
    ]
    assert after.uncertainty == pytest.approx(target.uncertainty(after.beliefs))


def test_a_model_of_one_control_goes_on_with_it():
    """When xlt learns the second control of an interface, and when the option names one alone."""
    reading = relabelling(STARS.task, TASK)
    assert reading is not None
    assert reading.changed == {}
    before = predicted(STARS.task)
    given = answers(TASK, reading.read(before))
    assert given == [ByControl.of({"stars": one.answer}) for one in before.suggestions]

    back = relabelling(TASK, STARS.task)
    assert back is not None
    several = predicted(TASK)
    assert answers(STARS.task, back.read(several)) == [
        one.answer.get("stars") for one in several.suggestions
    ]


def test_labels_are_followed_within_a_control():
    """A renamed label and a new one, in one control alone."""
    topic = replace(TOPIC, task=KINDS["single_label"].task(["health", "games", "war", "money"]))
    target = MultiTask(parts=(topic, STARS))
    reading = relabelling(TASK, target, {"sport": "games"})
    assert reading is not None
    assert reading.changed == {"topic: sport": "games"}
    before = predicted(TASK)
    for one, other in zip(before.suggestions, reading.read(before).suggestions, strict=True):
        label = one.answer.get("topic")
        assert other.answer.get("topic") == ("games" if label == "sport" else label)
        assert other.answer.get("stars") == one.answer.get("stars")


def test_weights_and_conditions_of_the_project_count():
    """They were others when the model was trained."""
    before = predicted(TASK)
    weighted = MultiTask(parts=(TOPIC, replace(STARS, weight=9.0)))
    reading = relabelling(TASK, weighted)
    assert reading is not None
    read = reading.read(before)
    assert read.uncertainty == pytest.approx(weighted.uncertainty(before.beliefs))
    assert (read.uncertainty != before.uncertainty).any()

    hidden = replace(STARS, conditions=(Condition(control="topic", labels=("peace",)),))
    target = MultiTask(parts=(TOPIC, hidden))
    reading = relabelling(TASK, target)
    assert reading is not None
    assert all(answer.get("stars") is None for answer in answers(target, reading.read(before)))


def test_a_model_of_other_controls_is_not_read():
    """None of them is there now."""
    assert relabelling(TASK, MultiTask(parts=(TAGS,))) is None
    assert relabelling(TASK, TAGS.task) is None
    assert relabelling(None, TASK) is None


def test_models_are_compared_by_what_both_know():
    """An answer to a control that the other has none to does not count."""
    full, part = ByControl.of({"topic": "war", "stars": 2}), ByControl.of({"stars": 3})
    assert in_common(full, part) == ByControl.of({"stars": 2})
    assert in_common("war", "sport") == "war"
