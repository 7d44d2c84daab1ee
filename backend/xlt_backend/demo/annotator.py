"""A scripted annotator: asks Label Studio for the next task and submits its known label."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

from xlt.errors import DataError
from xlt.tasks.task import Suggestion
from xlt_backend.errors import LabelStudioError
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.convert import Unusable, texts_of
from xlt_backend.labelstudio.interface import Interface

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledTask:
    """A task that the annotator labelled.

    Attributes:
        task_id: Label Studio's id of the task.
        lang: Language of the text.
        in_order: Whether it was the first open task of the published order; None if the order
            changed during the request.
    """

    task_id: int
    lang: str
    in_order: bool | None


class Annotator:
    """Labels a project's tasks one by one over the public API, as a person would.

    Args:
        client: Label Studio, with the annotator's own token.
        project_id: The project.
        answers: Answer to each task by its `data["ref"]`.
    """

    def __init__(self, client: Client, project_id: int, answers: Mapping[str, Hashable]) -> None:
        self._client = client
        self._project_id = project_id
        self._answers = answers
        self._interface = Interface.from_label_config(client.project(project_id).label_config)
        self._version = ""
        self._queue: dict[int, float] = {}
        self._done: set[int] = set()

    def label_next(self) -> LabelledTask | None:
        """Labels the task that Label Studio serves next; returns None if there are no more.

        Raises:
            DataError: If no answer is known for the task.
            LabelStudioError: If Label Studio does not answer.
        """
        version = self._follow()
        task = self._client.next_task(self._project_id)
        if task is None:
            return None
        task_id, data = int(task["id"]), task["data"]
        if data.get("ref") not in self._answers:
            raise DataError(f"no answer for task {task_id}, which the demo did not import: {data}")
        in_order = self._is_first(task_id) if version == self._follow() else None
        suggestion = Suggestion(answer=self._answers[data["ref"]], confidence=1.0)
        texts = texts_of(task, self._interface)
        result = self._interface.results(suggestion, () if isinstance(texts, Unusable) else texts)
        self._submit(task_id, [{**region, "origin": "manual"} for region in result or ()])
        self._done.add(task_id)
        self._queue.pop(task_id, None)
        return LabelledTask(task_id=task_id, lang=str(data["lang"]), in_order=in_order)

    def _submit(self, task_id: int, result: list[dict[str, Any]]) -> None:
        """Submits an annotation; retries if Label Studio fails, as when SQLite is locked.

        A failed request may have stored the annotation. If Label Studio then serves another task,
        it has.
        """
        for wait_s in (1.0, 3.0, 10.0, 30.0):
            try:
                self._client.annotate(task_id, result)
                return
            except LabelStudioError as error:
                logger.warning("task %d: %s; retrying in %g s", task_id, error, wait_s)
                time.sleep(wait_s)
                served = self._client.next_task(self._project_id)
                if served is None or int(served["id"]) != task_id:
                    return
        self._client.annotate(task_id, result)

    def _follow(self) -> str:
        """Returns the version that the project shows; reads its order if it is a new one."""
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
