"""Tasks that people want next are at the head of Label Studio's queue until they are labelled."""

from __future__ import annotations

import json

import pytest

from tests.xlt_backend.world import World
from xlt.data.examples import Example
from xlt.errors import ConfigError
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds import steering
from xlt_backend.rounds.snapshot import in_audit
from xlt_backend.service.controls import MOST_CHOSEN, Controls


@pytest.fixture
def controls(world) -> Controls:
    """The use cases that steer the world's project, which has a model."""
    world.setup()
    world.trained()
    return of(world)


def of(world: World) -> Controls:
    """The use cases."""
    return Controls(
        states=world.states, queue=world.queue, store=world.store, now=lambda: world.time
    )


def queue_of(world: World) -> list[str]:
    """Ids of the waiting tasks as Label Studio serves them."""
    rows = world.label_studio.predictions[world.shown]
    waiting = [n for n, task in world.label_studio.stored.items() if not task["is_labeled"]]
    return [str(n) for n in sorted(waiting, key=lambda n: rows[n].score)]


def audit_of(world: World) -> set[str]:
    """Ids of the waiting tasks that only judge."""
    key, options = world.label_studio.info.key, ProjectOptions(audit_share=0.2)
    return {id for id in queue_of(world) if in_audit(Example(id=id, texts=("a",)), options, key)}


def free(world: World) -> list[str]:
    """Ids of the waiting tasks that are no audit tasks, the last ones first."""
    return [id for id in reversed(queue_of(world)) if id not in audit_of(world)]


def noted(world: World) -> dict:
    """The draws of the order that is shown."""
    return json.loads(world.versions.note("draws.json"))["orders"][world.shown]["draws"]


def test_chosen_tasks_come_first_in_their_order(world, controls):
    """In the order that is shown, without a training; the others stay in theirs."""
    before, trainings = queue_of(world), world.trainer.trainings
    chosen = free(world)[:3]
    controls.label_next("1", chosen, by="ada")
    world.round()

    assert queue_of(world) == chosen + [id for id in before if id not in chosen]
    assert world.trainer.trainings == trainings
    world.assert_consistent()
    assert world.states.waiting("1")[chosen[0]]["slot"] == "chosen"


def test_a_later_choice_comes_before_an_earlier_one(world, controls):
    """A round that finds all in place does nothing."""
    first, second, third = free(world)[:3]
    controls.label_next("1", [first, second], by="ada")
    world.round()
    controls.label_next("1", [third, second], by="ben")
    world.round()

    assert queue_of(world)[:3] == [third, second, first]
    assert world.round().action.value == "nothing"


def test_a_choice_outlives_a_training_and_a_lost_redis(world, controls):
    """Until the tasks are labelled; then they are forgotten."""
    chosen = free(world)[:2]
    controls.label_next("1", chosen, by="ada")
    world.redis.flushall()
    world.setup()
    for id in [id for id in queue_of(world) if id not in chosen][:15]:
        world.label_studio.label(int(id))
    world.round()

    assert queue_of(world)[:2] == chosen
    for id in chosen:
        world.label_studio.label(int(id))
    world.round()
    assert steering.read(world.versions).first == ()


def test_before_the_first_model_too(world):
    """The order without a model is published again."""
    world.label_studio.add_tasks(40)
    world.setup()
    world.round()
    chosen = free(world)[:2]
    of(world).label_next("1", chosen, by="ada")
    world.round()

    assert queue_of(world)[:2] == chosen


def test_audit_tasks_keep_their_places(world, controls):
    """Models would be judged on what people looked for."""
    before = queue_of(world)
    audit = [id for id in before if id in audit_of(world)][-1]
    controls.label_next("1", [audit], by="ada")
    world.round()

    assert queue_of(world) == before


def test_the_chance_of_a_chosen_task_is_not_noted(world, controls):
    """It was not drawn; the chances of the others are as if it did not wait."""
    chosen = free(world)[-4]
    assert chosen in noted(world)
    controls.label_next("1", [chosen], by="ada")
    world.round()
    assert noted(world)
    assert chosen not in noted(world)
    for id in [id for id in queue_of(world) if id != chosen][:12]:
        world.label_studio.label(int(id))
    world.round()

    assert noted(world)
    assert chosen not in noted(world)


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        (["7", "x" * 100], "expected the id of a task, got 'xxxx"),
        (["²"], "expected the id of a task"),
        (["9" * 20], "expected the id of a task"),
        ([str(n) for n in range(MOST_CHOSEN + 1)], "101 tasks; at most 100"),
    ],
)
def test_what_are_no_ids_of_tasks_is_refused(world, controls, tasks, message):
    """Nothing is changed, and nothing is in the log."""
    with pytest.raises(ConfigError, match=message):
        controls.label_next("1", tasks, by="ada")

    assert steering.read(world.versions).first == ()
    assert all(action.what != "label next" for action in steering.log(world.versions))


def test_the_log_says_who_chose_what(world, controls):
    """And an empty choice ends it."""
    controls.label_next("1", ["7", "8"], by="ada")
    controls.label_next("1", [], by="ben")

    said = [a for a in steering.log(world.versions) if a.what == "label next"]
    assert [(a.by, a.after) for a in said] == [("ada", "7, 8"), ("ben", "none")]
    assert steering.read(world.versions).first == ()
