"""A scripted annotator: asks Label Studio for the next task, reads the answer up, submits it."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xlt.errors import DataError
from xlt_backend.errors import LabelStudioError
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.convert import to_result
from xlt_backend.labelstudio.interface import Interface

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One task that was labelled.

    Attributes:
        task_id: Label Studio's id.
        lang: Its language.
        in_order: Whether it was the first of the published order that was still open; None
            where the order changed while the task was asked for.
    """

    task_id: int
    lang: str
    in_order: bool | None


class Annotator:
    """Works through a project as a person would, one task at a time, over the public API.

    Args:
        client: Label Studio, with the annotator's own token.
        project_id: The project.
        answers: `data["ref"]` of each task -> its label.
    """

    def __init__(self, client: Client, project_id: int, answers: Mapping[str, str]) -> None:
        self._client = client
        self._project_id = project_id
        self._answers = answers
        self._interface = Interface.from_label_config(client.project(project_id).label_config)
        self._version = ""
        self._queue: dict[int, float] = {}
        self._done: set[int] = set()

    def label_next(self) -> Labelled | None:
        """Label the task that Label Studio serves next; None when it has no more.

        Raises:
            DataError: If the task is none of those that there is an answer for.
            LabelStudioError: If Label Studio does not answer.
        """
        version = self._follow()
        task = self._client.next_task(self._project_id)
        if task is None:
            return None
        task_id, data = int(task["id"]), task["data"]
        if data.get("ref") not in self._answers:
            raise DataError(f"task {task_id} is not one of the demo's: no answer for {data}")
        in_order = self._is_first(task_id) if version == self._follow() else None
        label = self._answers[data["ref"]]
        result = to_result(label, 1.0, self._interface)
        self._submit(task_id, [{**region, "origin": "manual"} for region in result])
        self._done.add(task_id)
        self._queue.pop(task_id, None)
        return Labelled(task_id=task_id, lang=str(data["lang"]), in_order=in_order)

    def _submit(self, task_id: int, result: list[dict[str, Any]]) -> None:
        """Submit, and once more where Label Studio failed: on SQLite its database may be locked.

        The task stays with its annotator until an annotation is stored, so that asking for the
        next one tells whether the first try was.
        """
        for wait_s in (1.0, 3.0, 10.0, 30.0):
            try:
                self._client.annotate(task_id, result)
                return
            except LabelStudioError as error:
                logger.warning("task %d, again in %g s: %s", task_id, wait_s, error)
                time.sleep(wait_s)
                served = self._client.next_task(self._project_id)
                if served is None or int(served["id"]) != task_id:
                    return
        self._client.annotate(task_id, result)

    def _follow(self) -> str:
        """Read the published order again where the project shows another version than before."""
        version = self._client.project(self._project_id).model_version
        if version != self._version:
            self._version = version
            self._queue = {
                task: score
                for task, score in self._client.scores(self._project_id, version).items()
                if task not in self._done
            }
        return version

    def _is_first(self, task_id: int) -> bool:
        return bool(self._queue) and self._queue.get(task_id) == min(self._queue.values())
