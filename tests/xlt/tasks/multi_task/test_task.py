"""Several controls: what is shown, what is missing, how much each of them counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from xlt.data.by_control import ByControl
from xlt.data.examples import Example
from xlt.errors import DataError
from xlt.tasks.kinds import KINDS, task_from_json
from xlt.tasks.multi_task.task import MultiTask
from xlt.tasks.outputs import Outputs
from xlt.tasks.parts import Part, learnable, shown
from xlt.tasks.tags import Condition

TOPIC = Part(name="topic", task=KINDS["single_label"].task(["sport", "health"]))
GAME = Part(
    name="game",
    task=KINDS["multi_label"].task(["ball", "board"]),
    conditions=(Condition(control="topic", labels=("sport",)),),
)
STARS = Part(
    name="stars",
    task=KINDS["rating"].task(["3"]),
    conditions=(Condition(control="game", labels=("ball",), selected=False),),
)
TASK = MultiTask(parts=(GAME, TOPIC, STARS))
#: Beliefs: ball and board; sport and health; above 1 star, above 2.
BELIEFS = Outputs(np.array([[0.9, 0.8, 0.7, 0.3, 0.9, 0.8], [0.9, 0.8, 0.2, 0.8, 0.9, 0.8]]))


def of(**answers) -> ByControl:
    """Answers by control."""
    return ByControl.of(answers)


@pytest.mark.parametrize(
    ("answers", "visible"),
    [
        ({}, {"topic", "stars"}),
        ({"topic": "health"}, {"topic", "stars"}),
        ({"topic": "sport"}, {"topic", "game", "stars"}),
        ({"topic": "sport", "game": ("ball",)}, {"topic", "game"}),
        ({"topic": "sport", "game": ("board",)}, {"topic", "game", "stars"}),
        # What is selected in a control that is hidden by now is not selected.
        ({"topic": "health", "game": ("ball",)}, {"topic", "stars"}),
    ],
)
def test_a_control_is_shown_by_what_is_selected_in_others(answers, visible):
    """In any of the labels that its condition names, or in none of them."""
    assert shown(TASK.parts, answers) == visible


def test_a_condition_without_labels_wants_any_choice():
    """As in Label Studio, without `whenChoiceValue`."""
    part = replace(GAME, conditions=(Condition(control="topic"),))
    assert shown((TOPIC, part), {}) == {"topic"}
    assert shown((TOPIC, part), {"topic": "health"}) == {"topic", "game"}


def test_a_node_of_a_tree_is_selected_with_a_path_through_it():
    """A condition may name any node on the way."""
    tree = Part(name="tree", task=KINDS["taxonomy"].task(["A / B", "A / C", "D"]))
    part = replace(TOPIC, conditions=(Condition(control="tree", labels=("A",)),))
    assert shown((tree, part), {"tree": (("A", "B"),)}) == {"tree", "topic"}
    assert shown((tree, part), {"tree": (("D",),)}) == {"tree"}


def test_what_is_not_shown_is_not_suggested():
    """The confidence is the mean of what is; a label that is not suggested has probability 0."""
    sport, health = TASK.decode(BELIEFS)
    assert sport.answer == of(topic="sport", game=("ball", "board"))
    assert health.answer == of(topic="health", stars=3)
    assert sport.confidence == pytest.approx(
        np.mean([s.confidence for s in sport.controls.values()])
    )
    assert set(health.controls) == {"topic", "stars"}
    assert health.probabilities["game: ball"] == 0
    assert health.probabilities["topic: health"] == 0.8


def test_credit_counts_what_both_have_an_answer_to():
    """A control that nobody filled in is missing, not wrong."""
    truth = [of(topic="sport"), of(topic="sport", stars=1), of(stars=1), of(topic="sport")]
    given = [of(topic="sport", stars=3), of(topic="health", stars=1), of(stars=2), of(stars=2)]
    assert TASK.credit(truth, given).tolist() == [1.0, 0.5, 0.5, 0.0]


def test_uncertainty_is_weighted_by_control():
    """A control of weight 3 counts three times as much as one of weight 1."""
    weighted = MultiTask(parts=(GAME, replace(TOPIC, weight=3.0), STARS))
    each = [
        part.task.uncertainty(Outputs(BELIEFS.values[:, own]))
        for part, own in ((GAME, [0, 1]), (TOPIC, [2, 3]), (STARS, [4, 5]))
    ]
    assert TASK.uncertainty(BELIEFS) == pytest.approx(sum(each) / 3)
    assert weighted.uncertainty(BELIEFS) == pytest.approx((each[0] + 3 * each[1] + each[2]) / 5)
    assert weighted == TASK


def test_annotators_agree_on_each_control_alone():
    """Those who filled it in; where they disagree there is no answer."""
    votes = {
        "a": of(topic="sport", stars=1),
        "b": of(topic="health", stars=1),
        "c": of(stars=1, game=("ball",)),
    }
    agreement = TASK.agree(votes)
    assert agreement.answer == of(stars=1, game=("ball",))
    assert agreement.weight == 1.0
    disputed = TASK.agree({"a": of(topic="sport"), "b": of(topic="health")})
    assert (disputed.answer, disputed.reason) == (None, "annotators disagree")


def test_one_control_with_enough_answers_is_trained():
    """The others wait; without any the line names what each lacks."""
    rows = [of(topic="sport", stars=2), of(topic="health", stars=2), of(stars=2)]
    assert TASK.missing(rows) == ""
    assert TASK.missing(rows[2:]).count("for '") == 3
    examples = [Example(id=str(n), texts=("t",), answer=answer) for n, answer in enumerate(rows)]
    assert [e.answer for e in learnable(examples, TASK)] == [of(topic="sport"), of(topic="health")]


def test_conditions_go_to_json_and_back():
    """They are part of what annotators decide."""
    assert task_from_json(TASK.to_json()) == TASK
    assert MultiTask(parts=(replace(GAME, conditions=()), TOPIC, STARS)) != TASK


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (TOPIC, TOPIC),
        (GAME,),
        (replace(TOPIC, conditions=(Condition(control="game"),)), GAME),
    ],
)
def test_parts_that_make_no_task_are_refused(parts):
    """None, twice the same, or conditions that no answer can meet."""
    with pytest.raises(DataError):
        MultiTask(parts=parts)
