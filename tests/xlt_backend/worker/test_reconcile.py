"""The comparison of Label Studio with what the rounds have seen."""

from __future__ import annotations

from xlt_backend.errors import UnreachableError
from xlt_backend.worker.reconcile import reconcile


def test_flushed_redis_is_rebuilt(world):
    """Everything in Redis can be had again from Label Studio and the store."""
    world.setup()
    world.trained()
    before = world.state
    world.redis.flushall()
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()

    after = world.state
    assert world.trainer.trainings == 1
    for name in ("key", "label_config", "extra_params", "shown", "model", "labels", "accuracy"):
        assert getattr(after, name) == getattr(before, name), name


def test_lost_events_are_found_again(world):
    """Labels whose webhooks never came are found by comparing, once."""
    world.setup()
    first = world.trained()
    world.label_studio.label_next(12)

    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert world.shown != first
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
    assert world.label_studio.webhooks == 2


def test_project_that_cannot_be_looked_at_holds_back_no_other(world):
    """Its state says why."""
    world.setup()

    def fail(what: str) -> None:
        if what == "webhook":
            raise UnreachableError("Label Studio is down")

    world.label_studio.before = fail
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
    assert "Label Studio is down" in world.state.last_error


def test_project_under_another_address_is_looked_after_too(world):
    """Somebody added us by hand, under a name of this machine that we do not know."""
    world.setup(extra_params={"retrain_after_labels": 5})
    world.label_studio.extra_params = None
    world.label_studio.connected = lambda known: []
    world.trained()
    world.label_studio.label_next(6)

    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert world.trainer.trainings == 2


def test_deleted_project_is_forgotten_by_reconciling(world):
    """It is not asked about again."""
    world.setup()
    world.label_studio.edit(id=2)

    reconcile(world.label_studio, world.states, world.queue, world.service)
    assert "1" not in world.states.projects()


def test_label_studio_that_answers_again_ends_the_pause(world):
    """After an outage the next round does not wait for the rest of a long pause."""
    world.setup()
    ticket = world.queue.request("1")
    world.queue.start("1", ticket.job_id).finish(ok=False)
    assert world.queue.status("1") == "held"

    reconcile(world.label_studio, world.states, world.queue, world.service)
    assert world.queue.status("1") == "waiting"
