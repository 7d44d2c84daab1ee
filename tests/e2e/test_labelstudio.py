"""The client against the real Label Studio."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.builders import CHOICES, region
from tests.e2e.conftest import MakeProject
from tests.e2e.standin import standing_in
from xlt.tasks.task import Suggestion
from xlt_backend import errors
from xlt_backend.demo.studio import LABEL_STUDIO_VERSION, LabelStudioServer
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, Client, ProjectInfo, Published
from xlt_backend.labelstudio.convert import PublishRow, to_example, to_row
from xlt_backend.labelstudio.interface import Interface, template
from xlt_backend.labelstudio.scores import rank_to_score
from xlt_backend.labelstudio.views import list_tasks
from xlt_backend.options import ProjectOptions

INTERFACE = Interface.from_label_config(CHOICES)


def task_ids(client: Client, project: ProjectInfo) -> list[int]:
    """Ids of all tasks."""
    return [int(task["id"]) for task in client.tasks(project.id)]


def queue(ids: list[int], label: str = "sport") -> list[PublishRow]:
    """Predictions that put tasks into this order."""
    return [
        to_row(
            task,
            INTERFACE,
            score=rank_to_score(rank, len(ids)),
            suggestion=Suggestion(answer=label, confidence=0.75),
        )
        for rank, task in enumerate(ids)
    ]


# Projects and tokens ------------------------------------------------------------------------


def test_version(client: Client) -> None:
    """The release is the one that we install."""
    assert client.version() == LABEL_STUDIO_VERSION


def test_projects(client: Client, make_project: MakeProject) -> None:
    """A project is found in the list with the same facts as alone."""
    made = make_project(tasks=2)
    listed = next(project for project in client.projects() if project.id == made.id)
    assert listed == made
    assert (made.task_count, made.annotated_count) == (2, 0)
    assert made.key.startswith(f"{made.id}.")


def test_no_such_project(client: Client) -> None:
    """A project that is not there is named."""
    with pytest.raises(errors.NotFoundError, match="no project 999999"):
        client.project(999_999)


def test_revoked_token(label_studio: LabelStudioServer) -> None:
    """A personal token that Label Studio does not know (any more) is refused with the way out."""
    head, claims, signature = label_studio.account.token.split(".")
    forged = f"{head}.{claims}.{signature[::-1]}"
    with (
        closing(Client(label_studio.url, forged)) as client,
        pytest.raises(errors.AuthenticationError, match="Personal Access Token"),
    ):
        client.projects()


def test_bad_config_is_explained(client: Client) -> None:
    """What Label Studio has against a request is in the message."""
    with pytest.raises(errors.RejectedError, match="toName"):
        client.create_project("Broken", CHOICES.replace('toName="text"', 'toName="nobody"'))


# Tasks --------------------------------------------------------------------------------------


def test_tasks_with_their_annotations(client: Client, make_project: MakeProject) -> None:
    """Answers and skips come with all that convert.py needs; each task comes once."""
    project = make_project(tasks=3)
    one, two, three = task_ids(client, project)
    client.annotate(one, [region("sport")], lead_time=2.5)
    client.annotate(two, [], was_cancelled=True)
    tasks = {task["id"]: task for task in client.tasks(project.id)}
    assert [len(tasks[i]["annotations"]) for i in (one, two, three)] == [1, 1, 0]
    answer = tasks[one]["annotations"][0]
    needed = {"result", "completed_by", "was_cancelled", "ground_truth", "lead_time"}
    assert {*needed, "parent_prediction", "updated_at"} <= set(answer)
    assert tasks[one]["is_labeled"]
    assert not tasks[three]["is_labeled"]
    labels = [
        getattr(to_example(t, INTERFACE, ProjectOptions()), "answer", "") for t in tasks.values()
    ]
    assert labels == ["sport", None, None]
    assert client.task(project.id, one)["data"] == tasks[one]["data"]
    for other in ((project.id + 1, one), (project.id, 999_999)):
        with pytest.raises(
            errors.NotFoundError, match=f"project {other[0]} has no task {other[1]}"
        ):
            client.task(*other)


def test_many_pages(
    client: Client, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages go by id: none is lost, none comes twice, whatever their size."""
    project = make_project(tasks=25)
    everything = task_ids(client, project)
    monkeypatch.setattr("xlt_backend.labelstudio.reader.EXPORT_PAGE", 7)
    assert task_ids(client, project) == everything
    monkeypatch.setattr("xlt_backend.labelstudio.reader.EXPORT_PAGE", 25)
    assert task_ids(client, project) == everything
    assert len(set(everything)) == 25


def test_plain_text_import(client: Client, make_project: MakeProject, label_studio: Any) -> None:
    """Lines of an uploaded text file are usable texts."""
    project = make_project()
    refresh = {"refresh": label_studio.account.token}
    access = httpx.post(f"{client.url}/api/token/refresh/", json=refresh).json()["access"]
    answer = httpx.post(
        f"{client.url}/api/projects/{project.id}/import",
        files={"file": ("texts.txt", b"First line.\nSecond line.\n", "text/plain")},
        headers={"Authorization": f"Bearer {access}"},
        timeout=60,
    )
    assert answer.status_code == 201
    found = [to_example(task, INTERFACE, ProjectOptions()) for task in client.tasks(project.id)]
    assert [getattr(example, "text", "") for example in found] == ["First line.", "Second line."]


def test_accepted_suggestion_and_machine_annotation(
    client: Client, make_project: MakeProject
) -> None:
    """Annotations made from predictions by one click are no labels; submitted ones are."""
    project = make_project(tasks=2)
    one, two = task_ids(client, project)
    client.publish(project.id, "v1", queue([one, two]))
    prediction = client.http.request("GET", "/api/predictions/", params={"task": one})[0]
    client.annotate(one, prediction["result"], parent_prediction=prediction["id"], lead_time=1.5)
    params = {"id": "predictions_to_annotations", "project": project.id}
    body = {"selectedItems": {"all": False, "included": [two]}, "model_version": "v1"}
    client.http.request("POST", "/api/dm/actions/", params=params, json=body)
    found = [to_example(task, INTERFACE, ProjectOptions()) for task in client.tasks(project.id)]
    assert [getattr(example, "answer", "") for example in found] == ["sport", None]


# Activity -----------------------------------------------------------------------------------


def test_activity_follows_labels_and_nothing_else(
    client: Client, make_project: MakeProject
) -> None:
    """Each change of tasks, labels or interface changes the signature; publishing does not."""
    project = make_project(tasks=4)
    first, second, third, _ = task_ids(client, project)
    seen = [client.activity(project.id)]

    def changed() -> bool:
        seen.append(client.activity(project.id))
        return seen[-1] not in seen[:-1]

    made = client.annotate(first, [region("sport")])
    assert changed(), "an answer"
    client.http.request(
        "PATCH", f"/api/annotations/{made}/", json={"result": [region("health")], "lead_time": 1.0}
    )
    assert changed(), "an edit"
    client.annotate(second, [], was_cancelled=True)
    assert changed(), "a skip"
    client.http.request("DELETE", f"/api/annotations/{made}/")
    assert changed(), "a deletion"
    client.import_tasks(project.id, [{"text": "A new one."}])
    assert changed(), "a new task"
    client.http.request("DELETE", f"/api/tasks/{third}/")
    assert changed(), "a deleted task"
    client.update_project(
        project.id, label_config=template("single_label", ["health", "sport", "other"])
    )
    assert changed(), "another interface"

    client.publish(project.id, "v1", queue(task_ids(client, project)))
    assert not changed(), "predictions"
    client.publish(project.id, "v2", queue(task_ids(client, project)))
    client.switch(project.id, "v2")
    client.prune_predictions(project.id, ["v2"])
    assert not changed(), "switch and prune"


# Predictions --------------------------------------------------------------------------------


def test_publish_and_switch(client: Client, make_project: MakeProject) -> None:
    """What is published is there, once each, and served lowest score first."""
    project = make_project(tasks=6)
    order = task_ids(client, project)[::-1]
    assert client.publish(project.id, "v1", queue(order)).stored == 6
    assert client.versions(project.id) == {"v1": 6}
    client.switch(project.id, "v1")
    info = client.project(project.id)
    assert (info.model_version, info.sampling) == ("v1", UNCERTAINTY_SAMPLING)
    scores = client.scores(project.id, "v1")
    assert sorted(scores, key=lambda task: scores[task]) == order
    served = []
    for _ in order:
        task = client.next_task(project.id)
        assert task is not None
        served.append(task["id"])
        assert task["predictions"][0]["result"][0]["value"] == {"choices": ["sport"]}
        client.annotate(task["id"], [region("sport")])
    assert served == order
    assert client.next_task(project.id) is None


def test_two_annotators_at_once(
    client: Client, colleague: Client, make_project: MakeProject
) -> None:
    """Each is served the next one that the other does not have on the screen."""
    project = make_project(tasks=8)
    order = task_ids(client, project)[::-1]
    client.publish(project.id, "v1", queue(order))
    client.switch(project.id, "v1")
    served = []
    for _ in range(4):
        pair = [annotator.next_task(project.id) for annotator in (client, colleague)]
        for annotator, task in zip((client, colleague), pair, strict=True):
            assert task is not None
            served.append(task["id"])
            annotator.annotate(task["id"], [region("sport")])
    assert served == order
    done = client.tasks(project.id)
    assert len({task["annotations"][0]["completed_by"] for task in done}) == 2


def test_next_task_of_no_project(client: Client) -> None:
    """No project is another thing than no task."""
    with pytest.raises(errors.NotFoundError):
        client.next_task(999_999)


def test_publish_again_and_more(client: Client, make_project: MakeProject) -> None:
    """Repeated after an interruption, or for new tasks, nothing is doubled."""
    project = make_project(tasks=5)
    ids = task_ids(client, project)
    assert client.publish(project.id, "v1", queue(ids[:3])).stored == 3
    progress: list[tuple[int, int]] = []
    done = client.publish(
        project.id, "v1", queue(ids), progress=lambda part, whole: progress.append((part, whole))
    )
    assert done.stored == 5
    assert client.versions(project.id) == {"v1": 5}
    assert progress == [(5, 5)]
    assert client.scores(project.id, "v1")[ids[0]] == pytest.approx(1 / 6)


def test_publish_for_a_deleted_task(client: Client, make_project: MakeProject) -> None:
    """A task that was deleted meanwhile does not hold back the others."""
    project = make_project(tasks=4)
    ids = task_ids(client, project)
    client.http.request("DELETE", f"/api/tasks/{ids[1]}/")
    assert client.publish(project.id, "v1", queue(ids)).stored == 3
    assert client.versions(project.id) == {"v1": 3}


def test_publish_what_bulk_import_leaves_out(
    client: Client, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Predictions that it drops in silence are sent alone, or keep their place alone."""
    monkeypatch.setattr("xlt_backend.labelstudio.client.SINGLY", 1)
    project = make_project(tasks=4)
    rows = queue(task_ids(client, project))
    for n in (1, 2):
        rows[n] = replace(rows[n], result=[region("no such label")])

    found = client.publish(project.id, "v1", rows)

    one, two, three, four = (row.task_id for row in rows)
    assert found == Published(stored=4, singly=(two,), bare=(three,))
    assert client.scores_of(project.id, "v1") == {row.task_id: row.score for row in rows}
    pages = client.pages(project.id, "id,predictions,result,score,model_version")
    shown = {row["id"]: row["predictions"][0]["result"] for row in pages}
    assert shown[three] == []
    assert shown[two][0]["value"] == {"choices": ["no such label"]}
    assert shown[one][0]["value"] == shown[four][0]["value"] == {"choices": ["sport"]}


def test_withdraw(client: Client, make_project: MakeProject) -> None:
    """Predictions of some tasks go, of this version alone; others can be stored in their place."""
    project = make_project(tasks=3)
    one, two, three = task_ids(client, project)
    for version in ("v1", "v2"):
        client.publish(project.id, version, queue([one, two, three]))
    client.withdraw(project.id, "v2", [one, three, 999_999])

    assert client.scores_of(project.id, "v1").keys() == {one, two, three}
    assert client.scores_of(project.id, "v2").keys() == {two}
    client.publish(project.id, "v2", queue([three, two, one], "health"))
    assert client.scores_of(project.id, "v2")[one] == pytest.approx(5 / 6)


def test_publish_in_chunks(
    client: Client, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large pools go in several requests, with their progress."""
    monkeypatch.setattr("xlt_backend.labelstudio.client.PUBLISH_CHUNK", 4)
    project = make_project(tasks=9)
    progress: list[int] = []
    rows = queue(task_ids(client, project))
    client.publish(project.id, "v1", rows, progress=lambda done, _: progress.append(done))
    assert progress == [4, 8, 9]
    assert client.versions(project.id) == {"v1": 9}


def test_switch_to_a_version_that_is_not_there(client: Client, make_project: MakeProject) -> None:
    """Nothing changes, and Label Studio's reason is told."""
    project = make_project(tasks=1)
    with pytest.raises(errors.RejectedError, match="exist"):
        client.switch(project.id, "v7")
    assert client.project(project.id).model_version == ""


def test_prune(client: Client, make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old versions go when it is quiet; the project's own and those to keep stay."""
    project = make_project(tasks=2)
    ids = task_ids(client, project)
    for version in ("v1", "v2", "v3"):
        client.publish(project.id, version, queue(ids))
    assert client.prune_predictions(project.id, []) == [], "no version is switched to yet"
    with standing_in() as server:
        body = {"url": server.url, "project": project.id, "title": "a title"}
        client.http.request("POST", "/api/ml/", json=body)
    assert client.project(project.id).model_version == "a title"
    assert client.versions(project.id) == {"v1": 2, "v2": 2, "v3": 2}
    assert client.prune_predictions(project.id, []) == [], "a title would be reset by that"
    client.switch(project.id, "v3")
    client.annotate(ids[0], [region("sport")])
    assert client.prune_predictions(project.id, ["v2"]) == [], "somebody labels"
    monkeypatch.setattr("xlt_backend.labelstudio.client.QUIET_S", 0.0)
    assert client.prune_predictions(project.id, ["v2"]) == ["v1"]
    assert client.prune_predictions(project.id, []) == ["v2"]
    assert client.versions(project.id) == {"v3": 2}
    assert client.project(project.id).model_version == "v3"


# Labels to look at again --------------------------------------------------------------------


def test_reopened_tasks_stand_at_their_place_for_others(
    client: Client, make_project: MakeProject, colleague: Client
) -> None:
    """Who answered is not asked again; somebody else is, in the order of the scores."""
    project = make_project(tasks=5)
    ids = task_ids(client, project)
    client.publish(project.id, "v1", queue(ids))
    client.switch(project.id, "v1")
    for task in ids[:3]:
        client.annotate(task, [region("sport")], lead_time=2.0)
    order = [ids[3], ids[1], ids[4], ids[0], ids[2]]
    client.publish(project.id, "v2", queue(order))
    client.switch(project.id, "v2")
    client.reopen({ids[1]: 2, ids[4]: 2, 999_999: 2})
    tasks = client.tasks(project.id)
    assert {task["id"] for task in tasks if not task["is_labeled"]} == {ids[1], ids[3], ids[4]}
    assert {task["id"] for task in tasks if task["overlap"] == 2} == {ids[1]}
    for expected in order[:3]:
        task = colleague.next_task(project.id)
        assert task is not None
        assert task["id"] == expected
        colleague.annotate(expected, [region("health")], lead_time=2.0)
    assert colleague.next_task(project.id) is None
    assert client.next_task(project.id) is None
    assert all(task["is_labeled"] for task in client.tasks(project.id))


def test_tab_with_some_tasks(client: Client, make_project: MakeProject) -> None:
    """Those tasks and no others, by their scores; the same tab every time."""
    project = make_project(tasks=5)
    ids = task_ids(client, project)
    client.publish(project.id, "v1", queue(ids[::-1]))
    client.switch(project.id, "v1")

    def shown() -> list[list[int]]:
        params = {"project": project.id}
        views = client.http.request("GET", "/api/dm/views/", params=params)
        tabs = [view["id"] for view in views if view["data"].get("title") == "Labels to check"]
        pages = [{"view": tab, "page": 1, "page_size": 10} for tab in tabs]
        found = [client.http.request("GET", "/api/tasks/", params=page) for page in pages]
        return [[task["id"] for task in page["tasks"]] for page in found]

    list_tasks(client, project.id, "Labels to check", [])
    assert shown() == []
    list_tasks(client, project.id, "Labels to check", [ids[0], ids[3], ids[2]])
    assert shown() == [[ids[3], ids[2], ids[0]]]
    list_tasks(client, project.id, "Labels to check", [ids[4]])
    assert shown() == [[ids[4]]]
    list_tasks(client, project.id, "Labels to check", [])
    assert shown() == [[]]
