"""A round from snapshot to switch, and every way to fail in between."""

from __future__ import annotations

import shutil

import pytest

from xlt.errors import CancelledError, EncoderError, StoreError, XltError
from xlt.store.versions import ProjectStore
from xlt_backend.errors import TrainerError, UnreachableError
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds.decide import Action


def test_enough_labels_make_a_model(world):
    """The first model is trained, published, switched to and promoted, in this order."""
    world.label_studio.add_tasks(120)
    world.round()
    world.label_studio.label_next(30)
    promoted_at_switch: list[object] = []
    world.label_studio.before = lambda what: (
        promoted_at_switch.append(world.versions.current()) if what == "switch" else None
    )
    decision = world.round()

    assert decision.action is Action.PUBLISH
    assert promoted_at_switch == [None]
    assert world.versions.current() == world.shown == decision.version
    assert set(world.label_studio.predictions) == {world.shown}
    world.assert_consistent()


PHASES = [
    "project", "activity", "tasks", "versions", "publish", "publish half", "switch",
    "prune",
]  # fmt: skip


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("error", [UnreachableError("Label Studio is down"), KeyboardInterrupt()])
def test_round_that_ends_in_any_request_is_made_up_for(world, phase, error):
    """Label Studio down, or the worker gone, at any request: the next round repairs it.

    What is shown is whole at every moment, and nothing is trained twice.
    """
    first = world.trained()
    world.label_studio.label_next(12)

    def fail(what: str) -> None:
        if what == phase:
            raise error

    world.label_studio.before = fail
    with pytest.raises(type(error)):
        world.round()
    assert world.shown in (first, world.versions.versions()[-1])
    if world.shown == first or phase == "prune":
        world.assert_consistent()
    if isinstance(error, XltError):
        assert "Label Studio is down" in world.state.last_error

    world.label_studio.before = lambda _: None
    world.round()
    assert world.trainer.trainings == 2
    assert world.shown == world.versions.versions()[-1] != first
    world.assert_consistent()
    world.round()
    assert set(world.label_studio.predictions) == {world.shown}
    assert world.state.last_error == ""


def test_killed_between_saving_and_publishing_with_news_meanwhile(world):
    """A version that was saved is published even where labels arrived since."""
    world.trained()
    world.label_studio.label_next(12)

    def fail(what: str) -> None:
        if what == "publish":
            raise UnreachableError("Label Studio is down")

    world.label_studio.before = fail
    with pytest.raises(UnreachableError):
        world.round()
    world.label_studio.before = lambda _: None
    world.label_studio.label_next(3)
    world.round()

    assert world.trainer.trainings == 2
    assert world.shown == world.versions.versions()[-1]
    world.assert_consistent()


def test_training_process_that_dies_shows_nothing_new(world):
    """Its last words are kept, the model in use stays in use, and it is tried again."""
    first = world.trained()
    world.label_studio.label_next(12)

    def die(plan) -> None:
        raise TrainerError("the training process ended with killed by SIGKILL")

    world.trainer.before = die
    with pytest.raises(TrainerError):
        world.round()
    assert world.shown == first
    assert "SIGKILL" in world.state.last_error

    world.trainer.before = lambda plan: None
    world.round()
    assert world.shown != first


def test_encoder_that_does_not_exist(world):
    """The message names it; Label Studio keeps what it has."""
    world.label_studio.add_tasks(20)

    def missing(plan) -> None:
        raise EncoderError("no encoder 'xlm-rubbish'")

    world.trainer.before = missing
    with pytest.raises(EncoderError):
        world.round()

    assert "xlm-rubbish" in world.state.last_error
    assert world.state.phase == "failed in score"


def test_full_disk_keeps_the_active_version(world, monkeypatch):
    """A version that cannot be written is not there; the loop goes on when there is room."""
    first = world.trained()
    world.label_studio.label_next(12)

    def full(*_: object, **__: object) -> str:
        raise StoreError("cannot write v0002: no space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(ProjectStore, "commit", full)
        with pytest.raises(StoreError):
            world.round()
    assert world.versions.versions() == (first,)
    assert world.shown == first
    assert "no space left" in world.state.last_error

    world.round()
    assert world.shown != first


def test_lost_scores_are_computed_again(world):
    """The cache on the worker's disk may be emptied at any time."""
    world.trained()
    shutil.rmtree(world.home / "work")
    world.label_studio.add_tasks(5)
    world.round()

    world.assert_consistent()


def test_round_that_was_taken_over_writes_nothing(world):
    """A worker that lost its lease does not touch Label Studio any more."""
    first = world.trained()
    world.label_studio.label_next(12)
    world.trainer.before = lambda plan: setattr(world.lease, "lost", True)
    world.label_studio.calls.clear()
    with pytest.raises(CancelledError):
        world.round()

    assert {"publish", "switch"}.isdisjoint(world.label_studio.calls)
    assert world.shown == first


def test_cancelled_round_is_no_error(world):
    """Somebody who stops a round is not told that something went wrong."""
    world.trained()
    world.label_studio.label_next(12)
    world.trainer.before = lambda plan: setattr(world.lease, "stop", True)
    with pytest.raises(CancelledError):
        world.round()

    assert world.state.phase == "cancelled"
    assert world.state.last_error == ""


def test_redis_that_goes_away_during_a_round_does_not_stop_it(world, monkeypatch):
    """What cannot be reported is not reported; Label Studio gets its predictions."""
    world.label_studio.add_tasks(30)
    real = StateStore.put

    def gone(self, project, **values):
        from xlt_backend.errors import RedisDownError

        if world.label_studio.calls:
            raise RedisDownError("Redis does not answer")
        real(self, project, **values)

    monkeypatch.setattr(StateStore, "put", gone)
    world.round()

    world.assert_consistent()
