"""The deletion of predictions that are shown no more."""

from __future__ import annotations

from xlt_backend.worker.reconcile import reconcile


def test_old_predictions_are_deleted_once_it_is_quiet(world):
    """A round that had to leave some behind is followed by one that deletes them, no sooner."""
    world.setup()
    world.label_studio.is_quiet = False
    world.trained()
    old = set(world.label_studio.predictions) - {world.shown}
    assert world.state.leftovers == len(old) > 0

    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
    world.label_studio.is_quiet = True
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert set(world.label_studio.predictions) == {world.shown}
    assert world.state.leftovers == 0
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ()
