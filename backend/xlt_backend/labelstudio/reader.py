"""What is read from Label Studio: projects, tasks with their labels, scores, a sign of change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from xlt_backend.errors import NotFoundError, UnreachableError
from xlt_backend.labelstudio.http import Http

#: Tasks in one page of an export.
EXPORT_PAGE = 1000

_SLOW_S = 300.0

# `include` names the fields of tasks and of what is nested in them. Without it Label Studio adds
# up columns for its Data Manager: three times slower.
_TASK_FIELDS = (
    "id,data,is_labeled,annotations,updated_at,overlap,"
    "result,completed_by,was_cancelled,ground_truth,lead_time,parent_prediction,created_at"
)
_ACTIVITY_FIELDS = (
    "id,label_config,task_number,total_annotations_number,skipped_annotations_number,"
    "ground_truth_number"
)

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInfo:
    """One project of Label Studio.

    Attributes:
        key: `"{id}.{seconds of its creation}"`, as Label Studio names it towards ML backends.
        model_version: A version of predictions, or the title of an ML backend, or empty.
        task_count: All tasks.
        annotated_count: Tasks with at least one annotation that is no skip.
        maximum_annotations: Annotators per task.
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
        """From Label Studio's own JSON."""
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
    """Reads from one Label Studio, by its address and a personal access token.

    All methods raise `LabelStudioError` or one of its kinds; they are repeated for some seconds
    while Label Studio does not answer.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        self.http = Http(url, token, timeout_s=timeout_s)
        self.token = token

    @property
    def url(self) -> str:
        """Label Studio's address."""
        return self.http.url

    def close(self) -> None:
        """Close the connections that are kept open between requests."""
        self.http.close()

    def version(self) -> str:
        """Release of Label Studio, such as `1.23.2`."""
        body = self.http.request("GET", "/api/version")
        release = body.get("release") if isinstance(body, dict) else None
        if not release:
            raise UnreachableError(f"{self.url} does not say which Label Studio it is")
        return str(release)

    def projects(self) -> list[ProjectInfo]:
        """All projects that the token's owner sees."""
        found: list[ProjectInfo] = []
        page = 1
        while True:
            params = {"page": page, "page_size": 100}
            body = self.http.request("GET", "/api/projects/", params=params)
            found += [ProjectInfo.from_json(item) for item in body["results"]]
            if not body.get("next"):
                return found
            page += 1

    def project(self, project_id: int) -> ProjectInfo:
        """One project.

        Raises:
            NotFoundError: If there is none with this id.
        """
        try:
            body = self.http.request("GET", f"/api/projects/{project_id}/")
        except NotFoundError:
            raise NotFoundError(f"Label Studio at {self.url} has no project {project_id}") from None
        return ProjectInfo.from_json(body)

    def tasks(self, project_id: int) -> list[Json]:
        """All tasks of a project with their annotations (also skips), as convert.py reads them.

        Keys: id, data, is_labeled, annotations, updated_at, overlap. No predictions, no drafts.
        """
        return list(self.pages(project_id, _TASK_FIELDS))

    def scores(self, project_id: int, version: str) -> dict[int, float]:
        """Task id -> score of its prediction of this version; tasks without one are left out."""
        if self.project(project_id).model_version == version:
            # A column of the Data Manager: the mean over the predictions of the project's version.
            rows = self.pages(project_id, "id,predictions_score")
            pairs = ((row["id"], row.get("predictions_score")) for row in rows)
            return {task: float(score) for task, score in pairs if score is not None}
        return self.scores_of(project_id, version)

    def scores_of(self, project_id: int, version: str) -> dict[int, float]:
        """The same for any version; slower, because it reads all predictions."""
        return {
            row["id"]: float(prediction.get("score") or 0.0)
            for row in self.pages(project_id, "id,predictions,score,model_version")
            for prediction in row.get("predictions") or ()
            if prediction.get("model_version") == version
        }

    def pages(self, project_id: int, fields: str) -> Iterator[Json]:
        """These fields of all tasks, in the order of ids; one deleted meanwhile moves no other."""
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
        """A short signature that changes when tasks, labels or the interface change.

        Two cheap requests. Publishing and pruning predictions in bulk does not change it.
        """
        path, params = f"/api/projects/{project_id}/", {"include": _ACTIVITY_FIELDS}
        body = self.http.request("GET", path, params=params)
        facts = [str(body.get(name)) for name in _ACTIVITY_FIELDS.split(",")]
        facts.append(self.changed_at(project_id))
        return hashlib.blake2s("\0".join(facts).encode(), digest_size=10).hexdigest()

    def changed_at(self, project_id: int) -> str:
        """When a task or one of its annotations was changed last; empty without tasks."""
        query = json.dumps({"ordering": ["-tasks:updated_at"]})
        params = {"project": project_id, "include": "id,updated_at", "query": query}
        page = self._task_page({**params, "page": 1, "page_size": 1})
        return str(page[0]["updated_at"]) if page else ""

    def versions(self, project_id: int) -> dict[str, int]:
        """Versions of predictions that are there, with their number."""
        body = self.http.request("GET", f"/api/projects/{project_id}/model-versions/")
        # The title of an ML backend that the project shows is listed too, with none.
        return {str(name): int(count) for name, count in body.items() if count}
