"""The encoder's adaptation in the rounds of a project."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest

from tests.xlt_backend.world import World
from xlt.errors import CancelledError, DataError
from xlt_backend.rounds.decide import Action
from xlt_backend.worker.reconcile import reconcile


@pytest.fixture
def translated(world, tmp_path) -> World:
    """A project with a model of 60 labels, and an installation with translations."""
    table = tmp_path / "translations.csv"
    table.write_text("source,target,lang\n")
    world.settings = replace(world.settings, translations=table)
    world.setup()
    world.trained()
    world.label_studio.label_next(40)
    world.round()
    return world


def adaptations(world: World) -> int:
    """How often the training process was told to adapt."""
    return sum(plan.mode == "adapt" for plan in world.trainer.plans)


def encoder(world: World) -> str:
    """What the active model started from."""
    meta = world.versions.meta(world.versions.current())
    return str(meta.details["config"]["encoder"])


def reconciled(world: World) -> tuple[str, ...]:
    """What the reconciler asks for."""
    return reconcile(world.label_studio, world.states, world.queue, world.service)


def test_the_encoder_is_adapted_in_a_quiet_hour_and_used_where_labels_say_so(translated):
    """Labels come first; then one adaptation, and one training that starts from it."""
    world = translated
    assert (adaptations(world), world.state.adaptation_due) == (0, True)
    world.label_studio.is_quiet = False
    assert reconciled(world) == ()
    world.round()
    assert adaptations(world) == 0

    world.label_studio.is_quiet = True
    assert reconciled(world) == ("1",)
    world.round()
    assert (adaptations(world), world.state.adaptation_due) == (1, False)
    assert world.state.adaptation == "9 texts gained, 1 lost"
    assert world.states.is_due("1")  # to train again
    assert encoder(world) == "bundled"
    world.round()
    assert encoder(world).endswith(world.trainer.plans[-1].config["encoder"])
    assert "adapted-" in encoder(world)
    assert not world.states.is_due("1")
    assert reconciled(world) == ()
    world.assert_consistent()


def test_an_adaptation_that_labels_do_not_choose_is_not_used(translated):
    """The model stays; half as many labels again decide anew."""
    world = translated
    world.trainer.adaptation = {"adapted": False, "reason": "no clear gain"}
    world.round()
    assert (encoder(world), world.state.adaptation) == ("bundled", "no clear gain")
    assert not world.states.is_due("1")
    world.round()
    assert adaptations(world) == 1

    world.label_studio.label_next(40)
    world.trainer.adaptation = {"adapted": True, "reason": "now it is"}
    world.round()  # trains
    world.round()
    assert (adaptations(world), world.state.adaptation) == (2, "now it is")


def test_other_work_interrupts_an_adaptation(translated):
    """Nobody waits for it; it goes on when it is quiet again."""
    world = translated

    def label_meanwhile(plan):
        world.lease.others = plan.mode == "adapt"

    world.trainer.before = label_meanwhile
    assert world.round().action is Action.NOTHING
    assert (world.state.phase, world.state.adaptation_due) == ("done", True)
    world.trainer.before, world.lease.others = lambda _: None, False
    world.round()
    assert world.state.adaptation_due is False


def test_a_round_that_must_end_ends_an_adaptation_too(translated):
    """Whoever cancels means all of it."""
    translated.trainer.before = lambda plan: setattr(translated.lease, "stop", True)
    with pytest.raises(CancelledError):
        translated.round()


@pytest.mark.parametrize("failure", [{"hopeless": True, "reason": "no translations in sw"}, None])
def test_an_adaptation_that_cannot_be_made_is_told_once(translated, failure):
    """Not tried again before texts, languages or tables are others; labels go on training."""
    world = translated

    def fail(plan):
        if plan.mode == "adapt":
            raise DataError("translations.csv must have columns source, target and lang")

    if failure is None:
        world.trainer.before = fail
    else:
        world.trainer.adaptation = failure
    world.round()
    world.round()
    assert adaptations(world) == 1
    assert world.state.adaptation in ("no translations in sw", fail_words())
    assert world.state.last_error == ""

    with open(world.settings.translations, "a", encoding="utf-8") as file:
        file.write("rain,mvua,sw\n")
    world.round()
    assert adaptations(world) == 2


def fail_words() -> str:
    """What the table's reader says."""
    return "translations.csv must have columns source, target and lang"


def test_nothing_is_adapted_without_translations(world):
    """Monolingual text alone does not help."""
    world.setup()
    world.trained()
    world.round()
    assert (adaptations(world), world.state.adaptation_due) == (0, False)


def test_an_adapted_encoder_that_is_gone_is_done_without(translated):
    """Its folder may be emptied at any time: training starts from the installation's encoder."""
    world = translated
    world.round()
    world.round()
    assert "adapted-" in encoder(world)
    shutil.rmtree(world.settings.home / "work")
    world.label_studio.label_next(12)
    world.round()
    assert encoder(world) == "bundled"
