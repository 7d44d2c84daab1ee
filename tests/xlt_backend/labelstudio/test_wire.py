"""The payloads of Label Studio 1.23, as captured, and what we answer."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from xlt_backend.labelstudio import wire
from xlt_backend.labelstudio.wire import (
    PredictAnswer,
    PredictRequest,
    SetupRequest,
    WebhookEvent,
    WireResult,
    project_id_of,
)

SETUP = {
    "project": "1.1795330494",
    "schema": '<View><Text name="text" value="$text"/></View>',
    "hostname": "http://localhost:8080",
    "access_token": "0123456789abcdef0123456789abcdef01234567",
    "extra_params": {"language_field": "lang"},
}
TASK = {
    "id": 1,
    "data": {"text": "t1", "lang": "sw"},
    "meta": {},
    "created_at": "2026-11-22T08:00:00Z",
    "is_labeled": False,
    "overlap": 1,
    "inner_id": 1,
    "total_annotations": 0,
    "project": 1,
    "annotations": [],
    "predictions": [],
}
PREDICT = {
    "tasks": [TASK, {**TASK, "id": 2}],
    "project": "1.1795330494",
    "label_config": "<View/>",
    "params": {"login": None, "password": None, "context": None},
}
PROJECT = {
    "id": 1,
    "title": "Topics",
    "label_config": "<View/>",
    "token": "secret-token",
    "task_data_password": "secret-password",
}
ANNOTATION = {
    "id": 5,
    "result": [{"from_name": "label", "value": {"choices": ["sport"]}}],
    "was_cancelled": False,
    "ground_truth": False,
    "completed_by": 1,
    "lead_time": 2.0,
    "prediction": {"id": 3, "model_version": "v0001", "result": [], "score": 0.1},
}
EVENTS: dict[str, dict[str, Any]] = {
    "created": {
        "action": "ANNOTATION_CREATED",
        "annotation": ANNOTATION,
        "task": TASK,
        "project": PROJECT,
    },
    "updated": {
        "action": "ANNOTATION_UPDATED",
        "annotation": {**ANNOTATION, "prediction": {}},
        "task": TASK,
        "project": PROJECT,
    },
    "several": {
        "action": "ANNOTATIONS_CREATED",
        "annotation": [ANNOTATION, {**ANNOTATION, "id": 6}],
        "task": [TASK, {**TASK, "id": 2}],
        "project": PROJECT,
    },
    "deleted": {
        "action": "ANNOTATIONS_DELETED",
        "annotations": [{"id": 5}, {"id": 6}],
        "project": PROJECT,
    },
    "tasks": {"action": "TASKS_CREATED", "tasks": [TASK], "project": PROJECT},
    "tasks deleted": {"action": "TASKS_DELETED", "tasks": [{"id": 1}], "project": PROJECT},
    "project": {"action": "PROJECT_UPDATED", "project": PROJECT},
    "train": {"action": "START_TRAINING", "project": PROJECT},
}


# In -----------------------------------------------------------------------------------------


def test_setup() -> None:
    """`schema` is the interface, the project key holds the id, the legacy token is dropped."""
    request = SetupRequest.model_validate(SETUP)
    assert request.project_id == 1
    assert request.label_config == SETUP["schema"]
    assert request.extra_params == {"language_field": "lang"}
    assert "0123456789abcdef" not in repr(request)


@pytest.mark.parametrize("extra", [None, "", "{}", {"a": 1}, [1]])
def test_setup_takes_any_extra_params(extra: object) -> None:
    """Whatever is stored as options arrives; judging it is for `ProjectOptions`."""
    assert SetupRequest.model_validate({**SETUP, "extra_params": extra}).extra_params == extra


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("1.1795330494", 1),
        ("42", 42),
        (42, 42),
        (1.1795330494, 1),
        (None, None),
        ("", None),
        ("abc.1", None),
        ("-1.5", None),
        ("٣.1", None),
        ("9" * 40, None),
    ],
    ids=repr,
)
def test_project_key(key: object, expected: int | None) -> None:
    """Only the number before the dot is an id; anything else is none, never an error."""
    assert project_id_of(key) == expected


def test_predict() -> None:
    """Tasks come in their order, with what is needed of them."""
    request = PredictRequest.model_validate(PREDICT)
    assert [task.as_task() for task in request.tasks] == [
        {"id": 1, "data": {"text": "t1", "lang": "sw"}},
        {"id": 2, "data": {"text": "t1", "lang": "sw"}},
    ]
    assert request.project_id == 1
    assert request.params.context is None


def test_interactive_predict_has_a_context() -> None:
    """What the annotator has done so far comes along."""
    params = {"context": {"result": []}}
    request = PredictRequest.model_validate({**PREDICT, "params": params})
    assert request.params.context == {"result": []}


@pytest.mark.parametrize(
    "body",
    [
        {"tasks": []},
        {"tasks": [{}]},
        {"tasks": [{"data": None}], "params": None, "project": None, "label_config": None},
        {"tasks": [{"id": "x", "data": {"text": 3}}], "unheard_of": 1},
    ],
)
def test_predict_tolerates(body: dict[str, Any]) -> None:
    """What is missing or unknown is no reason to give no answer."""
    assert len(PredictRequest.model_validate(body).tasks) == len(body["tasks"])


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (PredictRequest, {}),
        (PredictRequest, {"tasks": "all"}),
        (PredictRequest, {"tasks": [3]}),
        (PredictRequest, {"tasks": [{"data": "text"}]}),
        (PredictRequest, {"tasks": [{}] * (wire.MAX_TASKS + 1)}),
        (PredictRequest, {"tasks": [], "label_config": "x" * 2_000_000}),
        (SetupRequest, {"schema": "<View/>"}),
        (SetupRequest, {**SETUP, "schema": "x" * 2_000_000}),
        (SetupRequest, {**SETUP, "project": "1" * 5000}),
        (WebhookEvent, {}),
        (WebhookEvent, {"action": None}),
        (WebhookEvent, {"action": "x" * 1000}),
        (WebhookEvent, {"action": "PROJECT_UPDATED", "project": {"id": "one"}}),
        (WebhookEvent, {"action": "ANNOTATION_CREATED", "annotation": "x"}),
    ],
    ids=lambda value: repr(value)[:60],
)
def test_refused(model: type[BaseModel], body: dict[str, Any]) -> None:
    """What has the wrong shape, or is out of all bounds, is refused."""
    with pytest.raises(ValidationError):
        model.model_validate(body)


@pytest.mark.parametrize("body", EVENTS.values(), ids=list(EVENTS))
def test_events(body: dict[str, Any]) -> None:
    """Every event of Label Studio is understood, and none brings its secrets in."""
    event = WebhookEvent.model_validate(copy.deepcopy(body))
    assert event.action == body["action"]
    assert event.project_id == 1
    assert "secret" not in repr(event)


@pytest.mark.parametrize(
    ("name", "annotations", "tasks"),
    [
        ("created", [5], [1]),
        ("several", [5, 6], [1, 2]),
        ("deleted", [5, 6], []),
        ("tasks", [], [1]),
        ("train", [], []),
    ],
)
def test_singular_and_plural(name: str, annotations: list[int], tasks: list[int]) -> None:
    """One or several, under whichever key: annotations and tasks are lists."""
    event = WebhookEvent.model_validate(EVENTS[name])
    assert [annotation.id for annotation in event.all_annotations] == annotations
    assert [task.id for task in event.all_tasks] == tasks


def test_prediction_at_submit() -> None:
    """The prediction that the annotator saw comes along; an empty one is none."""
    created = WebhookEvent.model_validate(EVENTS["created"]).all_annotations[0]
    assert created.prediction is not None
    assert created.prediction.model_version == "v0001"
    assert WebhookEvent.model_validate(EVENTS["updated"]).all_annotations[0].prediction is None


def test_train_order_without_annotation() -> None:
    """START_TRAINING names the project and nothing else."""
    event = WebhookEvent.model_validate({"action": "START_TRAINING", "project": {"id": 3}})
    assert event.project_id == 3
    assert event.action in wire.TRAIN_EVENTS


def test_webhook_asks_for_what_concerns_us() -> None:
    """All label, task and project events, with the plural that Label Studio really sends."""
    assert "ANNOTATIONS_DELETED" in wire.WEBHOOK_ACTIONS
    assert "ANNOTATION_DELETED" not in wire.WEBHOOK_ACTIONS
    known = wire.LABEL_EVENTS | wire.TASK_EVENTS | wire.PROJECT_EVENTS
    assert set(wire.WEBHOOK_ACTIONS) == known


# Out ----------------------------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), max_size=20))
def test_as_many_results_as_tasks(scores: list[float]) -> None:
    """The answer holds the results in their order, each with score, version and a list."""
    answer = PredictAnswer(results=[WireResult(score=score, model_version="v") for score in scores])
    body = answer.model_dump()
    assert [result["score"] for result in body["results"]] == scores
    assert all(result["result"] == [] for result in body["results"])


@pytest.mark.parametrize("score", [-0.1, 1.5, float("nan"), float("inf")])
def test_scores_out_of_range_never_leave(score: float) -> None:
    """One bad score would stop the label stream of a strict Label Studio."""
    with pytest.raises(ValidationError):
        WireResult(score=score)
