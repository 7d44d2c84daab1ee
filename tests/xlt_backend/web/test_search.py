"""GET /search and page *Search*: waiting tasks by a query or a task, and nothing unsafe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.fakes import LABELS, scores_of
from tests.xlt_backend.service.test_registry import FakeModel, Loader
from tests.xlt_backend.web.server import make_parts
from xlt.search.terms import MOST_WORDS
from xlt.tasks.outputs import Scores
from xlt_backend.errors import NotFoundError
from xlt_backend.trainer import scorecache
from xlt_backend.web.app import create_app

BROWSER = {"Accept": "text/html"}


class Reader(FakeModel):
    """A model whose vector of a query is that of its first word."""

    def score(self, examples):
        """Vectors as the worker keeps them."""
        return scores_of([f"{example.text} 0" for example in examples], LABELS, 1.0, 9.0)


@pytest.fixture
def client(world, monkeypatch) -> TestClient:
    """The server of a project with a model whose vectors tell topics apart."""
    world.trainer.telling = 9.0
    world.setup()
    world.trained()
    tasks = world.label_studio.stored

    def fetch(project: str, task: str):
        if int(task) not in tasks:
            raise NotFoundError(f"project {project} has no task {task}")
        return tasks[int(task)]

    class Loads(Loader):
        def __call__(self, folder):
            return Reader(folder)

    parts = make_parts(world.redis, world.store, Loads(), fetch, world.home / "work")
    app = create_app(replace(parts, basic_auth=("ada", "secret")))
    client = TestClient(app, raise_server_exceptions=False)
    client.auth = ("ada", "secret")
    return client


def found(client: TestClient, **query) -> list[dict]:
    """The tasks that are found."""
    answer = client.get("/search", params={"project": "1", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["tasks"]


def test_the_order_is_that_of_cosines_about_centres(world, client):
    """As numpy gives it for all waiting tasks, by hand."""
    kept = scorecache.load(
        world.home / "work" / world.label_studio.info.key / scorecache.file_of(world.shown)
    )
    tasks = found(client, q=LABELS[0], limit=50)
    waiting = {n for n, task in world.label_studio.stored.items() if not task["is_labeled"]}

    assert {int(task["id"]) for task in tasks} <= waiting
    similarities = [task["similarity"] for task in tasks]
    assert similarities == sorted(similarities, reverse=True)
    assert isinstance(kept.scores, Scores)
    query = scores_of([f"{LABELS[0]} 0"], LABELS, 1.0, 9.0).vectors[0].astype(np.float64)
    vectors, langs = kept.scores.vectors.astype(np.float64), kept.langs
    overall = vectors.mean(axis=0)
    rows = {name: row for row, name in enumerate(kept.tasks.tolist())}
    for task in tasks:
        own = vectors[langs == task["lang"]]
        centre = (own.sum(axis=0) + 10 * overall) / (len(own) + 10)
        a, b = vectors[rows[task["id"]]] - centre, query - overall
        cosine = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
        assert task["similarity"] == pytest.approx(cosine, abs=2e-3)
        assert task["texts"] == [world.label_studio.stored[int(task["id"])]["data"]["text"]]


def test_tasks_like_a_task_are_other_ones(world, client):
    """Labelled tasks may be named, but only waiting ones are found; a language narrows."""
    labelled = next(n for n, task in world.label_studio.stored.items() if task["is_labeled"])
    tasks = found(client, like=str(labelled))
    lang = tasks[0]["lang"]

    assert len(tasks) == 20
    assert str(labelled) not in [task["id"] for task in tasks]
    assert {task["lang"] for task in found(client, like=str(labelled), lang=lang)} == {lang}


@pytest.mark.parametrize(
    ("query", "status", "message"),
    [
        ({}, 400, "expected a query with a word, or a task"),
        ({"q": " "}, 400, "expected a query with a word, or a task"),
        ({"q": "?!"}, 400, "the query has 0 words"),
        ({"q": "a", "like": "7"}, 400, "and not both"),
        ({"q": "a " * (MOST_WORDS + 1)}, 400, "513 words"),
        ({"q": "a" * 20_001}, 400, "20001 characters"),
        ({"q": "a", "lang": "zul"}, 400, "no waiting task is in 'zul'; tasks are in "),
        ({"q": "a", "limit": "0"}, 400, "limit must be 1 to 50, got 0"),
        ({"q": "a", "limit": "x"}, 400, "limit"),
        ({"like": "999999"}, 404, "no text of task 999999"),
        ({"q": "a", "project": "9"}, 404, "unknown project 9"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_in_a_line(client, query, status, message):
    """Whatever the query."""
    answer = client.get("/search", params={"project": "1"} | query)

    assert answer.status_code == status
    assert message in answer.text
    assert "Traceback" not in answer.text


def test_the_password_is_asked_for(client):
    """As for all routes of people."""
    client.auth = None
    assert client.get("/search", params={"project": "1", "q": "a"}).status_code == 401


def test_before_the_first_model_a_line_says_so(world):
    """Nothing can read the query."""
    world.label_studio.add_tasks(20)
    world.setup()
    world.round()
    client = TestClient(create_app(make_parts(world.redis, world.store, Loader())))

    answer = client.get("/search", params={"project": "1", "q": "a"})
    assert answer.status_code == 400
    assert "no model yet" in answer.text


def test_the_page_leads_from_a_query_to_the_head_of_the_queue(client):
    """Results can be ticked; the page that asks names them; markup in a query stays text."""
    page = client.get(f"/projects/1/search?q={LABELS[0]}", headers=BROWSER).text
    first = found(client, q=LABELS[0])[0]

    assert f'name="task.{first["id"]}"' in page
    assert f'/projects/1/search?like={first["id"]}"' in page
    asked = client.get(f"/projects/1/ask/first?task.{first['id']}=on", headers=BROWSER).text
    assert f">{first['id']}<" in asked
    unsafe = client.get("/projects/1/search?q=%3Cscript%3E%3F", headers=BROWSER).text
    assert "<script>?" not in unsafe
    empty = client.get("/projects/1/search", headers=BROWSER)
    assert empty.status_code == 200
    assert "ask/first" not in empty.text
