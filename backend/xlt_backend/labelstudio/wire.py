"""What Label Studio sends to an ML backend, and what it expects back.

Tolerant in: fields that are not named here are dropped, which also keeps the secrets that some
bodies carry (legacy token, task data password) out of our memory and logs. Strict out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

#: Larger bodies are refused before they are read ("Retrieve predictions" sends all tasks at once:
#: 3.5 MB for 3,000).
MAX_BODY_BYTES = 128 * 1024 * 1024
#: Tasks in one /predict.
MAX_TASKS = 100_000

#: Header with the shared secret of our webhooks.
SECRET_HEADER = "X-Xlt-Secret"

_MAX_CONFIG = 1_000_000
_MAX_NAME = 500

#: Events after which labels or tasks differ, so that there may be something to learn or to score.
LABEL_EVENTS = frozenset(
    {"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED", "ANNOTATIONS_DELETED"}
)
TASK_EVENTS = frozenset({"TASKS_CREATED", "TASKS_DELETED"})
PROJECT_EVENTS = frozenset({"PROJECT_UPDATED"})
TRAIN_EVENTS = frozenset({"START_TRAINING"})
#: What our webhook asks Label Studio for. (START_TRAINING comes by another way, unasked.)
WEBHOOK_ACTIONS = tuple(sorted(LABEL_EVENTS | TASK_EVENTS | PROJECT_EVENTS))


def project_id_of(key: object) -> int | None:
    """The id in Label Studio's project key, `"{id}.{created_at}"`; None: not one."""
    head = str(key).split(".", 1)[0] if key is not None else ""
    return int(head) if head.isascii() and head.isdigit() and len(head) < 19 else None


def _none_as_empty(value: object) -> object:
    return {} if value is None else value


def _as_list(value: object) -> object:
    """Singular or plural, Label Studio uses one key for both."""
    if value is None:
        return []
    return [value] if isinstance(value, Mapping) else value


class _In(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# In -----------------------------------------------------------------------------------------


class SetupRequest(_In):
    """`POST /setup`, before every prediction and on every look at the model page."""

    project: str = Field(max_length=_MAX_NAME)
    label_config: str = Field(default="", alias="schema", max_length=_MAX_CONFIG)
    extra_params: Any = None

    @field_validator("project", mode="before")
    @classmethod
    def _number_is_fine(cls, value: object) -> object:
        return str(value) if isinstance(value, (int, float)) else value

    @property
    def project_id(self) -> int | None:
        """Label Studio's id of the project."""
        return project_id_of(self.project)


class WireTask(_In):
    """One task of a `/predict`."""

    id: int | str | None = None
    data: Annotated[dict[str, Any], BeforeValidator(_none_as_empty)] = Field(default_factory=dict)

    def as_task(self) -> dict[str, Any]:
        """The shape that convert.py reads."""
        return {"id": self.id, "data": self.data}


class PredictParams(_In):
    """Parameters of a `/predict`; `context` is there when it is interactive."""

    context: dict[str, Any] | None = None


class PredictRequest(_In):
    """`POST /predict`: one task, or all that somebody selected."""

    tasks: list[WireTask] = Field(max_length=MAX_TASKS)
    project: str | None = Field(default=None, max_length=_MAX_NAME)
    label_config: str | None = Field(default=None, max_length=_MAX_CONFIG)
    params: Annotated[PredictParams, BeforeValidator(_none_as_empty)] = PredictParams()

    @property
    def project_id(self) -> int | None:
        """Label Studio's id of the project; None: the request does not say."""
        return project_id_of(self.project)


class ProjectRef(_In):
    """The project of an event (its token and password are dropped here)."""

    id: int
    title: str = ""
    label_config: str | None = Field(default=None, max_length=_MAX_CONFIG)

    @field_validator("title", mode="before")
    @classmethod
    def _no_title(cls, value: object) -> object:
        return "" if value is None else value


class PredictionRef(_In):
    """The prediction that was on the screen when an annotation was submitted."""

    model_version: str | None = None
    result: list[dict[str, Any]] | None = None


class AnnotationRef(_In):
    """One annotation of an event."""

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
    """One task of an event, by its id only."""

    id: int | None = None


class WebhookEvent(_In):
    """`POST /webhook`: an event, or the order to train (which names the project only)."""

    action: str = Field(max_length=100)
    project: ProjectRef | None = None
    annotation: Annotated[list[AnnotationRef], BeforeValidator(_as_list)] = []
    annotations: Annotated[list[AnnotationRef], BeforeValidator(_as_list)] = []
    task: Annotated[list[TaskRef], BeforeValidator(_as_list)] = []
    tasks: Annotated[list[TaskRef], BeforeValidator(_as_list)] = []

    @property
    def project_id(self) -> int | None:
        """Label Studio's id of the project; None: the event is about none."""
        return self.project.id if self.project else None

    @property
    def all_annotations(self) -> list[AnnotationRef]:
        """The annotations, whichever key they came under."""
        return [*self.annotation, *self.annotations]

    @property
    def all_tasks(self) -> list[TaskRef]:
        """The tasks, whichever key they came under."""
        return [*self.task, *self.tasks]


# Out ----------------------------------------------------------------------------------------


class HealthAnswer(_Out):
    """`GET /health`."""

    status: str = "UP"
    model_class: str = "xlt"


class SetupAnswer(_Out):
    """Answer to `/setup`: the version that the project's predictions have now."""

    model_version: str


class WireResult(_Out):
    """One task's prediction; `result` is empty where there is nothing to suggest."""

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
    """Answer to `/predict`: as many results as there were tasks, in their order."""

    results: list[WireResult]
    model_version: str = ""


class VersionsAnswer(_Out):
    """Answer to `GET /versions`."""

    versions: list[str]
    message: str = ""


class WebhookAnswer(_Out):
    """Answer to `/webhook`; Label Studio keeps `job` where there is one."""

    status: str = "ok"
    job: str | None = None


class ErrorAnswer(_Out):
    """The reason of a failure, in one line; never a traceback."""

    error: str
