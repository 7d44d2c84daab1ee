"""Client of Label Studio's API: projects, tasks, annotations and predictions."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from xlt_backend.errors import NotFoundError, PublishError, RejectedError, UnreachableError
from xlt_backend.labelstudio.convert import PublishRow
from xlt_backend.labelstudio.reader import ProjectInfo, Reader, parse_time

__all__ = ["UNCERTAINTY_SAMPLING", "Client", "ProjectInfo", "Published"]

logger = logging.getLogger(__name__)

#: Sampling that serves the task whose prediction has the lowest score, in all editions.
UNCERTAINTY_SAMPLING = "Uncertainty sampling"

#: Number of predictions in one request. Label Studio recounts its tasks after each request, so few
#: large ones are much faster than many small ones (3,000: 2 s in one, 13 s in six).
PUBLISH_CHUNK = 5000
#: Seconds without a change before predictions of old versions are deleted. During a deletion, Label
#: Studio on SQLite answers annotators with a 500 ("database is locked").
QUIET_S = 300.0

#: Largest number of predictions that are sent one by one; each takes 0.05 to 0.2 s.
SINGLY = 500

_SLOW_S = 300.0
_DELETE_S = 900.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """The result of publishing rows.

    Attributes:
        stored: Number of the rows' tasks that have a prediction of the version now.
        singly: Tasks whose prediction bulk import left out, and that was sent alone.
        bare: Tasks whose prediction bulk import left out, and that have one without a suggestion.
    """

    stored: int
    singly: tuple[int, ...] = ()
    bare: tuple[int, ...] = ()


class Client(Reader):
    """A client that reads from and writes to Label Studio.

    It repeats a write only if Label Studio cannot have seen it, or if that does no harm.
    """

    # Projects and tasks ----------------------------------------------------------------------

    def create_project(self, title: str, label_config: str, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Creates a project; further fields as in Label Studio's API."""
        body = {"title": title, "label_config": label_config, **fields}
        return ProjectInfo.from_json(self.http.request("POST", "/api/projects/", json=body))

    def update_project(self, project_id: int, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Changes fields of a project; names as in Label Studio's API."""
        path = f"/api/projects/{project_id}/"
        return ProjectInfo.from_json(self.http.request("PATCH", path, json=fields))

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> int:
        """Imports tasks, `{"data": {…}, …}` or the bare data; returns their number."""
        path, imported = f"/api/projects/{project_id}/import", 0
        for start in range(0, len(tasks), PUBLISH_CHUNK):
            chunk = [dict(task) for task in tasks[start : start + PUBLISH_CHUNK]]
            body = self.http.request("POST", path, json=chunk, timeout_s=_SLOW_S)
            imported += int(body["task_count"])
        return imported

    def next_task(self, project_id: int) -> Json | None:
        """Returns the next task for the token's owner; None if there is none left."""
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
        """Submits an annotation (a skip if `was_cancelled=True`); returns its id."""
        body = {"result": [dict(region) for region in result], **fields}
        return int(self.http.request("POST", f"/api/tasks/{task_id}/annotations/", json=body)["id"])

    def reopen(self, answers: Mapping[int, int]) -> None:
        """Puts finished tasks back into the queue, for annotators who have not answered them yet.

        “Label All Tasks” never shows a task again to an annotator who answered it. Skips tasks that
        were deleted meanwhile, also if their ids were given to tasks without answers.

        Args:
            answers: Number of answers that each task now needs, one more than it has, by task id.
        """
        for task, count in answers.items():
            # `overlap` alone has no effect: Label Studio recounts only at the next answer.
            body = {"overlap": count, "is_labeled": False}
            path = f"/api/tasks/{task}/"
            with suppress(NotFoundError):
                if self.http.request("GET", path).get("annotations"):
                    self.http.request("PATCH", path, json=body)

    # Predictions -----------------------------------------------------------------------------

    def publish(
        self,
        project_id: int,
        version: str,
        rows: Sequence[PublishRow],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> Published:
        """Stores predictions in bulk and verifies that each is stored once.

        Those that Label Studio leaves out of a bulk import are sent one by one, at most `SINGLY`,
        those with the lowest scores; the others without their suggestion, so that they have their
        place.

        It may be repeated after an interruption: tasks that have a prediction of this version keep
        it. Tasks that were deleted meanwhile are skipped. A new order by the same model needs a new
        version name.

        Args:
            project_id: Label Studio's id of the project.
            version: Version of the predictions, their `model_version`.
            rows: Predictions, at most one per task.
            progress: Called with the number of finished rows and of all rows.

        Raises:
            PublishError: If predictions are missing afterwards.
        """
        before = self.versions(project_id).get(version, 0)
        stored = set(self.scores_of(project_id, version)) if before else set()
        todo = [row for row in rows if row.task_id not in stored]
        created = 0
        for start in range(0, len(todo), PUBLISH_CHUNK):
            chunk = todo[start : start + PUBLISH_CHUNK]
            created += self._store(project_id, version, chunk)
            if progress:
                progress(len(rows) - len(todo) + start + len(chunk), len(rows))
        if created == len(todo) and self.versions(project_id).get(version, 0) == before + created:
            return Published(stored=len(rows))
        return self._complete(project_id, version, rows)

    def _store(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> int:
        """Sends predictions in one request; sends the missing ones again if it fails."""
        path = f"/api/projects/{project_id}/import/predictions"
        body = [_prediction(version, row) for row in rows]
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
            return 0  # the exact count is in _complete
        return int(answer["created"])

    def _missing(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> set[int]:
        """Returns the rows' tasks that exist and have no prediction of this version."""
        existing = {int(row["id"]) for row in self.pages(project_id, "id")}
        stored = self.scores_of(project_id, version)
        return (existing & {row.task_id for row in rows}) - stored.keys()

    def _complete(self, project_id: int, version: str, rows: Sequence[PublishRow]) -> Published:
        """Stores the predictions that bulk import left out: it names none, and answers 201."""
        missing = self._missing(project_id, version, rows)
        left_out = sorted((r for r in rows if r.task_id in missing), key=lambda row: row.score)
        singly = [r.task_id for r in left_out[:SINGLY] if self._store_one(project_id, version, r)]
        rest = [r for r in left_out if r.task_id not in singly]
        for start in range(0, len(rest), PUBLISH_CHUNK):
            bare = [replace(r, answer=None, result=[]) for r in rest[start : start + PUBLISH_CHUNK]]
            self._store(project_id, version, bare)
        missing = self._missing(project_id, version, rows) if rest else set()
        if missing:
            raise PublishError(
                f"Label Studio stored {len(rows) - len(missing)} of {len(rows)} predictions of "
                f"{version}; missing for tasks {sorted(missing)[:5]} and others"
            )
        stored = self.scores_of(project_id, version)
        return Published(
            stored=sum(row.task_id in stored for row in rows),
            singly=tuple(singly),
            bare=tuple(r.task_id for r in rest if r.result and r.task_id in stored),
        )

    def _store_one(self, project_id: int, version: str, row: PublishRow) -> bool:
        """Sends one prediction by the way that validates less; returns whether it was stored."""
        body = _prediction(version, row) | {"project": project_id}
        try:
            self.http.request("POST", "/api/predictions/", json=body)
        except RejectedError as error:
            logger.info("task %d: %s", row.task_id, error)
            return False
        return True

    def withdraw(self, project_id: int, version: str, tasks: Sequence[int]) -> None:
        """Deletes the predictions of a version for some tasks, one by one.

        Tasks that were deleted meanwhile are skipped.
        """
        for task in tasks:
            for row in self._predictions_of(task):
                if row.get("model_version") == version:
                    with suppress(NotFoundError):
                        self.http.request("DELETE", f"/api/predictions/{row['id']}/")

    def _predictions_of(self, task: int) -> list[Json]:
        """Returns the predictions of a task; none if it was deleted."""
        try:
            return list(self.http.request("GET", "/api/predictions/", params={"task": task}))
        except RejectedError:  # Label Studio's answer if there is no such task
            with suppress(NotFoundError):
                self.http.request("GET", f"/api/tasks/{task}/")
                raise
            return []

    def switch(
        self, project_id: int, version: str, *, sampling: str = UNCERTAINTY_SAMPLING
    ) -> None:
        """Makes the project show the predictions of a version and serve tasks in their order.

        Raises:
            RejectedError: If the project has no prediction of this version.
        """
        info = self.update_project(project_id, model_version=version, sampling=sampling)
        if (info.model_version, info.sampling) != (version, sampling):
            raise RejectedError(
                f"project {project_id} has model_version {info.model_version!r} and sampling "
                f"{info.sampling!r} after Label Studio was told {version!r} and {sampling!r}"
            )

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Deletes the predictions of all versions except `keep` and the one that is shown.

        Label Studio deletes them row by row in one transaction, and on SQLite refuses annotations
        meanwhile. So nothing is deleted while annotators work; old versions do no harm.

        Returns:
            The versions whose predictions were deleted.
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
        """Returns whether the project has not changed for `QUIET_S` seconds."""
        newest = self.changed_at(project_id)
        if not newest:
            return True
        return datetime.now(UTC) - parse_time(newest) > timedelta(seconds=QUIET_S)


def _prediction(version: str, row: PublishRow) -> Json:
    """Returns a prediction in Label Studio's JSON."""
    return {
        "task": row.task_id,
        "score": row.score,
        "model_version": version,
        "result": row.result,
    }
