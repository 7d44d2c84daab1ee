"""Requests of Label Studio to an ML backend, and the answers that it expects.

Reading is tolerant: it drops fields that are not named here, and with them the secrets that some
bodies carry (legacy token, password of the task data). Writing is strict.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

#: Largest body of a request in bytes; larger ones are refused before they are read. ("Retrieve
#: predictions" sends all tasks at once: 3.5 MB for 3,000.)
MAX_BODY_BYTES = 128 * 1024 * 1024
#: Largest number of tasks in one /predict.
MAX_TASKS = 100_000

#: Header with the shared secret of the webhooks.
SECRET_HEADER = "X-Xlt-Secret"

_MAX_CONFIG = 1_000_000
_MAX_NAME = 500

#: Events that change labels.
LABEL_EVENTS = frozenset(
    {"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED", "ANNOTATIONS_DELETED"}
)
TASK_EVENTS = frozenset({"TASKS_CREATED", "TASKS_DELETED"})
PROJECT_EVENTS = frozenset({"PROJECT_UPDATED"})
TRAIN_EVENTS = frozenset({"START_TRAINING"})
#: Events that our webhook subscribes to. (Label Studio sends START_TRAINING without it.)
WEBHOOK_ACTIONS = tuple(sorted(LABEL_EVENTS | TASK_EVENTS | PROJECT_EVENTS))


def project_id_of(key: object) -> int | None:
    """Returns the id in a project key `"{id}.{created_at}"`; None if it is not such a key."""
    head = str(key).split(".", 1)[0] if key is not None else ""
    return int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None


def _none_as_empty(value: object) -> object:
    return {} if value is None else value


def _as_list(value: object) -> object:
    """Turns the value of a key that holds one item or several into a list."""
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else value


def _number_as_text(value: object) -> object:
    """Turns a project's number into its key; Label Studio itself sends text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ProjectKey = Annotated[str, BeforeValidator(_number_as_text), Field(max_length=_MAX_NAME)]


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# In -----------------------------------------------------------------------------------------


class SetupRequest(_In):
    """`POST /setup`, sent before every prediction and by every visit to the model page."""

    project: ProjectKey
    label_config: str = Field(default="", alias="schema", max_length=_MAX_CONFIG)
    extra_params: Any = None

    @property
    def project_id(self) -> int | None:
        """Label Studio's id of the project."""
        return project_id_of(self.project)


class WireTask(_In):
    """A task of a `/predict`."""

    id: int | str | None = None
    data: Annotated[dict[str, Any], BeforeValidator(_none_as_empty)] = Field(default_factory=dict)

    def as_task(self) -> dict[str, Any]:
        """Returns the task in the form of an export."""
        return {"id": self.id, "data": self.data}


class PredictParams(_In):
    """Parameters of a `/predict`; `context` is set if it is interactive."""

    context: dict[str, Any] | None = None


class PredictRequest(_In):
    """`POST /predict`: one task, or all tasks that a user selected."""

    tasks: list[WireTask] = Field(max_length=MAX_TASKS)
    project: ProjectKey | None = None
    label_config: str | None = Field(default=None, max_length=_MAX_CONFIG)
    params: Annotated[PredictParams, BeforeValidator(_none_as_empty)] = PredictParams()

    @property
    def project_id(self) -> int | None:
        """Label Studio's id of the project; None if the request does not contain it."""
        return project_id_of(self.project)


class ProjectRef(_In):
    """The project of an event, without its token and password."""

    id: int
    title: str = ""
    label_config: str | None = Field(default=None, max_length=_MAX_CONFIG)

    @field_validator("title", mode="before")
    @classmethod
    def _no_title(cls, value: object) -> object:
        return "" if value is None else value


class PredictionRef(_In):
    """The prediction that the annotator saw when submitting an annotation."""

    model_version: str | None = None
    result: list[dict[str, Any]] | None = None


class AnnotationRef(_In):
    """An annotation of an event."""

    id: int | None = None
    was_cancelled: bool = False
    ground_truth: bool = False
    result: list[dict[str, Any]] | None = None
    prediction: PredictionRef | None = None

    @field_validator("prediction", mode="before")
    @classmethod
    def _empty_prediction(cls, value: object) -> object:
        return value or None


class TaskRef(_In):
    """A task of an event, by its id."""

    id: int | None = None


class WebhookEvent(_In):
    """`POST /webhook`: an event, or START_TRAINING, which contains the project only."""

    action: str = Field(max_length=100)
    project: ProjectRef | None = None
    annotation: Annotated[list[AnnotationRef], BeforeValidator(_as_list)] = []
    annotations: Annotated[list[AnnotationRef], BeforeValidator(_as_list)] = []
    task: Annotated[list[TaskRef], BeforeValidator(_as_list)] = []
    tasks: Annotated[list[TaskRef], BeforeValidator(_as_list)] = []

    @property
    def project_id(self) -> int | None:
        """Label Studio's id of the project; None if the event has no project."""
        return self.project.id if self.project else None

    @property
    def all_annotations(self) -> list[AnnotationRef]:
        """The annotations, from both keys that Label Studio uses."""
        return [*self.annotation, *self.annotations]

    @property
    def all_tasks(self) -> list[TaskRef]:
        """The tasks, from both keys that Label Studio uses."""
        return [*self.task, *self.tasks]


# Out ----------------------------------------------------------------------------------------


class HealthAnswer(_Out):
    """`GET /health`."""

    status: str = "UP"
    model_class: str = "xlt"


class SetupAnswer(_Out):
    """Answer to `/setup`: the version of the predictions that the project shows."""

    model_version: str


class WireResult(_Out):
    """A task's prediction; `result` is empty if there is no suggestion."""

    result: list[dict[str, Any]] = Field(default_factory=list)
    score: float = Field(default=0.5, ge=0, le=1)
    model_version: str = ""

    @field_validator("score")
    @classmethod
    def _finite(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("score must be finite")
        return value


class PredictAnswer(_Out):
    """Answer to `/predict`: one result per task, in the order of the tasks."""

    results: list[WireResult]
    model_version: str = ""


class VersionsAnswer(_Out):
    """Answer to `GET /versions`."""

    versions: list[str]
    message: str = ""


class WebhookAnswer(_Out):
    """Answer to `/webhook`; Label Studio stores `job` if it is set."""

    status: str = "ok"
    job: str | None = None


class ErrorAnswer(_Out):
    """The reason of a failure, in one line; never a traceback."""

    error: str
