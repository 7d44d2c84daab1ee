"""What happens to projects in a real Label Studio: after each event, xlt says what became of it.

No answer is lost or credited to another task.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from tests.builders import region
from tests.e2e.desk import Desk, opened
from xlt_backend.demo.studio import LabelStudioServer
from xlt_backend.errors import RejectedError
from xlt_backend.rounds import ledger
from xlt_backend.setup.checks import Status

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


@pytest.fixture
def trained(desk: Desk, request: pytest.FixtureRequest) -> Callable[..., int]:
    """Makes projects with six labels and a model."""

    def make(label_config: str = config(*LABELS), **options: Any) -> int:
        project = desk.connected(request.node.name[:45], label_config, texts(12), **options)
        annotate(desk, project, 6)
        assert desk.asked(project).trained
        return project

    return make


def annotate(desk: Desk, project: int, count: int) -> list[int]:
    """Annotates the first tasks that wait."""
    waiting = [task for task in desk.client.tasks(project) if not task["is_labeled"]][:count]
    for task in waiting:
        desk.client.annotate(task["id"], [region(about(task))], lead_time=1.0)
    return [task["id"] for task in waiting]


def faults(desk: Desk, project: int) -> dict[str, str]:
    """What `xlt doctor` warns of."""
    checks = desk.doctor(project)
    return {n: f"{c.detail} → {c.fix}" for n, c in checks.items() if c.status is not Status.OK}


def labels(desk: Desk, project: int) -> int:
    """The number of labels that /status shows."""
    return sum(desk.status(project)["labels"].values())


def test_label_is_renamed(desk: Desk, trained: Callable[..., int]) -> None:
    """Label Studio's page refuses it, its API does not; the answers come back with the name."""
    project = trained()
    assert faults(desk, project) == {}
    food = [task for task in desk.client.tasks(project) if about(task) == "food"]
    given = [task["id"] for task in food if task["is_labeled"]]
    other = config("sport", "music", "cuisine")
    with pytest.raises(RejectedError, match="These labels still exist"):
        desk.client.http.request(
            "POST", f"/api/projects/{project}/validate/", json={"label_config": other}
        )
    desk.client.update_project(project, label_config=other)
    desk.asked(project)

    reason = "unknown label 'food'"
    assert desk.status(project)["unused"] == {
        reason: {"answers": 2, "tasks": [str(id) for id in given]}
    }
    assert labels(desk, project) == 4
    found = faults(desk, project)
    assert set(found) == {"answers"}
    assert "2 answers are not used: unknown label 'food' (2; tasks" in found["answers"]
    assert "former names" in found["answers"]
    assert reason in desk.why(project, given[0])

    desk.client.update_project(project, label_config=config(*LABELS))
    desk.asked(project)
    assert (labels(desk, project), faults(desk, project)) == (6, {})


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
    assert "2 answers are not used" in faults(desk, project)["answers"]

    with pytest.raises(RejectedError):  # from the first answer on, no further renaming
        desk.client.update_project(project, label_config=config(*LABELS, name="third"))


def test_tasks_are_deleted_and_others_imported(desk: Desk, trained: Callable[..., int]) -> None:
    """The new ones have the ids of the old ones: labels, draws and suggestions are their own."""
    project = trained()
    old = {task["id"]: about(task) for task in desk.client.tasks(project)}
    params = {"id": "delete_tasks", "project": project}
    body = {"selectedItems": {"all": True, "excluded": []}}
    desk.client.http.request("POST", "/api/dm/actions/", params=params, json=body)
    desk.asked(project)
    status = desk.status(project)
    assert (labels(desk, project), status["tasks"]) == (0, 0)
    assert status["changes"]["gone"]["labels"] == 6
    assert "6 labels gone" in desk.doctor(project)["answers"].detail
    assert all("place" not in desk.why(project, id) for id in old)

    desk.client.import_tasks(project, texts(12, start=101))
    desk.asked(project)
    annotated = annotate(desk, project, 4)
    desk.round(project)
    tasks = {task["id"]: task for task in desk.client.tasks(project)}
    again = [id for id in annotated if id in old]
    assert len(again) == 4, "this Label Studio gives no id away twice"
    assert labels(desk, project) == 4
    assert set(desk.status(project)["changes"]["replaced"]["tasks"]) == {str(id) for id in again}
    assert "4 labels of other texts than before" in desk.doctor(project)["answers"].detail
    drawn = ledger.read(desk.versions(project)).labelled
    assert {id for id in drawn} <= {str(id) for id in annotated}

    annotate(desk, project, 3)
    assert desk.round(project).trained
    versions = desk.versions(project)
    stored = json.loads((versions.open(versions.current() or "") / "examples.json").read_text())
    assert {int(id): label["answer"] for id, label in stored.items()} == {
        id: about(task) for id, task in tasks.items() if str(id) in stored
    }
    desk.trainer.skill = 1.0
    shown = desk.suggestions(project)
    waiting = [id for id, task in tasks.items() if shown.get(id)]
    assert len(waiting) >= 5
    assert (desk.status(project)["changes"], faults(desk, project)) == ({}, {})


def test_text_is_edited(desk: Desk, trained: Callable[..., int]) -> None:
    """A task that waits gets the suggestion of its new text; a label of another one is said."""
    desk.trainer.skill = 1.0
    project = trained()
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
    assert (labels(desk, project), faults(desk, project)) == (6, {})


def test_annotations_are_deleted_and_tasks_come_with_some(
    desk: Desk, trained: Callable[..., int]
) -> None:
    """Of both there is one event that names no answer; /status counts right."""
    project = trained()
    done = [task["id"] for task in desk.client.tasks(project) if task["is_labeled"]]
    params = {"id": "delete_tasks_annotations", "project": project}
    body = {"selectedItems": {"all": False, "included": done[:4]}}
    desk.client.http.request("POST", "/api/dm/actions/", params=params, json=body)
    desk.asked(project)
    assert labels(desk, project) == 2
    assert desk.status(project)["changes"]["gone"]["labels"] == 4

    given = [
        {"data": data, "annotations": [{"result": [region(data["text"].split()[0])]}]}
        for data in texts(3, start=50)
    ]
    desk.client.import_tasks(project, given)
    desk.asked(project)
    assert labels(desk, project) == 5
    assert faults(desk, project) == {}


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


def test_nested_choices(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaf is the label; what bulk import drops is sent alone, the rest is said."""
    desk.trainer.skill = 1.0
    tree = config(inside=TREE, more='allowNested="true"')
    project = desk.connected("nested choices", tree, texts(18))
    for task in desk.client.tasks(project)[:6]:
        result = region("") | {"value": {"choices": PATHS[about(task)]}}
        desk.client.annotate(task["id"], [result], lead_time=1.0)
    assert desk.asked(project).trained

    status = desk.status(project)
    assert (labels(desk, project), status["unused"]) == (6, {})
    assert (status["left_out"]["singly"], status["left_out"]["bare"]) == (12, 0)
    assert faults(desk, project) == {}
    waiting = [task for task in desk.client.tasks(project) if not task["is_labeled"]]
    shown = desk.suggestions(project)
    assert {task["id"]: shown[task["id"]] for task in waiting} == {
        task["id"]: PATHS[about(task)] for task in waiting
    }

    monkeypatch.setattr("xlt_backend.labelstudio.client.SINGLY", 2)
    for task in waiting[:5]:
        result = region("") | {"value": {"choices": PATHS[about(task)]}}
        desk.client.annotate(task["id"], [result], lead_time=1.0)
    assert desk.asked(project).trained
    assert desk.status(project)["left_out"]["bare"] == 5
    assert "5 are not shown (tasks" in faults(desk, project)["suggestions"]
    scores = desk.client.scores_of(project, desk.client.project(project).model_version)
    assert {task["id"] for task in waiting[5:]} <= scores.keys()
