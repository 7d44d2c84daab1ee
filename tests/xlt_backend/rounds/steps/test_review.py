"""The review of labels in a round: the list for people, and tasks that are asked again."""

from __future__ import annotations

from tests.xlt_backend.world import other_than
from xlt.data.examples import Example
from xlt.errors import EncoderError
from xlt_backend.options import ProjectOptions
from xlt_backend.rounds.decide import Action
from xlt_backend.rounds.snapshot import in_audit


def labelled_with_errors(world, *, count=60, wrong=6, people=1) -> set[int]:
    """A project with a first model, some of its labels wrong; their tasks. Nothing is audited."""
    world.label_studio.extra_params |= {"audit_share": 0.0}
    world.trainer.telling = 6.0
    world.trainer.skill = 1.0
    world.label_studio.add_tasks(120)
    world.round()
    bad = set()
    for number in range(count):
        task = world.label_studio.next_task()
        text = world.label_studio.stored[task]["data"]["text"]
        bad |= {task} if number < wrong else set()
        label = other_than(text) if number < wrong else None
        world.label_studio.label(task, label, completed_by=1 + number % people)
    world.round()
    return bad


def test_doubtful_labels_are_listed_for_people(world):
    """The wrong ones first, in /status and in a tab; nothing goes back into the queue."""
    world.setup()
    bad = labelled_with_errors(world)
    status = world.service.status("1")
    listed = [int(item["task"]) for item in status["doubtful"]]

    assert len(listed) == 50
    assert set(listed[:6]) == bad
    assert world.label_studio.tabs["Labels to check"] == listed
    scores = world.label_studio.predictions[world.shown]
    assert [scores[task].score for task in listed] == sorted(scores[task].score for task in listed)
    assert not any(scores[task].result for task in listed)
    assert "a model that has not seen this label" in status["doubtful"][0]["reason"]
    assert (
        world.service.why("1", str(listed[0])) == {"task": str(listed[0])} | status["doubtful"][0]
    )
    assert status["annotators"]["1"]["answers"] == 60
    assert all(world.label_studio.stored[task]["is_labeled"] for task in listed)
    world.assert_consistent()


def test_an_order_does_not_wait_for_labels_that_cannot_be_checked(world, caplog):
    """The encoder that labels are doubted by fails: the model is published all the same."""
    world.setup()
    first = world.trained()
    for vectors in (world.settings.home / "work").rglob("scores-start-*.npz"):
        vectors.unlink()

    def fail(plan):
        if plan.mode == "embed":
            raise EncoderError("cannot load the encoder")

    world.trainer.before = fail
    world.label_studio.label_next(12)
    world.round()
    assert "labels are not reviewed: cannot load the encoder" in caplog.text
    assert "transfer is not measured: cannot load the encoder" in caplog.text
    assert world.shown != first
    assert world.state.last_error == ""
    world.assert_consistent()


def test_doubtful_labels_are_asked_for_again_where_that_is_wanted(world):
    """Tasks go back into the queue, at their place, without a suggestion, for somebody else."""
    world.setup()
    world.label_studio.extra_params |= {"relabel_share": 0.08}
    bad = labelled_with_errors(world, people=2)
    tasks = world.label_studio.stored
    reopened = {n for n, task in tasks.items() if "overlap" in task}

    assert len(reopened) == 4  # of a batch of 50
    assert reopened <= bad
    assert not any(tasks[task]["is_labeled"] for task in reopened)
    world.assert_consistent()
    assert world.round().action is Action.NOTHING
    for task in [n for n in tasks if not tasks[n]["is_labeled"] and n not in reopened][:10]:
        world.label_studio.label(task, completed_by=2)
    world.round()
    assert world.trainer.trainings == 2
    world.assert_consistent()
    for task in reopened:
        why = world.service.why("1", str(task))
        assert why["slot"] == "relabel"
        assert why["reason"].startswith("has an answer already: labelled ")
        assert not world.label_studio.predictions[world.shown][task].result
    assert reopened == {n for n, task in tasks.items() if "overlap" in task}
    [one, *_] = reopened
    world.label_studio.label(one, completed_by=3)
    assert tasks[one]["is_labeled"]


def test_nobody_is_asked_again_for_their_own_answer(world):
    """With one annotator Label Studio would show the task to nobody."""
    world.setup()
    world.label_studio.extra_params |= {"relabel_share": 0.5}
    labelled_with_errors(world, people=1)

    assert not any("overlap" in task for task in world.label_studio.stored.values())


def test_a_task_on_which_people_disagree_is_doubted_and_does_not_train(world):
    """Two answers that differ: no label, but a place in the list."""
    world.setup()
    labelled_with_errors(world, wrong=0, people=2)
    task = next(n for n, task in world.label_studio.stored.items() if task["is_labeled"])
    text = world.label_studio.stored[task]["data"]["text"]
    world.label_studio.stored[task]["overlap"] = 2
    world.label_studio.label(task, other_than(text), completed_by=7)
    world.label_studio.label_next(10)
    world.round()
    [found] = [item for item in world.state.doubtful if item["task"] == str(task)]

    assert sorted(found["answers"].values()) == sorted([text.split()[0], other_than(text)])
    assert found["expected"] == text.split()[0]
    assert "annotators disagree" in found["reason"]
    assert world.state.doubtful.index(found) < 10


def test_started_tasks_of_projects_with_overlap_have_a_place(world):
    """Before the first model behind the new ones, after it by the doubt of their answer."""
    world.setup()
    tasks = world.label_studio.stored
    for task in world.label_studio.add_tasks(60):
        tasks[task]["overlap"] = 2
    world.label_studio.label(1)
    world.round()
    rows = world.label_studio.predictions[world.shown]
    assert max(rows, key=lambda n: rows[n].score) == 1
    assert world.service.why("1", "1")["slot"] == "relabel"
    for task in range(2, 32):
        world.label_studio.label(task)
    world.round()
    assert world.versions.current() == world.shown
    rows = world.label_studio.predictions[world.shown]
    assert set(rows) == set(tasks)
    assert all(rows[task].result for task in rows)  # an ordinary second answer gets a suggestion
    assert not world.state.doubtful  # none is finished
    world.assert_consistent()


def test_audit_labels_are_not_looked_at_again(world):
    """Mending them where a model disagrees would make models look better than they are."""
    world.setup()
    labelled_with_errors(world, wrong=12)
    assert len(world.state.doubtful) == 50
    world.label_studio.extra_params |= {"audit_share": 0.5, "relabel_share": 0.5}
    for task in world.label_studio.stored.values():
        if task["is_labeled"] and task["id"] % 2:
            task["annotations"][0]["completed_by"] = 2
    world.label_studio.label_next(10)
    world.round()
    options = ProjectOptions.from_extra_params(world.label_studio.extra_params)
    key = world.label_studio.info.key

    def judges(task: int) -> bool:
        return in_audit(Example(id=str(task), texts=("x",)), options, key)

    assert world.state.doubtful
    assert not any(judges(int(item["task"])) for item in world.state.doubtful)
    again = [n for n, task in world.label_studio.stored.items() if "overlap" in task]
    assert again
    assert not any(judges(task) for task in again)
