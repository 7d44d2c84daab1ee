"""What happens to projects in a real Label Studio: after each event, xlt says what became of it.

No answer is lost or credited to another task.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.builders import region
from tests.e2e.desk import Desk, opened
from tests.e2e.stack import is_model
from xlt_backend.demo.studio import LabelStudioServer
from xlt_backend.errors import RejectedError
from xlt_backend.rounds import ledger

LABELS = ("sport", "music", "food")


def config(*labels: str, name: str = "label", inside: str = "", more: str = "") -> str:
    """An interface of these labels."""
    tags = inside or "".join(f'<Choice value="{label}"/>' for label in labels)
    return (
        '<View><Text name="text" value="$text"/>'
        f'<Choices name="{name}" toName="text" {more}>{tags}</Choices></View>'
    )


def texts(count: int, *, start: int = 0, labels: Sequence[str] = LABELS) -> list[dict[str, Any]]:
    """Tasks whose text says what they are about."""
    return [
        {"text": f"{labels[n % len(labels)]} en {n}", "lang": "en"}
        for n in range(start, start + count)
    ]


def about(task: dict[str, Any]) -> str:
    """The label of a task."""
    return str(task["data"]["text"].split()[0])


@pytest.fixture(scope="module")
def desk(label_studio: LabelStudioServer, tmp_path_factory) -> Iterator[Desk]:
    """The service."""
    with opened(tmp_path_factory.mktemp("desk"), label_studio) as running:
        yield running


def answered(tasks: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The tasks with an annotation each."""
    return [
        {"data": data, "annotations": [{"result": [region(data["text"].split()[0])]}]}
        for data in tasks
    ]


@pytest.fixture
def trained(desk: Desk, request: pytest.FixtureRequest) -> int:
    """A project with six labels, six waiting tasks and a model that is always right."""
    desk.trainer.skill = 1.0
    tasks = [*answered(texts(6)), *texts(6, start=6)]
    project = desk.connected(request.node.name[:45], config(*LABELS), tasks)
    assert is_model(desk.client.project(project).model_version)
    return project


def annotate(desk: Desk, project: int, count: int) -> list[int]:
    """Annotates the first tasks that wait."""
    waiting = [task for task in desk.client.tasks(project) if not task["is_labeled"]][:count]
    for task in waiting:
        desk.client.annotate(task["id"], [region(about(task))], lead_time=1.0)
    return [task["id"] for task in waiting]


def labels(desk: Desk, project: int) -> int:
    """The number of labels that /status shows."""
    return sum(desk.status(project)["labels"].values())


def test_label_is_renamed(desk: Desk, trained: int) -> None:
    """Label Studio's API accepts it; the answers come back with the name."""
    project = trained
    assert desk.faults(project) == {}
    food = [task for task in desk.client.tasks(project) if about(task) == "food"]
    given = [task["id"] for task in food if task["is_labeled"]]
    other = config("sport", "music", "cuisine")
    desk.client.update_project(project, label_config=other)
    desk.asked(project)

    reason = "unknown label 'food'"
    assert desk.status(project)["unused"] == {
        reason: {"answers": 2, "tasks": [str(id) for id in given]}
    }
    assert labels(desk, project) == 4
    found = desk.faults(project)
    assert set(found) == {"answers", "labels"}
    assert "2 answers are not used: unknown label 'food' (2; tasks" in found["answers"]
    assert "former names" in found["answers"]
    assert reason in desk.why(project, given[0])

    desk.client.update_project(project, label_config=config(*LABELS))
    desk.asked(project)
    assert (labels(desk, project), desk.answers(project)) == (6, "6 are used")


def test_control_is_renamed(desk: Desk) -> None:
    """Before the first answer it can be; a page that was open then still submits the old name."""
    project = desk.connected("control renamed", config(*LABELS), texts(9))
    desk.client.update_project(project, label_config=config(*LABELS, name="topic"))
    desk.asked(project)
    early = annotate(desk, project, 2)
    desk.round(project)

    assert labels(desk, project) == 0
    [(reason, unused)] = desk.status(project)["unused"].items()
    assert reason == "no answer to 'topic', but to 'label'"
    assert unused == {"answers": 2, "tasks": [str(id) for id in early]}
    assert "2 answers are not used" in desk.faults(project)["answers"]

    with pytest.raises(RejectedError):  # from the first answer on, no further renaming
        desk.client.update_project(project, label_config=config(*LABELS, name="third"))


def test_tasks_are_deleted_and_others_imported(desk: Desk, trained: int) -> None:
    """The new ones have the ids of the old ones: labels, draws and suggestions are their own."""
    project = trained
    old = {task["id"]: about(task) for task in desk.client.tasks(project)}
    params = {"id": "delete_tasks", "project": project}
    body = {"selectedItems": {"all": True, "excluded": []}}
    desk.client.http.request("POST", "/api/dm/actions/", params=params, json=body)
    desk.asked(project)
    status = desk.status(project)
    assert (labels(desk, project), status["tasks"]) == (0, 0)
    assert status["changes"]["gone"]["labels"] == 6
    assert "6 labels gone" in desk.answers(project)
    assert all("place" not in desk.why(project, id) for id in old)

    new = texts(12, start=101)
    desk.client.import_tasks(project, [*answered(new[:4]), *new[4:]])
    desk.asked(project)
    tasks = {task["id"]: task for task in desk.client.tasks(project)}
    done = [id for id, task in tasks.items() if task["is_labeled"]]
    assert set(done) <= set(old), "this Label Studio gives no id away twice"
    assert labels(desk, project) == 4
    assert set(desk.status(project)["changes"]["replaced"]["tasks"]) == {str(id) for id in done}
    assert "4 labels of other texts than before" in desk.answers(project)
    assert ledger.read(desk.versions(project)).labelled == {}

    annotate(desk, project, 3)
    assert desk.round(project).trained
    versions = desk.versions(project)
    stored = json.loads((versions.open(versions.current() or "") / "examples.json").read_text())
    assert {int(id): label["answer"] for id, label in stored.items()} == {
        id: about(task) for id, task in tasks.items() if str(id) in stored
    }
    waiting = {id: [about(task)] for id, task in tasks.items() if str(id) not in stored}
    shown = desk.suggestions(project)
    assert {id: shown[id] for id in waiting} == waiting
    assert (len(waiting), desk.status(project)["changes"]) == (5, {})


def test_text_is_edited(desk: Desk, trained: int) -> None:
    """A task that waits gets the suggestion of its new text; a label of another one is said."""
    project = trained
    tasks = desk.client.tasks(project)
    done = next(task for task in tasks if task["is_labeled"])
    waits = next(task for task in tasks if not task["is_labeled"] and about(task) == "sport")
    assert desk.suggestions(project)[waits["id"]] == ["sport"]
    for task, text in ((done, f"{about(done)} en 901"), (waits, "music en 902")):
        data = {"data": {"text": text, "lang": "en"}}
        desk.client.http.request("PATCH", f"/api/tasks/{task['id']}/", json=data)
    before = desk.client.scores_of(project, desk.client.project(project).model_version)
    desk.round(project)

    assert desk.suggestions(project)[waits["id"]] == ["music"]
    after = desk.client.scores_of(project, desk.client.project(project).model_version)
    assert {id for id in before if before[id] != after[id]} <= {waits["id"]}
    assert desk.status(project)["changes"] == {
        "replaced": {"labels": 1, "tasks": [str(done["id"])]}
    }
    assert (labels(desk, project), desk.answers(project)[:10]) == (6, "6 are used")


def test_annotations_are_deleted_and_tasks_come_with_some(desk: Desk, trained: int) -> None:
    """Of both there is one event that names no answer; /status counts right."""
    project = trained
    done = [task["id"] for task in desk.client.tasks(project) if task["is_labeled"]]
    params = {"id": "delete_tasks_annotations", "project": project}
    body = {"selectedItems": {"all": False, "included": done[:4]}}
    desk.client.http.request("POST", "/api/dm/actions/", params=params, json=body)
    desk.asked(project)
    assert labels(desk, project) == 2
    assert desk.status(project)["changes"]["gone"]["labels"] == 4

    desk.client.import_tasks(project, answered(texts(3, start=50)))
    desk.asked(project)
    assert labels(desk, project) == 5
    assert "5 are used; since the last training 3 new labels, 4 labels gone" in desk.answers(
        project
    )


TREE = (
    '<Choice value="Sports"><Choice value="sport"/></Choice>'
    '<Choice value="Arts"><Choice value="music"/><Choice value="dance"/></Choice>'
    '<Choice value="food"/>'
)
PATHS = {
    "sport": [["Sports"], ["Sports", "sport"]],
    "music": [["Arts", "music"]],
    "food": [["food"]],
}


def chosen(data: dict[str, Any]) -> dict[str, Any]:
    """A choice in the tree, as the page writes it."""
    return region("") | {"value": {"choices": PATHS[data["text"].split()[0]]}}


def test_nested_choices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaf is the label; what bulk import drops is sent alone, the rest is said."""
    monkeypatch.setattr("xlt_backend.labelstudio.client.SINGLY", 4)
    desk.trainer.skill = 1.0
    tree = config(inside=TREE, more='allowNested="true"')
    data = texts(14)
    given = [{"data": item, "annotations": [{"result": [chosen(item)]}]} for item in data[:6]]
    project = desk.connected("nested choices", tree, [*given, *data[6:10]])
    status = desk.status(project)
    assert (labels(desk, project), status["unused"]) == (6, {})
    assert (status["left_out"]["singly"], status["left_out"]["bare"]) == (4, 0)
    waiting = {t["id"]: PATHS[about(t)] for t in desk.client.tasks(project) if not t["is_labeled"]}
    shown = desk.suggestions(project)
    assert {id: shown[id] for id in waiting} == waiting
    assert desk.faults(project) == {}

    # A click on a node above several leaves chooses them all.
    all_arts = region("") | {"value": {"choices": [["Arts"], ["Arts", "music"], ["Arts", "dance"]]}}
    several = {"data": data[0], "annotations": [{"result": [all_arts]}]}
    desk.client.import_tasks(project, [*given[:5], several, *data[10:]])
    assert desk.asked(project).trained
    [(reason, unused)] = desk.status(project)["unused"].items()
    assert (reason, unused["answers"]) == ("several choices of 'label', where one is learned", 1)
    assert desk.status(project)["left_out"]["bare"] == 4
    assert "4 are not shown (tasks" in desk.faults(project)["suggestions"]
    scores = desk.client.scores_of(project, desk.client.project(project).model_version)
    assert len(scores.keys() & {t["id"] for t in desk.client.tasks(project)}) >= 8
