"""The use cases of the web server: set up, listen, tell. Nothing here is slow."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from xlt.errors import ConfigError, StoreError, XltError
from xlt.store.versions import Store
from xlt_backend.errors import RedisDownError
from xlt_backend.labelstudio.interface import Interface
from xlt_backend.labelstudio.wire import (
    LABEL_EVENTS,
    PROJECT_EVENTS,
    TRAIN_EVENTS,
    SetupRequest,
    WebhookEvent,
)
from xlt_backend.names import newest
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.scripts import Ticket
from xlt_backend.queue.state import ProjectState, StateStore

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of an event.

    Attributes:
        status: `ok`, or `ignored` with the reason.
        job: The job that it caused or joined, where it did.
    """

    status: str
    job: str | None = None


class Queue(Protocol):
    """What the use cases need of the train queue; see `trainqueue.TrainQueue`."""

    def ask(self, project: str, *, forced: bool = False) -> Ticket:
        """Wants one more round."""

    def status(self, project: str) -> str:
        """What goes on for a project."""

    def cancel(self, project: str) -> bool:
        """Tells the round that runs to stop; False where none does."""

    def tick(self) -> tuple[str, ...]:
        """Starts work that nobody waits for or runs."""


class Service:
    """What Label Studio and people ask of the web server."""

    def __init__(
        self,
        *,
        states: StateStore,
        queue: Queue,
        store: Store,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._states = states
        self._queue = queue
        self._store = store
        self._now = now
        self._last_setup: dict[str, SetupRequest] = {}
        self._last_shown: dict[str, str] = {}

    # Label Studio asks -----------------------------------------------------------------------

    def setup(self, request: SetupRequest) -> str:
        """Notes interface and options; the version whose predictions the project shows.

        Answers from memory where Redis is away, and always: an interface that xlt cannot learn
        is noted, not refused.
        """
        if request.project_id is None:
            return ""
        project = str(request.project_id)
        try:
            state = self._as_before(project, request) or self._noted(project, request)
        except RedisDownError as error:
            logger.warning("/setup of project %s answered without Redis: %s", project, error)
            return newest(self._last_shown.get(project), self._stored(request.project))
        shown = state.shown or self._stored(state.key or request.project)
        self._last_shown[project] = shown
        return shown

    def _as_before(self, project: str, request: SetupRequest) -> ProjectState | None:
        """Key and version, where the last /setup said the same and Redis remembers it."""
        if self._last_setup.get(project) != request:
            return None
        state = self._states.some(project, "key", "shown")
        return state if state is not None and state.key == request.project else None

    def _noted(self, project: str, request: SetupRequest) -> ProjectState:
        state = self._states.get(project)
        if state.key and "." in request.project and state.key != request.project:
            logger.warning("project %s is another one than before: state dropped", project)
            self._states.forget(project)
            state = ProjectState()
        self._last_setup[project] = request
        same = (state.label_config, state.extra_params) == (
            request.label_config,
            request.extra_params,
        )
        if same and state.key == request.project:
            return state
        self.note_config(project, request.project, request.label_config, request.extra_params)
        if not same:
            self._queue.ask(project)
        return state

    def note_config(self, project: str, key: str, label_config: str, extra_params: Any) -> None:  # noqa: ANN401
        """Notes interface and options, and what is wrong with them.

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
            logger.warning("the store does not say what is current of %s: %s", key, error)
            return ""

    def hear(self, event: WebhookEvent) -> Heard:
        """Takes an event; asks for a round where one is worth while.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        if event.project_id is None:
            return Heard(status="ignored: the event names no project")
        project = str(event.project_id)
        state = self._states.some(project, "needed", "model", "first_new_at", "extra_params")
        if state is None:
            return Heard(
                status=f"ignored: project {project} is not connected to xlt; run `xlt connect`"
            )
        if event.action in TRAIN_EVENTS:
            self._states.order(project)
            return _heard(self._queue.ask(project, forced=True))
        if event.action in LABEL_EVENTS:
            return self._labelled(project, event, state)
        if event.action == "TASKS_CREATED":
            return _heard(self._queue.ask(project))
        if event.action in PROJECT_EVENTS:
            return self._edited(project, event)
        return Heard(status=f"ignored: nothing to do for {event.action}")

    def _labelled(self, project: str, event: WebhookEvent, state: ProjectState) -> Heard:
        """Counts tasks whose labels changed; asks when there are enough of them."""
        annotations = event.all_annotations
        if event.action == "ANNOTATION_CREATED" and all(a.was_cancelled for a in annotations):
            return Heard(status="ok: skipped")
        names = [f"task {task.id}" for task in event.all_tasks if task.id is not None]
        names = names or [f"annotation {a.id}" for a in annotations if a.id is not None]
        new = self._states.add_new(project, names)
        if new >= state.needed:
            return _heard(self._queue.ask(project))
        if state.first_new_at is None and state.model:
            after_s = _options(state).retrain_after_s
            self._states.put(project, first_new_at=self._now(), due_at=self._now() + after_s)
        return Heard(status=f"ok: {new} of {state.needed} new labels")

    def _edited(self, project: str, event: WebhookEvent) -> Heard:
        config = event.project.label_config if event.project else None
        state = self._states.get(project)
        if config is None or config == state.label_config:
            return Heard(status="ok: the labelling interface is as before")
        self.note_config(project, state.key, config, state.extra_params)
        return _heard(self._queue.ask(project))

    # People ask ------------------------------------------------------------------------------

    def projects(self) -> tuple[str, ...]:
        """All projects that xlt knows.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        return self._states.projects()

    def state(self, project: str) -> ProjectState:
        """What is known of a project.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        return self._states.get(project)

    def status(self, project: str) -> dict[str, Any]:
        """Everything that is worth knowing of a project, as JSON.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        state = self._states.get(project)
        known = asdict(state)
        for private in ("label_config", "activity", "failed_hash", "forced", "forced_served"):
            known.pop(private)
        return {"project": project, "queue": self._queue.status(project), **known}

    def why(self, project: str, task: str) -> dict[str, Any]:
        """Why a task stands where it stands in the queue, as JSON.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        said = self._states.why(project, task)
        if said is None:  # of finished tasks the doubtful ones
            doubtful = self._states.get(project).doubtful
            said = next((item for item in doubtful if item["task"] == task), None)
        unknown = "not explained: labelled, without text, new, or far behind in the queue"
        return {"task": task, **(said or {"reason": unknown})}

    def versions(self, project: str | None = None) -> list[str]:
        """Versions of one project or of all, the newest first.

        Raises:
            RedisDownError: If Redis does not answer.
            StoreError: If the store cannot be read.
        """
        names: set[str] = set()
        for known in [project] if project else self._states.projects():
            key = self._states.get(known).key
            if key:
                names.update(self._store.project(key).versions())
        return sorted(names, reverse=True)

    def cancel(self, project: str) -> bool:
        """Stops the round that runs; False where none does.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        return self._queue.cancel(project)

    # Time passes -----------------------------------------------------------------------------

    def tick(self) -> None:
        """Asks for trainings that are due by time, and for work that was lost.

        Raises:
            RedisDownError: If Redis does not answer.
        """
        for project in self._states.projects():
            due_at = self._states.get(project).due_at
            if due_at is not None and due_at <= self._now():
                self._states.put(project, due_at=None)
                self._queue.ask(project)
        self._queue.tick()


def config_error(label_config: str, extra_params: object) -> str:
    """What is wrong with a project's interface or options, in one line; empty: nothing."""
    try:
        options = ProjectOptions.from_extra_params(extra_params)
        options.training("bundled")
        if label_config:
            Interface.from_label_config(label_config)
    except XltError as error:
        return str(error)
    return ""


def _options(state: ProjectState) -> ProjectOptions:
    try:
        return ProjectOptions.from_extra_params(state.extra_params)
    except ConfigError:
        return ProjectOptions()


def _heard(ticket: Ticket) -> Heard:
    words: Mapping[str, str] = {
        "queued": "ok: a round was asked for",
        "waiting": "ok: a round waits already",
        "running": "ok: a round runs, another follows",
        "held": "ok: tried again soon, the last round failed",
    }
    return Heard(status=words[ticket.status], job=ticket.job_id or None)
