"""Label Studio as the rounds use it: export, publish, order. See connect.py for setting it up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from xlt_backend.errors import NotFoundError, PublishError, RejectedError, UnreachableError
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.labelstudio.reader import ProjectInfo, Reader, parse_time

__all__ = ["UNCERTAINTY_SAMPLING", "Client", "ProjectInfo"]

logger = logging.getLogger(__name__)

#: Serves the task whose prediction has the lowest score; works in the Community Edition too.
UNCERTAINTY_SAMPLING = "Uncertainty sampling"

#: Predictions in one request. Each request costs Label Studio a recount of its tasks, so that few
#: large ones are much faster than many small ones (3,000: 2 s at once, 13 s in 500s).
PUBLISH_CHUNK = 5000
#: Predictions of old versions are deleted when nobody has labelled for so long: meanwhile Label
#: Studio on SQLite answers whoever submits with a 500 ("database is locked").
QUIET_S = 300.0

_SLOW_S = 300.0
_DELETE_S = 900.0

Json = dict[str, Any]


class Client(Reader):
    """What is changed in Label Studio, beside what is read.

    Writes are repeated only where Label Studio cannot have seen them, or where that does no harm.
    """

    # Projects and tasks ----------------------------------------------------------------------

    def create_project(self, title: str, label_config: str, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Make a project; further fields as in Label Studio's API."""
        body = {"title": title, "label_config": label_config, **fields}
        return ProjectInfo.from_json(self.http.request("POST", "/api/projects/", json=body))

    def update_project(self, project_id: int, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Change fields of a project; names as in Label Studio's API."""
        path = f"/api/projects/{project_id}/"
        return ProjectInfo.from_json(self.http.request("PATCH", path, json=fields))

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

    def reopen(self, answers: Mapping[int, int]) -> None:
        """Finished tasks go back into the queue, for annotators who have not answered them yet.

        Whoever answered a task is never shown it again by “Label All Tasks”. Tasks that were
        deleted meanwhile are left out.

        Args:
            answers: Task id -> how many answers it needs now.
        """
        for task, count in answers.items():
            # The first alone changes nothing: Label Studio counts anew at the next answer only.
            body = {"overlap": count, "is_labeled": False}
            with suppress(NotFoundError):
                self.http.request("PATCH", f"/api/tasks/{task}/", json=body)

    # Predictions -----------------------------------------------------------------------------

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
        stored = set(self.scores_of(project_id, version)) if before else set()
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
        there = {int(row["id"]) for row in self.pages(project_id, "id")}
        stored = self.scores_of(project_id, version)
        return {row.task_id for row in rows if row.task_id in there and row.task_id not in stored}

    def _verify(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> int:
        missing = self._missing(project_id, version, rows)
        if missing:
            raise PublishError(
                f"Label Studio stored {len(rows) - len(missing)} of {len(rows)} predictions of "
                f"{version}; missing for tasks {sorted(missing)[:5]} and others"
            )
        stored = self.scores_of(project_id, version)
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

        Label Studio deletes them row by row in one transaction, and on SQLite refuses annotators'
        work meanwhile: it is put off while somebody labels. Old versions that stay harm nobody.
        """
        stored = self.versions(project_id)
        current = self.project(project_id).model_version
        if current not in stored:
            # The title of an ML backend: deleting any version would reset it (Label Studio 1.23).
            return []
        old = sorted(set(stored) - set(keep) - {current})
        deleted: list[str] = []
        for version in old:
            if not self.quiet(project_id):
                break
            path, body = f"/api/projects/{project_id}/model-versions/", {"model_version": version}
            self.http.request("DELETE", path, json=body, timeout_s=_DELETE_S, repeat=False)
            logger.info("project %d: deleted the predictions of %s", project_id, version)
            deleted.append(version)
        return deleted

    def quiet(self, project_id: int) -> bool:
        """Whether nobody changed anything in the project for `QUIET_S` seconds."""
        newest = self.changed_at(project_id)
        if not newest:
            return True
        return datetime.now(UTC) - parse_time(newest) > timedelta(seconds=QUIET_S)
