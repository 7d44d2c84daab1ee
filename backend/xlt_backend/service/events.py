"""Use cases of the web server: set-up, events and status. Each answers at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from xlt.errors import StoreError, XltError
from xlt.store.versions import Store
from xlt_backend.errors import RedisDownError
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.wire import (
    LABEL_EVENTS,
    PROJECT_EVENTS,
    TASK_EVENTS,
    TRAIN_EVENTS,
    SetupRequest,
    WebhookEvent,
    project_id_of,
)
from xlt_backend.names import newest
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState, StateStore
from xlt_backend.rounds import steering
from xlt_backend.rounds.steering import Steering, paused_words
from xlt_backend.service.outcome import Outcome, outcome_of
from xlt_backend.service.ports import RoundQueue

logger = logging.getLogger(__name__)


class Service:
    """The use cases of Label Studio and of people.

    Args:
        states: States of the projects.
        queue: Queue of rounds.
        store: All versions of all projects.
        now: Returns seconds since the epoch.
    """

    def __init__(
        self,
        *,
        states: StateStore,
        queue: RoundQueue,
        store: Store,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._states = states
        self._queue = queue
        self._store = store
        self._now = now
        self._last_setup: dict[str, SetupRequest] = {}
        self._last_shown: dict[str, str] = {}

    # For Label Studio -------------------------------------------------------------------------

    def setup(self, request: SetupRequest) -> str:
        """Records interface and options; returns the version whose predictions the project shows.

        Never fails: it answers from memory if Redis does not answer, and records an interface
        that xlt cannot learn as an error of the project's state.
        """
        if request.project_id is None:
            return ""
        project = str(request.project_id)
        try:
            state = self._unchanged(project, request) or self._record(project, request)
        except RedisDownError as error:
            logger.warning("/setup of project %s answered without Redis: %s", project, error)
            return newest(self._last_shown.get(project), self._stored(request.project))
        shown = state.shown or self._stored(state.key or request.project)
        self._last_shown[project] = shown
        return shown

    def _unchanged(self, project: str, request: SetupRequest) -> ProjectState | None:
        """Returns key and version if the last /setup was the same and Redis still has them."""
        if self._last_setup.get(project) != request:
            return None
        state = self._states.some(project, "key", "shown")
        return state if state is not None and state.key == request.project else None

    def _record(self, project: str, request: SetupRequest) -> ProjectState:
        state = self._states.get(project)
        if state.key and "." in request.project and state.key != request.project:
            logger.warning(
                "project %s was re-created in Label Studio; dropped its stored state", project
            )
            self._states.forget(project)
            state = ProjectState()
        self._last_setup[project] = request
        same = (state.label_config, state.extra_params) == (
            request.label_config,
            request.extra_params,
        )
        if same and state.key == request.project:
            return state
        self.record_config(project, request.project, request.label_config, request.extra_params)
        if not same:
            self._queue.request(project)
        return state

    def record_config(self, project: str, key: str, label_config: str, extra_params: Any) -> None:  # noqa: ANN401
        """Records interface and options of a project, and their error if they have one.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        self._states.put(
            project,
            key=key,
            label_config=label_config,
            extra_params=extra_params,
            config_error=config_error(label_config, extra_params),
        )

    def _stored(self, key: str) -> str:
        try:
            return self._store.project(key).current() or ""
        except StoreError as error:
            logger.warning("could not read the active version of %s: %s", key, error)
            return ""

    def handle(self, event: WebhookEvent) -> Outcome:
        """Handles an event; requests a round if enough has changed.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        if event.project_id is None:
            return Outcome(status="ignored: the event names no project")
        project = str(event.project_id)
        state = self._states.some(project, "key", "needed", "model", "first_new_at", "wait_s")
        if state is None:
            return Outcome(
                status=f"ignored: project {project} is not connected to xlt; run `xlt connect`"
            )
        if event.action in TRAIN_EVENTS:
            if paused := self._paused(project, state.key):
                return Outcome(status=f"ignored: {paused}")
            self._states.request_training(project)
            return outcome_of(self._queue.request(project, forced=True))
        if event.action in TASK_EVENTS or event.action == "ANNOTATIONS_DELETED":
            return self._recounted(project, event)
        if event.action in LABEL_EVENTS:
            return self._labelled(project, event, state)
        if event.action in PROJECT_EVENTS:
            return self._edited(project, event)
        return Outcome(status=f"ignored: nothing to do for {event.action}")

    def _paused(self, project: str, key: str) -> str:
        """Returns a line that says who paused the project; empty if it is not paused."""
        now = steering.read(self._store.project(key)) if key else Steering()
        return paused_words(project, now) if now.paused else ""

    def _labelled(self, project: str, event: WebhookEvent, state: ProjectState) -> Outcome:
        """Counts tasks whose labels changed; requests a round if there are enough."""
        annotations = event.all_annotations
        if event.action == "ANNOTATION_CREATED" and all(a.was_cancelled for a in annotations):
            return Outcome(status="ok: skipped")
        names = [f"task {task.id}" for task in event.all_tasks if task.id is not None]
        names = names or [f"annotation {a.id}" for a in annotations if a.id is not None]
        new = self._states.add_new(project, names)
        if new >= state.needed:
            return outcome_of(self._queue.request(project))
        if state.first_new_at is None and state.model:
            now = self._now()
            self._states.put(project, first_new_at=now, due_at=now + state.wait_s)
        return Outcome(status=f"ok: {new} of {state.needed} new labels")

    def _recounted(self, project: str, event: WebhookEvent) -> Outcome:
        """Requests a round that counts tasks and labels again.

        Tasks come and go with their labels, about which Label Studio sends no other event; deleted
        labels name no task. The id of a deleted task may be given to another.
        """
        if event.action == "TASKS_DELETED":
            tasks = [str(task.id) for task in event.all_tasks if task.id is not None]
            self._states.forget_reasons(project, tasks)
        return outcome_of(self._queue.request(project))

    def _edited(self, project: str, event: WebhookEvent) -> Outcome:
        config = event.project.label_config if event.project else None
        state = self._states.get(project)
        if config is None or config == state.label_config:
            return Outcome(status="ok: the labelling interface did not change")
        self.record_config(project, state.key, config, state.extra_params)
        return outcome_of(self._queue.request(project))

    # For people -------------------------------------------------------------------------------

    def projects(self) -> tuple[str, ...]:
        """Returns all projects that xlt knows.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        return self._states.projects()

    def state(self, project: str) -> ProjectState:
        """Returns the stored state of a project.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        return self._states.get(project)

    def status(self, project: str) -> dict[str, Any]:
        """Returns a project's state and the status of its rounds, as JSON.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        state = self._states.get(project)
        public = asdict(state)
        for private in ("label_config", "activity", "failed_hash", "forced", "forced_served"):
            public.pop(private)
        by_people = steering.report(self._store.project(state.key)) if state.key else {}
        return {"project": project, "queue": self._queue.status(project), **by_people, **public}

    def is_behind(self, project: str) -> bool:
        """Returns whether the active version is another one than at the end of the last round.

        Raises:
            RedisDownError: If Redis does not answer.
            StoreError: If the store cannot be read.
        """
        state = self._states.get(project)
        return bool(state.key) and (self._store.project(state.key).current() or "") != state.model

    def why(self, project: str, task: str) -> dict[str, Any]:
        """Returns the reason for a task's place in the queue, as JSON.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        reason = self._states.why(project, task)
        if reason is None:  # a finished task has one if its label is suspect or not used
            state = self._states.get(project)
            lost = ", ".join(why for why, found in state.unused.items() if task in found["tasks"])
            unused = {"reason": f"an answer is not used: {lost}"} if lost else None
            reason = next((item for item in state.doubtful if item["task"] == task), unused)
        unknown = "not explained: labelled, without text, new, or far behind in the queue"
        return {"task": task, **(reason or {"reason": unknown})}

    def versions(self, project: str | None = None) -> list[str]:
        """Returns the versions of one project or of all, newest first.

        Args:
            project: Label Studio's id of the project, or its key; None for all projects.

        Raises:
            RedisDownError: If Redis does not answer.
            StoreError: If the store cannot be read.
        """
        names: set[str] = set()
        for name in [str(project_id_of(project))] if project else self._states.projects():
            key = self._states.get(name).key
            if key:
                names.update(self._store.project(key).versions())
        return sorted(names, reverse=True)

    # Periodic ---------------------------------------------------------------------------------

    def tick(self) -> None:
        """Requests the rounds that are due by time, and those that were lost.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        for project in self._states.projects():
            due_at = self._states.get(project).due_at
            if due_at is not None and due_at <= self._now():
                self._states.put(project, due_at=None)
                self._queue.request(project)
        self._queue.tick()


def config_error(label_config: str, extra_params: object) -> str:
    """Returns the error of a project's interface or options in one line; empty if valid."""
    try:
        options = ProjectOptions.from_extra_params(extra_params)
        options.training("bundled")
        if label_config:
            Interface.from_options(label_config, options)
    except XltError as error:
        return str(error)
    return ""
