"""Label Studio as xlt uses it: export, publish, order; see connect.py for setting it up."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xlt_backend.convert import PublishRow
from xlt_backend.errors import NotFoundError, PublishError, RejectedError
from xlt_backend.labelstudio_http import Http

logger = logging.getLogger(__name__)

#: Serves the task whose prediction has the lowest score; works in the Community Edition too.
UNCERTAINTY_SAMPLING = "Uncertainty sampling"

#: Predictions in one request (Label Studio stores 3,000 in 2 s).
PUBLISH_CHUNK = 1000
#: Tasks in one page of an export.
EXPORT_PAGE = 1000

_SLOW_S = 300.0

Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectInfo:
    """One project of Label Studio.

    Attributes:
        model_version: A version of predictions, or the title of an ML backend, or empty.
        task_count: All tasks.
        annotated_count: Tasks with at least one annotation that is no skip.
        maximum_annotations: Annotators per task.
        shows_predictions: Whether annotators see predictions.
    """

    id: int
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
            title=str(body.get("title") or ""),
            label_config=str(body.get("label_config") or ""),
            model_version=str(body.get("model_version") or ""),
            sampling=str(body.get("sampling") or ""),
            task_count=int(body.get("task_number") or 0),
            annotated_count=int(body.get("num_tasks_with_annotations") or 0),
            maximum_annotations=int(body.get("maximum_annotations") or 1),
            shows_predictions=bool(body.get("show_collab_predictions")),
        )


class Client:
    """One Label Studio, by its address and a personal access token.

    All methods raise `LabelStudioError` or one of its kinds; reads are repeated for some seconds
    while Label Studio does not answer, writes only where it cannot have seen them.
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        self.http = Http(url, token, timeout_s=timeout_s)

    @property
    def url(self) -> str:
        """Label Studio's address."""
        return self.http.url

    def version(self) -> str:
        """Release of Label Studio, such as `1.23.2`."""
        raise NotImplementedError

    def projects(self) -> list[ProjectInfo]:
        """All projects that the token's owner sees."""
        raise NotImplementedError

    def project(self, project_id: int) -> ProjectInfo:
        """One project.

        Raises:
            NotFoundError: If there is none with this id.
        """
        raise NotImplementedError

    def tasks(self, project_id: int) -> list[Json]:
        """All tasks of a project with their annotations (also skips), as convert.py reads them.

        Keys: id, data, is_labeled, annotations, updated_at, overlap. No predictions, no drafts.
        """
        raise NotImplementedError

    def activity(self, project_id: int) -> str:
        """A short signature that changes when tasks, labels or the interface change.

        Two cheap requests. It does not change when predictions are published.
        """
        raise NotImplementedError

    def publish(
        self,
        project_id: int,
        version: str,
        rows: Sequence[PublishRow],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> int:
        """Store predictions in bulk and make sure that they are all there.

        May be repeated after an interruption: tasks that have a prediction of this version keep
        it. Tasks that were deleted meanwhile are left out. A new order of the same model needs a
        new version name.

        Returns:
            How many of the rows' tasks have a prediction of this version now.

        Raises:
            PublishError: If some are missing afterwards.
        """
        raise NotImplementedError

    def versions(self, project_id: int) -> dict[str, int]:
        """Versions of predictions that are there, with their number."""
        raise NotImplementedError

    def switch(
        self, project_id: int, version: str, *, sampling: str = UNCERTAINTY_SAMPLING
    ) -> None:
        """From now on, tasks are shown with and ordered by the predictions of `version`."""
        raise NotImplementedError

    def prune_predictions(self, project_id: int, keep: Collection[str]) -> list[str]:
        """Delete predictions of all versions but `keep` and the project's own; returns which."""
        raise NotImplementedError

    def create_project(self, title: str, label_config: str, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Make a project."""
        raise NotImplementedError

    def update_project(self, project_id: int, **fields: Any) -> ProjectInfo:  # noqa: ANN401
        """Change fields of a project."""
        raise NotImplementedError

    def import_tasks(self, project_id: int, tasks: Sequence[Mapping[str, Any]]) -> int:
        """Import tasks, `{"data": {…}, …}` or the bare data; returns their number."""
        raise NotImplementedError

    def next_task(self, project_id: int) -> Json | None:
        """The task that Label Studio serves the token's owner next; None: all done."""
        raise NotImplementedError

    def annotate(
        self,
        task_id: int,
        result: Sequence[Mapping[str, Any]],
        **fields: Any,  # noqa: ANN401
    ) -> int:
        """Submit an annotation (`was_cancelled=True`: a skip); returns its id."""
        raise NotImplementedError
