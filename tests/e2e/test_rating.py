"""Ratings on a real Label Studio: connect, rate, train, suggestions, the order served."""

from __future__ import annotations

import json
from contextlib import closing

import numpy as np

from tests.e2e import stack
from tests.e2e.stack import (
    OPTIONS,
    TOPICS,
    finished,
    first_model,
    next_model,
    ordered,
    shown,
    unused,
)
from xlt.data.jsonl import from_row
from xlt.tasks.kinds import KINDS
from xlt_backend.demo.studio import LabelStudioServer
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import template
from xlt_backend.setup.connect import connect


def rated_texts(count: int):
    """Texts in three languages with their ratings, 1 to 3."""
    rows = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    texts = [from_row(row) for row in rows if row["lang"] in ("eng", "hau", "som")]
    return KINDS["rating"].demonstrate(texts, np.random.default_rng(7))[:count]


def stars(rating: int):
    """An annotation as Label Studio's page writes it."""
    value = {"rating": rating}
    return [{"from_name": "label", "to_name": "text", "type": "rating", "value": value}]


def rated(client: Client, project: int, count: int) -> None:
    """Rates what Label Studio serves next: the first of the order that it shows."""
    for _ in range(count):
        version = shown(client, project)
        order = client.scores(project, version)
        task = client.next_task(project)
        assert task is not None
        waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
        if version == shown(client, project):
            assert task["id"] == min(waiting, key=order.__getitem__)
        client.annotate(task["id"], stars(task["data"]["right"]), lead_time=1.0)


def test_from_connecting_to_the_second_version(label_studio: LabelStudioServer, tmp_path) -> None:
    """Each open task shows a rating; what is no rating is counted, and nothing else is lost."""
    texts = rated_texts(90)
    with (
        stack.running(tmp_path, label_studio) as service,
        closing(Client(label_studio.url, label_studio.account.token)) as client,
    ):
        config = template("rating", ["3"])
        project = client.create_project("stars", config, show_collab_predictions=True).id
        data = [{"text": e.text, "lang": e.lang, "right": e.answer} for e in texts]
        client.import_tasks(project, [{"data": item} for item in data])
        options = OPTIONS.model_copy(update={"train": {"learner": "frozen"}})
        made = connect(client, service.settings, project_id=project, options=options)
        assert made.interface.task.labels == ("1", "2", "3")
        ordered(client, project)
        above, none = sorted(row["id"] for row in client.tasks(project))[:2]
        client.annotate(above, stars(5), lead_time=1.0)
        client.annotate(none, stars(0), lead_time=1.0)

        rated(client, project, 28)
        first = first_model(client, project)
        assert_ratings_are_shown(client, project, first)
        rated(client, project, 24)
        second = next_model(client, project, first)

        assert unused(finished(service, project)) == {
            "expected a number from 1 to 3 in steps of 1, got 5": [str(above)],
            "nothing chosen": [str(none)],
        }
        folder = service.store(project).open(second)
        assert json.loads((folder / "task.json").read_text())["kind"] == "rating"


def assert_ratings_are_shown(client: Client, project: int, version: str) -> None:
    """Every open task has one, with its confidence, and different texts have different ones."""
    given = []
    for row in client.pages(project, "id,is_labeled,predictions,result,score,model_version"):
        predictions = [p for p in row["predictions"] if p["model_version"] == version]
        if row["is_labeled"] or not predictions:
            continue
        [region] = predictions[0]["result"]
        assert region["type"] == "rating"
        assert 0 <= region["score"] <= 1
        given.append(region["value"]["rating"])
    assert len(given) >= 40
    assert set(given) <= {1, 2, 3}
    assert len(set(given)) > 1
