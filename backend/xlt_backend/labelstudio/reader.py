"""Reading from Label Studio: projects, tasks with their labels, scores, signatures of changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xlt_backend.errors import NotFoundError, UnreachableError
from xlt_backend.labelstudio.http import Http

#: Number of tasks in one page of an export.
EXPORT_PAGE = 1000

_SLOW_S = 300.0

# `include` names the fields of tasks and of their annotations. Without it, Label Studio computes
# the columns of its Data Manager, which takes three times as long.
_TASK_FIELDS = (
    "id,data,is_labeled,annotations,updated_at,overlap,predictions_score,"
    "result,completed_by,was_cancelled,ground_truth,lead_time,parent_prediction,created_at"
)
_ACTIVITY_FIELDS = (
    "id,label_config,task_number,total_annotations_number,skipped_annotations_number,"
    "ground_truth_number"
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInfo:
    """A project of Label Studio.

    Attributes:
        id: Label Studio's id of the project.
        key: Its name in requests to ML backends, `"{id}.{seconds of its creation}"`.
        title: Its title.
        label_config: Its labelling interface.
        model_version: A version of predictions, or the title of an ML backend, or empty.
        sampling: The order in which it serves tasks.
        task_count: Number of tasks.
        annotated_count: Number of tasks with at least one annotation that is not a skip.
        maximum_annotations: Number of annotators per task.
    """

    id: int
    key: str
    title: str
    label_config: str
    model_version: str
    sampling: str
    task_count: int
    annotated_count: int
    maximum_annotations: int

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> ProjectInfo:
        """Reads a project from Label Studio's JSON."""
        return cls(
            id=int(body["id"]),
            key=f"{body['id']}.{int(parse_time(str(body['created_at'])).timestamp())}",
            title=str(body.get("title") or ""),
            label_config=str(body.get("label_config") or ""),
            model_version=str(body.get("model_version") or ""),
            sampling=str(body.get("sampling") or ""),
            task_count=int(body.get("task_number") or 0),
            annotated_count=int(body.get("num_tasks_with_annotations") or 0),
            maximum_annotations=int(body.get("maximum_annotations") or 1),
        )


def parse_time(text: str) -> datetime:
    """Reads a time stamp of Label Studio."""
    return datetime.fromisoformat(text)


class Reader:
    """A client that reads from one Label Studio.

    All methods raise `LabelStudioError` or a subclass, after some seconds of retries if Label
    Studio does not answer.

    Args:
        url: Label Studio's address.
        token: A personal access token.
        timeout_s: Longest wait for the answer to a request in seconds.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        self.http = Http(url, token, timeout_s=timeout_s)
        self.token = token

    @property
    def url(self) -> str:
        """Label Studio's address."""
        return self.http.url

    def close(self) -> None:
        """Closes the connections that are kept open between requests."""
        self.http.close()

    def version(self) -> str:
        """Returns the release of Label Studio, such as `1.23.2`."""
        body = self.http.request("GET", "/api/version")
        release = body.get("release") if isinstance(body, dict) else None
        if not release:
            raise UnreachableError(f"{self.url}/api/version names no release of Label Studio")
        return str(release)

    def projects(self) -> list[ProjectInfo]:
        """Returns all projects that the token's owner can see."""
        projects: list[ProjectInfo] = []
        page = 1
        while True:
            params = {"page": page, "page_size": 100}
            body = self.http.request("GET", "/api/projects/", params=params)
            projects += [ProjectInfo.from_json(item) for item in body["results"]]
            if not body.get("next"):
                return projects
            page += 1

    def project(self, project_id: int) -> ProjectInfo:
        """Returns a project.

        Raises:
            NotFoundError: If there is none with this id.
        """
        try:
            body = self.http.request("GET", f"/api/projects/{project_id}/")
        except NotFoundError:
            raise NotFoundError(f"Label Studio at {self.url} has no project {project_id}") from None
        return ProjectInfo.from_json(body)

    def tasks(self, project_id: int) -> list[Json]:
        """Returns all tasks of a project with their annotations, including skips.

        Keys: id, data, is_labeled, annotations, updated_at, overlap, and predictions_score: that of
        the prediction of the version that the project shows, or None. No predictions, no drafts.
        """
        return list(self.pages(project_id, _TASK_FIELDS))

    def task(self, project_id: int, task_id: int) -> Json:
        """Returns a task of a project; asks once, since a person waits for it.

        Raises:
            NotFoundError: If the project has none with this id.
        """
        missing = NotFoundError(f"project {project_id} has no task {task_id}")
        try:
            body = self.http.request("GET", f"/api/tasks/{task_id}/", repeat=False)
        except NotFoundError:
            raise missing from None
        if body.get("project") != project_id:
            raise missing
        return dict(body)

    def scores(self, project_id: int, version: str) -> dict[int, float]:
        """Returns the score of each task's prediction of a version, by task id, if it has one."""
        if self.project(project_id).model_version == version:
            # A column of the Data Manager: the mean over the predictions of the project's version.
            rows = self.pages(project_id, "id,predictions_score")
            pairs = ((row["id"], row.get("predictions_score")) for row in rows)
            return {task: float(score) for task, score in pairs if score is not None}
        return self.scores_of(project_id, version)

    def scores_of(self, project_id: int, version: str) -> dict[int, float]:
        """Returns the same as `scores` from the predictions themselves, which is slower."""
        return {
            row["id"]: float(prediction.get("score") or 0.0)
            for row in self.pages(project_id, "id,predictions,score,model_version")
            for prediction in row.get("predictions") or ()
            if prediction.get("model_version") == version
        }

    def pages(self, project_id: int, fields: str) -> Iterator[Json]:
        """Yields fields of all tasks in the order of ids; deletions meanwhile skip no task."""
        last = 0
        while True:
            later = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number"}
            filters = {"conjunction": "and", "items": [{**later, "value": last}]}
            params = {
                "project": project_id,
                "fields": "all",
                "include": fields,
                "page": 1,
                "page_size": EXPORT_PAGE,
                "query": json.dumps({"filters": filters, "ordering": ["tasks:id"]}),
            }
            page = self._task_page(params)
            yield from page
            if len(page) < EXPORT_PAGE:
                return
            last = int(page[-1]["id"])

    def _task_page(self, params: Json) -> list[Json]:
        body = self.http.request("GET", "/api/tasks/", params=params, timeout_s=_SLOW_S)
        return list(body["tasks"])

    def activity(self, project_id: int) -> str:
        """Returns a short signature that changes when tasks, labels or the interface change.

        Two cheap requests. Publishing and pruning predictions in bulk does not change it.
        """
        path, params = f"/api/projects/{project_id}/", {"include": _ACTIVITY_FIELDS}
        body = self.http.request("GET", path, params=params)
        facts = [str(body.get(name)) for name in _ACTIVITY_FIELDS.split(",")]
        facts.append(self.changed_at(project_id))
        return hashlib.blake2s("\0".join(facts).encode(), digest_size=10).hexdigest()

    def changed_at(self, project_id: int) -> str:
        """Returns the time of the last change of a task or annotation; empty without tasks."""
        query = json.dumps({"ordering": ["-tasks:updated_at"]})
        params = {"project": project_id, "include": "id,updated_at", "query": query}
        page = self._task_page({**params, "page": 1, "page_size": 1})
        return str(page[0]["updated_at"]) if page else ""

    def versions(self, project_id: int) -> dict[str, int]:
        """Returns the number of predictions by version."""
        body = self.http.request("GET", f"/api/projects/{project_id}/model-versions/")
        # If the project shows the title of an ML backend, Label Studio lists it with 0 predictions.
        return {str(name): int(count) for name, count in body.items() if count}
