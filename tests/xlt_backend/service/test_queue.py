"""The front of a queue, as people see it."""

from __future__ import annotations

from itertools import pairwise

from xlt_backend.service.queue import NEXT, front


def test_the_front_of_the_queue_is_what_label_studio_serves_next(world):
    """In the same order, with language and reason."""
    world.setup()
    world.trained()
    found = front(world.states, "1")

    served = world.label_studio.label_next(20)
    assert [int(task.task) for task in found.tasks[:20]] == served
    assert len(found.tasks) == NEXT
    assert all(one.place < other.place for one, other in pairwise(found.tasks))
    for task in found.tasks:
        assert task.lang == world.label_studio.stored[int(task.task)]["data"]["lang"]
        assert task.reason
    assert sum(found.langs.values()) == sum(found.slots.values()) == 90


def test_labelled_tasks_leave_the_front(world):
    """At once by the event, for good by the next round, also where no event came."""
    world.setup()
    world.trained()
    first, second = (task.task for task in front(world.states, "1").tasks[:2])
    world.event("ANNOTATION_CREATED", annotation={"id": 1}, task={"id": int(first)})
    assert front(world.states, "1").tasks[0].task == second

    world.label_studio.label_next(2)
    world.round()
    left = {task.task for task in front(world.states, "1").tasks}
    assert not {first, second} & left


def test_the_front_is_filtered_by_language_and_slot(world):
    """The counts stay those of all, so that one can choose another."""
    world.setup()
    world.trained()
    whole = front(world.states, "1")
    one = front(world.states, "1", lang="swa", slot="quota")

    assert one.tasks
    assert {(task.lang, task.slot) for task in one.tasks} == {("sw", "quota")}
    assert (one.langs, one.slots) == (whole.langs, whole.slots)
    assert front(world.states, "9").tasks == ()
