"""People steer a project: pause, train now, cancel, quota; each leaves a line in the log."""

from __future__ import annotations

import pytest

from xlt.errors import ConfigError, StoreError
from xlt_backend.errors import PausedError
from xlt_backend.rounds import steering
from xlt_backend.service.controls import Controls
from xlt_backend.setup.checks import Status
from xlt_backend.setup.option_checks import check_steering


@pytest.fixture
def controls(world) -> Controls:
    """The use cases that steer the world's project."""
    world.setup()
    world.trained()
    return Controls(
        states=world.states, queue=world.queue, store=world.store, now=lambda: world.time
    )


def test_a_paused_project_trains_nothing(world, controls):
    """Labels count, new tasks get a place; after the pause all labels are trained on."""
    trainings = world.trainer.trainings
    controls.pause("1", by="ada")
    world.label_studio.label_next(12)
    world.label_studio.add_tasks(3)
    world.round()
    assert world.trainer.trainings == trainings
    assert world.state.changed == 12
    world.assert_consistent()

    controls.resume("1", by="ben")
    assert world.queue.status("1") == "waiting"
    world.round()
    assert world.trainer.trainings == trainings + 1


def test_a_pause_survives_an_empty_redis(world, controls):
    """It is kept beside the models."""
    controls.pause("1", by="ada")
    world.redis.flushall()
    world.setup()
    world.label_studio.label_next(12)
    world.round()

    assert world.trainer.trainings == 1
    assert controls.steering("1").paused_by == "ada"


def test_nobody_trains_a_paused_project_by_hand(world, controls):
    """Neither the page nor Label Studio's button; both say who paused it."""
    controls.pause("1", by="ada")
    with pytest.raises(PausedError, match=r"paused by ada .*xlt resume 1"):
        controls.train("1", by="ben")

    assert "paused by ada" in world.event("START_TRAINING")
    assert world.state.forced == 0


def test_status_and_doctor_say_that_a_project_is_paused(world, controls):
    """And who did what."""
    controls.pause("1", by="ada")
    controls.pause("1", by="ben")
    status = world.service.status("1")

    assert status["steering"]["paused_by"] == "ada"
    assert [(a["by"], a["what"]) for a in status["log"][:2]] == [
        ("ada", "paused"),
        ("xlt", "promoted"),
    ]
    check = check_steering("1", controls.steering("1"))
    assert (check.status, check.fix) == (Status.WARN, "xlt resume 1")


def test_a_quota_of_people_replaces_the_option(world, controls):
    """From the next order on; /status and doctor say so, and it can be taken back."""
    controls.set_quota("1", {"sw": 9.0, "yo": 1.0}, by="ada")
    world.label_studio.label_next(12)
    world.round()
    served = [
        world.label_studio.stored[n]["data"]["lang"] for n in world.label_studio.label_next(30)
    ]
    assert served.count("sw") > 3 * served.count("yo")
    assert world.service.status("1")["steering"]["quota"] == {"sw": 9.0, "yo": 1.0}
    assert "sw 9, yo 1" in check_steering("1", controls.steering("1")).detail

    controls.set_quota("1", {}, by="ben")
    assert world.service.status("1")["steering"] == {}
    line = steering.log(world.versions)[-1]
    assert (line.by, line.before, line.after) == (
        "ben",
        "sw 9, yo 1",
        "as in the project's options",
    )


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf"), 1e308])
def test_a_quota_out_of_range_is_refused(controls, weight):
    """Before it is written."""
    with pytest.raises(ConfigError, match="sw"):
        controls.set_quota("1", {"sw": weight}, by="ada")

    assert controls.steering("1").quota == {}


@pytest.mark.parametrize("lang", ["", " ", "no such language", "x" * 5000, "<b>", "sw\x1b[31m"])
def test_a_weight_of_no_language_is_refused(controls, lang):
    """It would never count, and stand in the log."""
    with pytest.raises(ConfigError, match="code or the name of a language"):
        controls.set_quota("1", {lang: 1.0}, by="ada")

    assert controls.steering("1").quota == {}


def test_languages_of_tasks_and_of_the_world_have_weights_once(world, controls):
    """By code or by name; a group of texts that people named has one, too."""
    world.label_studio.add_tasks(1, langs=("our archive",))
    world.round()
    controls.set_quota("1", {"our archive": 1.0, "Hausa": 2.0}, by="ada")
    assert controls.steering("1").quota == {"our archive": 1.0, "Hausa": 2.0}
    with pytest.raises(ConfigError, match="'sw' and 'Swahili' are one language"):
        controls.set_quota("1", {"sw": 1.0, "Swahili": 2.0}, by="ada")


def test_training_and_cancelling_are_logged(world, controls):
    """Nothing is cancelled while nothing runs."""
    assert controls.train("1", by="ada").status == "ok: a round is waiting already"
    assert world.state.forced == 1
    assert not controls.cancel("1", by="ada")
    lease = world.queue.start("1", world.redis.get("xlt:waiting:1").decode())
    assert controls.cancel("1", by="ben")
    assert lease.cancelled()

    assert [(a.by, a.what) for a in steering.log(world.versions)[-2:]] == [
        ("ada", "asked to train"),
        ("ben", "stopped a round"),
    ]


def test_the_log_is_bounded(world, controls, monkeypatch):
    """The oldest lines go."""
    monkeypatch.setattr(steering, "MOST_ACTIONS", 3)
    for number in range(5):
        controls.set_quota("1", {"sw": float(number)}, by="ada")

    lines = [a.after for a in steering.log(world.versions) if a.what == "quota"]
    assert lines == ["sw 2", "sw 3", "sw 4"]


@pytest.mark.parametrize("data", [b"{", b"[]", b'{"more": 1}', b'{"quota": {"sw": "x"}}'])
def test_damaged_steering_is_one_clear_line(world, controls, data):
    """It is not taken for no pause."""
    world.versions.write_note(steering.STEERING, data)
    with pytest.raises(StoreError, match=r"steering\.json is damaged"):
        controls.steering("1")

    assert world.service.status("1")["steering"] == {}
