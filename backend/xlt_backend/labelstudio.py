"""Label Studio as the rounds use it: export, publish, order. See connect.py for setting it up."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from xlt_backend.convert import PublishRow
from xlt_backend.errors import NotFoundError, PublishError, RejectedError, UnreachableError
from xlt_backend.labelstudio_http import Http

logger = logging.getLogger(__name__)

#: Serves the task whose prediction has the lowest score; works in the Community Edition too.
UNCERTAINTY_SAMPLING = "Uncertainty sampling"

#: Predictions in one request. Each request costs Label Studio a recount of its tasks, so that few
#: large ones are much faster than many small ones (3,000: 2 s at once, 13 s in 500s).
PUBLISH_CHUNK = 5000
#: Tasks in one page of an export.
EXPORT_PAGE = 1000
#: Predictions of old versions are deleted when nobody has labelled for so long ...
QUIET_S = 120.0
#: ... or when there are so many old versions (Label Studio needs 5 ms and more for each row).
MAX_OLD_VERSIONS = 10

_SLOW_S = 300.0
_DELETE_S = 900.0

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
        shows_predictions: Whether annotators see predictions.
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
    shows_predictions: bool

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
            shows_predictions=bool(body.get("show_collab_predictions")),
        )


def parse_time(text: str) -> datetime:
    """A time stamp of Label Studio (Python 3.10 does not read its Z)."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


class Client:
    """One Label Studio, by its address and a personal access token.

    All methods raise `LabelStudioError` or one of its kinds. Reads are repeated for some seconds
    while Label Studio does not answer, writes only where it cannot have seen them.
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

    # Projects --------------------------------------------------------------------------------

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

    def create_project(self, title: str, label_config: str, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Make a project; further fields as in Label Studio's API."""
        body = {"title": title, "label_config": label_config, **fields}
        return ProjectInfo.from_json(self.http.request("POST", "/api/projects/", json=body))

    def update_project(self, project_id: int, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Change fields of a project; names as in Label Studio's API."""
        path = f"/api/projects/{project_id}/"
        return ProjectInfo.from_json(self.http.request("PATCH", path, json=fields))

    # Tasks -----------------------------------------------------------------------------------

    def tasks(self, project_id: int) -> list[Json]:
        """All tasks of a project with their annotations (also skips), as convert.py reads them.

        Keys: id, data, is_labeled, annotations, updated_at, overlap. No predictions, no drafts.
        """
        return list(self._pages(project_id, _TASK_FIELDS))

    def scores(self, project_id: int, version: str) -> dict[int, float]:
        """Task id -> score of its prediction of this version; tasks without one are left out."""
        if self.project(project_id).model_version == version:
            # A column of the Data Manager: the mean over the predictions of the project's version.
            rows = self._pages(project_id, "id,predictions_score")
            pairs = ((row["id"], row.get("predictions_score")) for row in rows)
            return {task: float(score) for task, score in pairs if score is not None}
        return self._scores_of(project_id, version)

    def _scores_of(self, project_id: int, version: str) -> dict[int, float]:
        """The same for any version; slower, reads all predictions."""
        return {
            row["id"]: float(prediction.get("score") or 0.0)
            for row in self._pages(project_id, "id,predictions,score,model_version")
            for prediction in row.get("predictions") or ()
            if prediction.get("model_version") == version
        }

    def _pages(self, project_id: int, fields: str) -> Iterator[Json]:
        """Tasks in the order of their ids; a task deleted meanwhile moves no other."""
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
        facts.append(self._newest(project_id))
        return hashlib.blake2s("\0".join(facts).encode(), digest_size=10).hexdigest()

    def _newest(self, project_id: int) -> str:
        """When a task or one of its annotations was changed last; empty without tasks."""
        query = json.dumps({"ordering": ["-tasks:updated_at"]})
        params = {"project": project_id, "include": "id,updated_at", "query": query}
        page = self._task_page({**params, "page": 1, "page_size": 1})
        return str(page[0]["updated_at"]) if page else ""

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> int:
        """Import tasks, `{"data": {…}, …}` or the bare data; returns their number."""
        path, made = f"/api/projects/{project_id}/import", 0
        for start in range(0, len(tasks), PUBLISH_CHUNK):
            chunk = [dict(task) for task in tasks[start : start + PUBLISH_CHUNK]]
            body = self.http.request("POST", path, json=chunk, timeout_s=_SLOW_S)
            made += int(body["task_count"])
        return made

    def next_task(self, project_id: int) -> Json | None:
        """The task that Label Studio serves the token's owner next; None: nothing left to do."""
        try:
            body: Json = self.http.request("GET", f"/api/projects/{project_id}/next")
        except NotFoundError:
            self.project(project_id)
            return None
        return body

    def annotate(
        self,
        task_id: int,
        result: Sequence[Mapping[str, Any]],
        **fields: Any,  # noqa: ANN401
    ) -> int:
        """Submit an annotation (`was_cancelled=True`: a skip); returns its id."""
        body = {"result": [dict(region) for region in result], **fields}
        return int(self.http.request("POST", f"/api/tasks/{task_id}/annotations/", json=body)["id"])

    # Predictions -----------------------------------------------------------------------------

    def versions(self, project_id: int) -> dict[str, int]:
        """Versions of predictions that are there, with their number."""
        body = self.http.request("GET", f"/api/projects/{project_id}/model-versions/")
        # The title of an ML backend that the project shows is listed too, with none.
        return {str(name): int(count) for name, count in body.items() if count}

    def publish(
        self,
        project_id: int,
        version: str,
        rows: Sequence[PublishRow],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Store predictions in bulk and make sure that they are all there, once each.

        May be repeated after an interruption: tasks that have a prediction of this version keep
        it. Tasks that were deleted meanwhile are left out. A new order by the same model needs a
        new version name.

        Args:
            project_id: Label Studio's id.
            version: Becomes their `model_version`.
            rows: At most one per task.
            progress: Told how many of how many rows are done.

        Returns:
            How many of the rows' tasks have a prediction of this version now.

        Raises:
            PublishError: If some are missing afterwards.
        """
        before = self.versions(project_id).get(version, 0)
        stored = set(self._scores_of(project_id, version)) if before else set()
        todo = [row for row in rows if row.task_id not in stored]
        made = 0
        for start in range(0, len(todo), PUBLISH_CHUNK):
            chunk = todo[start : start + PUBLISH_CHUNK]
            made += self._store(project_id, version, chunk)
            if progress:
                progress(len(rows) - len(todo) + start + len(chunk), len(rows))
        if made == len(todo) and self.versions(project_id).get(version, 0) == before + made:
            return len(rows)
        return self._verify(project_id, version, rows)

    def _store(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> int:
        """One request, repeated with what is missing where it was refused or not answered."""
        path = f"/api/projects/{project_id}/import/predictions"
        body = [
            {
                "task": row.task_id,
                "score": row.score,
                "model_version": version,
                "result": row.result,
            }
            for row in rows
        ]
        try:
            answer = self.http.request("POST", path, json=body, timeout_s=_SLOW_S)
        except (RejectedError, UnreachableError) as error:
            left = self._missing(project_id, version, rows)
            if isinstance(error, RejectedError) and len(left) == len(rows):
                raise
            if isinstance(error, UnreachableError):
                logger.warning("%s; %d of %d predictions are missing", error, len(left), len(rows))
            again = [item for item in body if item["task"] in left]
            if again:
                self.http.request("POST", path, json=again, timeout_s=_SLOW_S)
            return 0  # the exact count is in _verify
        return int(answer["created"])

    def _missing(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> set[int]:
        """Tasks of the rows that are there and have no prediction of this version."""
        there = {int(row["id"]) for row in self._pages(project_id, "id")}
        stored = self._scores_of(project_id, version)
        return {row.task_id for row in rows if row.task_id in there and row.task_id not in stored}

    def _verify(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> int:
        missing = self._missing(project_id, version, rows)
        if missing:
            raise PublishError(
                f"Label Studio stored {len(rows) - len(missing)} of {len(rows)} predictions of "
                f"{version}; missing for tasks {sorted(missing)[:5]} and others"
            )
        stored = self._scores_of(project_id, version)
        return sum(row.task_id in stored for row in rows)

    def switch(
        self, project_id: int, version: str, *, sampling: str = UNCERTAINTY_SAMPLING
    ) -> None:
        """From now on, tasks are shown with, and ordered by, the predictions of `version`.

        Raises:
            RejectedError: If the project has no prediction of this version.
        """
        info = self.update_project(project_id, model_version=version, sampling=sampling)
        if (info.model_version, info.sampling) != (version, sampling):
            raise RejectedError(
                f"project {project_id} should now have model_version {version!r} and {sampling!r}, "
                f"but has {info.model_version!r} and {info.sampling!r}"
            )

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Delete predictions of all versions but `keep` and the project's own; returns which.

        Label Studio deletes them row by row in one transaction, for which annotators have to
        wait: it is put off while somebody labels, unless very many versions have come together.
        """
        stored = self.versions(project_id)
        current = self.project(project_id).model_version
        if current not in stored:
            # The title of an ML backend: deleting any version would reset it (Label Studio 1.23).
            return []
        old = sorted(set(stored) - set(keep) - {current})
        if not old or (len(old) <= MAX_OLD_VERSIONS and not self._quiet(project_id)):
            return []
        for version in old:
            path, body = f"/api/projects/{project_id}/model-versions/", {"model_version": version}
            self.http.request("DELETE", path, json=body, timeout_s=_DELETE_S, repeat=False)
            logger.info("project %d: deleted the predictions of %s", project_id, version)
        return old

    def _quiet(self, project_id: int) -> bool:
        newest = self._newest(project_id)
        if not newest:
            return True
        return datetime.now(timezone.utc) - parse_time(newest) > timedelta(seconds=QUIET_S)
