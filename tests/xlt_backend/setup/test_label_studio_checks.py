"""Checks of Label Studio and of a project in it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.builders import CHOICES
from tests.stubserver import serving
from xlt_backend.demo.studio import free_port
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, ProjectInfo
from xlt_backend.labelstudio.interface import template
from xlt_backend.options import ProjectOptions
from xlt_backend.queue.state import ProjectState
from xlt_backend.setup import label_studio_checks
from xlt_backend.setup.checks import Status


def project(**fields: object) -> ProjectInfo:
    """A project as it should be."""
    facts = {
        "id": 3,
        "created_at": "2026-11-22T08:40:02Z",
        "title": "Topics",
        "label_config": CHOICES,
        "model_version": "v2",
        "sampling": UNCERTAINTY_SAMPLING,
        "task_number": 3,
        "maximum_annotations": 1,
    }
    return ProjectInfo.from_json(facts | fields)


class Scores:
    """Predictions that Label Studio has."""

    def __init__(self, scores: Mapping[int, float], versions: Mapping[str, int]) -> None:
        self._scores = scores
        self._versions = versions

    def versions(self, project_id: int) -> Mapping[str, int]:
        """All versions."""
        return self._versions

    def scores(self, project_id: int, version: str) -> Mapping[int, float]:
        """Those of the project's version."""
        return self._scores


GOOD = Scores({1: 0.2, 2: 0.5, 3: 0.8}, {"v1": 3, "v2": 3})


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, {"status": "UP"}, Status.OK),
        (200, {"hello": "world"}, Status.FAIL),
        (200, "<html>", Status.FAIL),
        (502, {"status": "UP"}, Status.FAIL),
    ],
    ids=["ours", "another", "a page", "a proxy"],
)
def test_health(status: int, body: object, expected: Status) -> None:
    """Only our own answer counts as our server."""
    with serving(lambda _: (status, body)) as stub:
        assert label_studio_checks.check_health(stub.url).status is expected


def test_health_of_nobody() -> None:
    """Nobody there is a failure with what to start."""
    found = label_studio_checks.check_health(f"http://localhost:{free_port()}")
    assert found.status is Status.FAIL
    assert "xlt up" in found.fix


def test_interface() -> None:
    """What is learned is told; what cannot be learned is a failure."""
    good = label_studio_checks.check_interface(project())
    assert (good.status, "health, sport, travel" in good.detail) == (Status.OK, True)
    assert "text from $text" in good.detail
    assert label_studio_checks.check_interface(project(label_config="<View/>")).fix


def test_interface_about_two_texts() -> None:
    """Both keys are told, and which text is read though the control does not name it."""
    config = template("single_label", ("yes", "no"), ("premise", "hypothesis"))
    both = label_studio_checks.check_interface(project(label_config=config))
    assert both.status is Status.OK
    assert "texts from $premise, $hypothesis; read too: <Text name='premise'" in both.detail
    alone = ProjectOptions(texts=("hypothesis",))
    one = label_studio_checks.check_interface(project(label_config=config), alone)
    assert "text from $hypothesis; not read: <Text name='premise'" in one.detail


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, Status.OK),
        ({"sampling": "Sequential sampling"}, Status.FAIL),
        ({"maximum_annotations": 2}, Status.WARN),
    ],
    ids=["ours", "another", "overlap"],
)
def test_sampling(fields: dict[str, object], status: Status) -> None:
    """Another order is a failure; overlap, which mixes in another, a warning."""
    assert label_studio_checks.check_sampling(project(**fields)).status is status


@pytest.mark.parametrize(
    ("shown", "versions", "status"),
    [
        ("v2", {"v2": 3}, Status.OK),
        ("xlt", {}, Status.WARN),
        ("xlt", {"v2": 3}, Status.FAIL),
        ("", {"v2": 3}, Status.FAIL),
    ],
    ids=["matches", "nothing yet", "title", "empty"],
)
def test_model_version(shown: str, versions: dict[str, int], status: Status) -> None:
    """A model version without predictions means random order."""
    found = label_studio_checks.check_model_version(
        project(model_version=shown), Scores({}, versions)
    )
    assert found.status is status


def test_order() -> None:
    """Ties are told; the next task must be one that has a place."""
    check = label_studio_checks.check_order
    assert check(project(), GOOD).status is Status.OK
    assert check(project(model_version="v3"), GOOD).status is Status.WARN
    assert check(project(), Scores({1: 0.5, 2: 0.5}, {"v2": 2})).status is Status.WARN
    assert check(project(), GOOD, lambda _: {"id": 1}).status is Status.OK
    assert check(project(), GOOD, lambda _: {"id": 9}).status is Status.FAIL
    assert check(project(), GOOD, lambda _: None).status is Status.OK


def test_answers_that_are_not_used_are_a_warning():
    """With reason, number and tasks; skips are none, and a healthy project is fine."""
    healthy = ProjectState(labels={"en": 5}, audit_labels={"en": 2}, unused=SKIPS)
    assert label_studio_checks.check_answers(project(), healthy).status is Status.OK
    lost = SKIPS | {"unknown label 'art'": {"answers": 24, "tasks": ["3", "4", "5", "6"]}}
    found = label_studio_checks.check_answers(project(), ProjectState(unused=lost))
    assert found.status is Status.WARN
    assert found.detail == "24 answers are not used: unknown label 'art' (24; tasks 3, 4, 5 …)"


SKIPS = {"skipped": {"answers": 3, "tasks": ["1", "2"]}}


def test_changes_of_labels_are_told():
    """Also that labels are of other texts now; that is no fault."""
    changes = {"replaced": {"labels": 2, "tasks": ["3", "4"]}}
    before = label_studio_checks.check_answers(project(), ProjectState(changes=changes))
    assert before.detail == "0 are used"
    state = ProjectState(changes=changes, model="v1")
    found = label_studio_checks.check_answers(project(), state)
    assert found.status is Status.OK
    assert "2 labels of other texts than before under the same ids" in found.detail


def test_suggestions_that_are_not_shown_are_a_warning():
    """With their number and tasks; those that were sent one by one are none."""
    check = label_studio_checks.check_suggestions
    assert check(ProjectState()).status is Status.OK
    singly = ProjectState(left_out={"singly": 4, "bare": 0, "tasks": []})
    assert (check(singly).status, "4 were sent one by one" in check(singly).detail) == (
        Status.OK,
        True,
    )
    bare = check(ProjectState(left_out={"singly": 0, "bare": 1, "tasks": ["8"]}))
    assert (bare.status, "1 are not shown (task 8)" in bare.detail) == (Status.WARN, True)
