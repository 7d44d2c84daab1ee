"""Label Studio's /setup and webhooks, and the answers of /status."""

from __future__ import annotations

import re

import pytest
from redis import Redis

from xlt_backend.errors import RedisDownError
from xlt_backend.labelstudio.wire import SetupRequest
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.service.events import Service


def test_setup_answers_the_version_that_is_shown(world):
    """/setup says which version the project's predictions have."""
    assert world.setup() == ""
    version = world.trained()

    assert world.setup() == version


def test_setup_of_a_new_project_asks_for_its_first_order(world):
    """Connecting is enough: the pool is put in order."""
    world.setup()

    assert world.queue.status("1") == "waiting"


def test_setup_without_redis_answers_from_memory_and_store(world, tmp_path):
    """Label Studio's label stream does not stop because Redis is away."""
    version = world.trained()
    gone = Redis(unix_socket_path=str(tmp_path / "none"), retry=None)
    service = Service(states=StateStore(gone), queue=TrainQueue(gone), store=world.store)
    request = SetupRequest.model_validate({"project": world.label_studio.info.key, "schema": ""})

    assert service.setup(request) == version


def test_setup_without_redis_knows_what_was_promoted_since_it_was_asked_last(world, monkeypatch):
    """Its memory may be of the order without a model that was shown then."""
    world.label_studio.add_tasks(120)
    world.round()
    order = world.setup()
    assert order == world.shown
    world.time += 100
    world.label_studio.label_next(30)
    world.round()
    version = world.shown

    def away(self, project, *names):
        raise RedisDownError("Redis does not answer")

    for name in ("get", "some"):
        monkeypatch.setattr(StateStore, name, away)
    assert world.setup() == version != order


def test_setup_of_another_project_with_the_same_id_drops_the_state(world):
    """A new Label Studio counts from 1 again: it does not get the old one's models."""
    world.trained()
    world.setup()

    assert world.setup(project="1.1999999999") == ""
    assert world.state.model == ""


def test_labels_are_counted_until_there_are_enough(world):
    """An event below the threshold is counted; the one that reaches it asks."""
    world.setup()
    world.trained()
    for number in range(1, 10):
        answer = world.event(
            "ANNOTATION_CREATED", annotation={"id": number}, task={"id": 500 + number}
        )
        assert answer == f"ok: {number} of 10 new labels"
    world.redis.delete("xlt:waiting:1")
    answer = world.event("ANNOTATION_CREATED", annotation={"id": 10}, task={"id": 510})

    assert answer == "ok: a round is queued"


def test_the_same_event_a_hundred_times_counts_once(world):
    """Events may come twice."""
    world.setup()
    world.trained()
    answers = {
        world.event("ANNOTATION_CREATED", annotation={"id": 1}, task={"id": 501})
        for _ in range(100)
    }

    assert answers == {"ok: 1 of 10 new labels"}


def test_skips_are_no_labels(world):
    """A skipped task teaches nothing."""
    world.setup()
    answer = world.event(
        "ANNOTATION_CREATED", annotation={"id": 1, "was_cancelled": True}, task={"id": 501}
    )

    assert answer == "ok: skipped"


@pytest.mark.parametrize(
    ("action", "fields", "answer"),
    [
        ("START_TRAINING", {}, "ok: a round"),
        ("TASKS_CREATED", {"tasks": [{"id": 1}]}, "ok: a round"),
        ("PROJECT_UPDATED", {}, "ok: the labelling interface did not change"),
        ("TASKS_DELETED", {"tasks": [{"id": 1}]}, "ok: a round"),
        ("LABEL_LINK_CREATED", {}, "ignored: nothing to do"),
    ],
)
def test_events(world, action, fields, answer):
    """Each event has an answer that says what became of it."""
    world.setup()

    assert world.event(action, **fields).startswith(answer)


@pytest.mark.parametrize("count", [1, 25])
def test_deleted_annotations_are_counted_at_once(world, count):
    """They come without their tasks, however many; the labels that are shown are right soon."""
    world.setup()
    world.trained()
    before = world.state.labels
    for number in [n for n, task in world.label_studio.stored.items() if task["is_labeled"]]:
        world.label_studio.unlabel(number)
    world.redis.delete("xlt:waiting:1")
    annotations = [{"id": number} for number in range(count)]

    assert world.event("ANNOTATIONS_DELETED", annotations=annotations) == "ok: a round is queued"
    world.round()
    assert sum(before.values()) > 0
    assert (world.state.labels, world.state.audit_labels) == ({}, {})
    assert world.state.changes["gone"]["labels"] == 30


def test_deleted_tasks_are_forgotten(world):
    """Their labels are no longer counted, their ids not explained: others may get them."""
    world.setup()
    world.trained()
    gone = [n for n in world.label_studio.stored if n % 2]
    for number in gone:
        del world.label_studio.stored[number]
    world.redis.delete("xlt:waiting:1")
    answer = world.event("TASKS_DELETED", tasks=[{"id": number} for number in gone])

    assert answer == "ok: a round is queued"
    assert all("place" not in world.service.why("1", str(number)) for number in gone)
    assert any("place" in world.service.why("1", str(n)) for n in world.label_studio.stored)
    world.round()
    labelled = sum(task["is_labeled"] for task in world.label_studio.stored.values())
    state = world.state
    assert sum(state.labels.values()) + sum(state.audit_labels.values()) == labelled
    assert (state.tasks, state.open_tasks) == (60, 60 - labelled)


def test_tasks_that_come_with_labels_are_counted(world):
    """An import of annotated tasks sends one event about tasks, none about annotations."""
    world.setup()
    world.trained()
    new = world.label_studio.add_tasks(4)
    for number in new:
        world.label_studio.label(number)
    world.redis.delete("xlt:waiting:1")

    assert world.event("TASKS_CREATED", tasks=[{"id": n} for n in new]) == "ok: a round is queued"
    world.round()
    assert sum(world.state.labels.values()) + sum(world.state.audit_labels.values()) == 34
    assert world.state.changes == {"new": {"labels": 4, "tasks": [str(n) for n in new]}}


def test_annotations_from_predictions_are_counted_by_task(world):
    """They come as lists under the keys of a single one."""
    world.setup()
    world.trained()
    annotation = [{"id": number} for number in (1, 2, 3)]
    task = [{"id": number} for number in (501, 502, 502)]

    answer = world.event("ANNOTATIONS_CREATED", annotation=annotation, task=task)
    assert answer == "ok: 2 of 10 new labels"


def test_event_of_an_unknown_project_is_ignored_with_words(world):
    """It is accepted, and the answer says why nothing happens."""
    assert "project 1 is not connected" in world.event("START_TRAINING")
    assert world.queue.projects() == ()


def test_status_says_what_people_want_to_know(world):
    """Labels and accuracy per language, the job, the last round, the last error."""
    world.setup()
    world.trained()
    status = world.service.status("1")

    assert status["shown"] == status["model"] == world.shown
    assert set(status["labels"]) == {"en", "sw", "yo"}
    assert status["phase"] == "done"
    assert status["last_error"] == ""
    assert status["last_round"]["peak_rss_bytes"] == 10**9
    assert all(0 <= score["accuracy"] <= 1 for score in status["accuracy"].values())
    assert "label_config" not in status


def test_status_says_why_a_task_stands_where_it_stands(world):
    """Its language's quota, what the sampler saw in it, and what is labelled next to it."""
    world.setup()
    world.trained()
    version = world.shown
    tasks = world.label_studio.stored
    labelled = {str(n) for n, task in tasks.items() if task["is_labeled"]}
    said = {n: world.service.why("1", str(n)) for n in tasks if str(n) not in labelled}

    assert sorted(why["place"] for why in said.values()) == list(range(1, 91))
    first = min(said.values(), key=lambda why: why["place"])
    assert first["version"] == version
    assert first["of"] == 90
    assert re.match(r"(en|sw|yo) gets \d+ of 50: ", first["reason"])
    chosen = [why for why in said.values() if why["slot"] == "quota"]
    assert all("margin of the text itself" in why["reason"] for why in chosen)
    assert all(len(why["neighbours"]) == 3 for why in chosen)
    assert {id for why in chosen for id in why["neighbours"]} <= labelled


def test_status_forgets_an_old_order_and_adds_to_a_current_one(world):
    """A task that is labelled in the next round has no place any more; a new one has."""
    world.setup()
    world.trained()
    [new] = world.label_studio.add_tasks(1)
    world.round()
    assert world.service.why("1", str(new))["version"] == world.shown
    done = world.label_studio.label_next(10)
    world.round()
    assert all("place" not in world.service.why("1", str(id)) for id in done)
    assert world.service.why("1", "nothing")["reason"].startswith("not explained")
