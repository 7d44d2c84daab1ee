"""Predictions that Label Studio's bulk import leaves out without a word."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.stubserver import Answer, Request, serving
from tests.xlt_backend.labelstudio.test_http import ACCESS, PERSONAL
from xlt_backend.errors import PublishError
from xlt_backend.labelstudio.client import Client, Published
from xlt_backend.labelstudio.convert import PublishRow


class Studio:
    """A Label Studio of five tasks, whose bulk import stores what `keeps` accepts."""

    def __init__(self, keeps: Callable[[dict], bool]) -> None:
        self.keeps = keeps
        self.stored: dict[int, dict] = {}
        self.alone: list[int] = []
        self.refuses: set[int] = set()

    def answer(self, request: Request) -> Answer:
        """What Label Studio answers."""
        path = request.path.split("?")[0]
        if path == "/api/token/refresh/":
            return 200, {"access": ACCESS}
        if path == "/api/projects/7/import/predictions":
            kept = [item for item in request.body if self.keeps(item)]
            self.stored |= {item["task"]: item for item in kept}
            return 201, {"created": len(kept)}
        if path == "/api/predictions/":
            if request.body["task"] in self.refuses:
                return 400, {"detail": "no"}
            self.alone.append(request.body["task"])
            self.stored[request.body["task"]] = request.body
            return 201, {"id": 1}
        if path == "/api/projects/7/model-versions/":
            return 200, {"v1": len(self.stored)}
        rows = [
            {"id": n, "predictions": [self.stored[n]] if n in self.stored else []}
            for n in range(1, 6)
        ]
        return 200, {"tasks": rows}

    def publish(self, rows: list[PublishRow]) -> Published:
        """Publishes rows of version v1."""
        with serving(self.answer) as stub, closing(Client(stub.url, PERSONAL)) as client:
            return client.publish(7, "v1", rows)


def row(task: int, label: str = "a") -> PublishRow:
    """A prediction; the lowest number has the highest score."""
    value = {"choices": [label]}
    return PublishRow(task_id=task, score=1 - task / 10, answer=label, result=[{"value": value}])


def good(item: dict) -> bool:
    """What the bulk import keeps."""
    return "odd" not in json.dumps(item)


ROWS = [row(1), row(2, "odd"), row(3, "odd"), row(4), row(5, "odd")]


def test_all_that_bulk_import_leaves_out_is_sent_alone() -> None:
    """By task, those that come first in the queue first; nothing is sent twice."""
    studio = Studio(good)

    assert studio.publish(ROWS) == Published(stored=5, singly=(5, 3, 2))
    assert studio.alone == [5, 3, 2]
    assert {n: item["result"] for n, item in studio.stored.items()} == {
        row.task_id: row.result for row in ROWS
    }


def test_the_number_that_is_sent_alone_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others have their place in the queue, and no suggestion."""
    monkeypatch.setattr("xlt_backend.labelstudio.client.SINGLY", 2)
    studio = Studio(good)

    assert studio.publish(ROWS) == Published(stored=5, singly=(5, 3), bare=(2,))
    assert studio.stored[2]["result"] == []
    assert {n: item["score"] for n, item in studio.stored.items()} == {
        row.task_id: row.score for row in ROWS
    }


def test_one_that_is_refused_alone_keeps_its_place() -> None:
    """A refusal does not hold back the others."""
    studio = Studio(good)
    studio.refuses = {3}

    assert studio.publish(ROWS) == Published(stored=5, singly=(5, 2), bare=(3,))


def test_nothing_left_out_needs_no_second_look() -> None:
    """One import and two counts."""
    studio = Studio(lambda item: True)

    assert studio.publish(ROWS) == Published(stored=5)
    assert studio.alone == []


def test_what_cannot_be_stored_in_any_way_is_an_error() -> None:
    """It names the tasks; the project goes on showing the version before."""
    studio = Studio(lambda item: item["task"] not in (2, 4))
    studio.refuses = {2, 4}

    with pytest.raises(PublishError, match=r"stored 3 of 5 .* missing for tasks \[2, 4\]"):
        studio.publish(ROWS)


def test_tasks_that_were_deleted_meanwhile_are_no_fault() -> None:
    """They are not among the stored ones."""
    studio = Studio(lambda item: item["task"] < 6)

    assert studio.publish([*ROWS[:1], row(8)]) == Published(stored=1)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1])
def test_score_that_label_studio_would_drop_or_store_as_nothing(score: float) -> None:
    """It is refused here: none is null, none outside [0, 1]."""
    with pytest.raises(ValueError, match=r"task 3: score must be in \[0, 1\]"):
        PublishRow(task_id=3, score=score)
