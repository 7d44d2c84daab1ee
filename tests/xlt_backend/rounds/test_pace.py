"""When the next training is due: soon where it takes seconds, never with more to delete."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.spans.task import Spans
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.pace import SLOW_LABELS, SLOW_S, SLOW_TASKS, Pace, pace_of

TASK = SingleLabel(labels=("a", "b"))
SLOW = Pace(labels=SLOW_LABELS, seconds=SLOW_S)


@pytest.mark.parametrize(
    ("waiting", "labels", "seconds"),
    [(0, 5, 30), (150, 5, 30), (750, 5, 150), (1500, 10, 300), (3000, 20, 600), (90_000, 20, 600)],
)
def test_a_small_project_is_trained_sooner(waiting: int, labels: int, seconds: float):
    """With the default learner, which reads no text twice."""
    assert pace_of(ProjectOptions(), TASK, waiting) == Pace(labels=labels, seconds=seconds)


@given(st.integers(0, 10**6))
def test_no_project_gets_more_predictions_to_delete(waiting: int):
    """Than one of 3,000 tasks that trains after 20 labels, per label and per second."""
    pace = pace_of(ProjectOptions(), TASK, waiting)
    if waiting <= SLOW_TASKS:
        assert waiting / pace.labels <= SLOW_TASKS / SLOW_LABELS
        assert waiting / pace.seconds <= SLOW_TASKS / SLOW_S + 1e-9
    else:
        assert pace == SLOW


def test_trainings_that_take_long_are_rare():
    """Fine-tuning, and spans, whose words are read again."""
    joint = ProjectOptions(train={"learner": "joint"})
    assert pace_of(joint, TASK, 10) == SLOW
    assert pace_of(ProjectOptions(), Spans(labels=("PER",)), 10) == SLOW


def test_what_the_options_say_counts():
    """Each of the two alone."""
    assert pace_of(ProjectOptions(retrain_after_labels=7), TASK, 10) == Pace(labels=7, seconds=30)
    assert pace_of(ProjectOptions(retrain_after_s=9), TASK, 10) == Pace(labels=5, seconds=9)
