"""People look after a project's versions: what they see, and what their actions lead to."""

from __future__ import annotations

import pytest

from tests.fakes import LABELS
from xlt.errors import CorruptVersionError, NeededVersionError, NoVersionError, StaleVersionError
from xlt.store.change_log import ChangeLog
from xlt_backend.errors import UnknownProjectError
from xlt_backend.service.versions import Versions
from xlt_backend.worker.reconcile import reconcile


@pytest.fixture
def people(world) -> Versions:
    """The use cases of people about the versions of the world's project."""
    return Versions(
        states=world.states,
        queue=world.queue,
        store=world.store,
        work=world.home / "work",
        now=lambda: world.time,
    )


@pytest.fixture
def two(world) -> tuple[str, str]:
    """Two versions; the second is the active one."""
    world.setup()
    first = world.trained()
    world.label_studio.label_next(12)
    world.round()
    assert world.shown != first
    return first, world.shown


def test_the_list_says_what_became_of_each_version(world, people, two):
    """Newest first, with labels, accuracy and its interval, how it was trained, and why."""
    newest, oldest = people.all("1")

    assert (newest.name, oldest.name) == (two[1], two[0])
    assert (newest.standing, oldest.standing) == ("active", "was active")
    assert sum(newest.labels.values()) > sum(oldest.labels.values())
    for score in newest.accuracy.values():
        assert 0 <= score["low"] <= score["accuracy"] <= score["high"] <= 1
    assert "encoder bundled" in newest.trained
    assert "new labels" in newest.reason
    assert newest.verdict


def test_rolling_back_is_followed_by_label_studio(world, people, two):
    """One action: the version before is active, its order is published, and a person is named."""
    done = people.roll_back("1", by="ada", reason="Swahili got worse")

    assert (done.before, done.after) == (two[1], two[0])
    assert world.queue.status("1") == "waiting"
    world.round()
    assert world.shown == two[0] == world.versions.current()
    world.assert_consistent()
    line = people.log("1")[0]
    assert (line.by, line.what, line.before, line.after, line.reason) == (
        "ada",
        "rolled back",
        two[1],
        two[0],
        "Swahili got worse",
    )
    assert people.one("1", two[1]).standing == "went back from"


def test_what_was_rolled_back_does_not_come_back_without_new_labels(world, people, two):
    """Not by a round, not by asking for a training; new labels train another version."""
    people.roll_back("1", by="ada")
    world.round()
    world.event("START_TRAINING")
    world.round()
    assert world.shown == two[0] == world.versions.current()
    assert world.trainer.trainings == 2

    world.label_studio.label_next(12)
    world.round()
    assert world.trainer.trainings == 3
    assert world.shown not in two


def test_promoting_an_earlier_version_counts_as_going_back(world, people, two):
    """The way back does not matter: the newer version does not return by itself."""
    people.promote("1", two[0][:5], by="ada")
    world.round()
    world.event("START_TRAINING")
    world.round()

    assert world.shown == two[0] == world.versions.current()
    people.promote("1", two[1], by="ada")
    world.round()
    assert world.shown == two[1] == world.versions.current()


def test_the_chosen_version_is_shown_before_another_is_trained(world, people, two):
    """A training that is due may take long: the order of the chosen version does not wait."""
    world.label_studio.label_next(12)
    people.roll_back("1", by="ada")
    shown_at_training: list[str] = []
    world.trainer.before = lambda plan: (
        shown_at_training.append(world.shown) if plan.mode == "train" else None
    )
    world.round()

    assert shown_at_training == [two[0]]
    assert world.shown == world.versions.current() not in two


def test_a_person_who_chooses_during_a_training_is_not_overruled(world, people, two):
    """The new model was judged against another one: it is kept back, and can be promoted."""
    world.label_studio.label_next(12)

    def chosen(plan):
        if plan.mode == "train":
            people.promote("1", two[0], by="ada")

    world.trainer.before = chosen
    world.round()
    world.trainer.before = lambda plan: None
    assert world.shown == two[0] == world.versions.current()
    world.round()
    assert world.shown == two[0]
    kept_back = people.all("1")[0]
    assert kept_back.standing == "refused"
    assert "promote it" in kept_back.verdict
    people.promote("1", kept_back.name, by="ada")
    world.round()
    assert world.shown == kept_back.name


def test_a_person_who_chooses_during_the_publication_is_not_overruled(world, people, two):
    """The last moment: Label Studio shows the new version, the store not yet."""
    world.label_studio.label_next(12)
    done: list[str] = []

    def chosen(what):
        if what == "switch" and not done:
            done.append(people.promote("1", two[0], by="ada").after)

    world.label_studio.before = chosen
    with pytest.raises(StaleVersionError):
        world.round()
    assert world.versions.current() == two[0]
    world.round()
    assert world.shown == two[0] == world.versions.current()


def test_of_two_people_at_once_the_second_is_told(world, people, two):
    """Who saw another active version does not undo what a colleague just did."""
    people.roll_back("1", by="ada", seen=two[1])
    with pytest.raises(StaleVersionError, match=f"is {two[0]} by now, expected {two[1]}"):
        people.promote("1", two[1], by="ben", seen=two[1])
    with pytest.raises(StaleVersionError):
        people.roll_back("1", by="ben", seen=two[1])

    assert world.versions.current() == two[0]
    assert sum(row.standing == "active" for row in people.all("1")) == 1


def test_there_is_no_way_back_from_the_first_version(world, people):
    """Nor before it."""
    world.setup()
    world.round()
    with pytest.raises(NoVersionError, match="no earlier version"):
        people.roll_back("1", by="ada")
    world.trained()
    with pytest.raises(NoVersionError, match="no earlier version"):
        people.roll_back("1", by="ada")


def test_a_version_that_is_gone_is_named(world, people, two):
    """The way back was deleted: nothing changes, and the message says what there is."""
    people.remove("1", two[0], by="ada")
    with pytest.raises(NoVersionError, match=f"{two[0]}, which was active before, was deleted"):
        people.roll_back("1", by="ada")
    with pytest.raises(NoVersionError, match="no version"):
        people.promote("1", two[0], by="ada")

    assert world.versions.current() == two[1]


def test_a_damaged_version_is_not_promoted(world, people, two):
    """Its files are compared with their hashes first."""
    folder = world.versions.open(two[0])
    (folder / "labels.json").unlink()
    world.store = type(world.store)(world.settings.model_dir)
    fresh = Versions(states=world.states, queue=world.queue, store=world.store)
    for act in (lambda: fresh.promote("1", two[0], by="a"), lambda: fresh.roll_back("1", by="a")):
        with pytest.raises(CorruptVersionError):
            act()

    assert world.versions.current() == two[1]


def test_active_and_newest_versions_stay(world, people, two):
    """The newest one knows which labels were trained on: without it, they would train again."""
    with pytest.raises(NeededVersionError, match="active"):
        people.remove("1", two[1], by="ada")
    people.roll_back("1", by="ada")
    with pytest.raises(NeededVersionError, match="newest"):
        people.remove("1", two[1], by="ada")


def test_prune_says_what_goes_and_is_logged(world, people, two):
    """Active version, the one before it and the newest stay."""
    assert people.prune("1", 1, by="ada") == ()
    world.label_studio.label_next(12)
    world.round()
    assert people.prunable("1", 1) == (two[0],)
    assert people.prune("1", 1, by="ada") == (two[0],)

    assert [row.name for row in people.all("1")] == [world.shown, two[1]]
    world.round()
    kept = {path.name for path in (world.home / "work" / world.versions.name).glob("scores-v*")}
    assert kept == {f"scores-{name}.npz" for name in world.versions.versions()}
    assert (people.log("1")[0].what, people.log("1")[0].before) == ("deleted", two[0])


@pytest.mark.parametrize("project", ["9", "", "x", "1/../2"])
def test_an_unknown_project_is_named(world, people, two, project):
    """Every use case says which projects there are."""
    with pytest.raises(UnknownProjectError, match="it knows 1"):
        people.all(project)


def test_a_promotion_killed_in_the_middle_is_finished(world, people, two, monkeypatch):
    """The pointer moved, the log and the request for a round did not come: all still follows."""

    def killed(*args, **kwargs):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(ChangeLog, "_write", killed)
        with pytest.raises(SystemExit):
            people.roll_back("1", by="ada")
    assert world.versions.current() == two[0]
    world.redis.delete("xlt:waiting:1")
    assert world.service.is_behind("1")
    assert reconcile(world.label_studio, world.states, world.queue, world.service) == ("1",)
    world.round()
    assert world.shown == two[0] == world.versions.current()
    assert not world.service.is_behind("1")


def test_versions_are_compared_on_the_same_audit_labels(world, people, two):
    """Counts agree with the answers that each gave when it was made."""
    found = people.compare("1", *two)

    first, second = (world.versions.open(name) / "examples.json" for name in two)
    assert first.exists()
    assert second.exists()
    assert found.languages
    assert {pair.name for pair in found.labels} <= set(LABELS)
    for pair in (*found.languages, *found.labels):
        assert pair.n >= pair.won + pair.lost
        assert pair.other["correct"] - pair.one["correct"] == pair.won - pair.lost
        assert pair.one["low"] <= pair.one["accuracy"] <= pair.one["high"]
    assert sum(pair.n for pair in found.languages) == sum(pair.n for pair in found.labels)


def test_tasks_with_another_answer_are_named(world, people):
    """By the scores that the worker keeps; the fake's worse model errs on other tasks."""
    world.setup()
    world.trainer.skill = 0.5
    first = world.trained()
    world.trainer.skill = 1.0
    world.label_studio.label_next(12)
    world.round()
    found = people.compare("1", first, world.shown)

    assert found.source == "tasks"
    assert 0 < found.changed == len(found.tasks) <= found.compared
    assert found.compared == found.comparable
    some = people.compare("1", first, world.shown, most=20)
    assert (some.compared, some.comparable) == (20, found.compared)
    assert {task.task for task in some.tasks} <= {task.task for task in found.tasks}
    for task in found.tasks:
        text = world.label_studio.stored[int(task.task)]["data"]
        assert task.other == repr(text["text"].split()[0]) != task.one
        assert task.lang == text["lang"]


def test_without_the_worker_s_scores_audit_answers_are_compared(world, people, two):
    """As on a web server of its own; the comparison says so."""
    alone = Versions(states=world.states, queue=world.queue, store=world.store)
    found = alone.compare("1", *two)

    assert found.source == "audit"
    assert found.compared == sum(pair.n for pair in found.languages)
    assert "not on this machine" in found.note
