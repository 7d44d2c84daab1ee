"""Page of a task: text, reasons, labelled texts like it, and what is not known."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.xlt_backend.page.html import Page
from tests.xlt_backend.service.test_registry import promote
from tests.xlt_backend.web.server import make_parts
from tests.xlt_backend.web.test_app import KEY, SETUP
from tests.xlt_backend.web.test_explain import WordCounter
from xlt.data.examples import Example
from xlt.store.versions import Store
from xlt.tasks.outputs import Outputs, Scores
from xlt_backend.errors import NotFoundError
from xlt_backend.page.task import pieces_of
from xlt_backend.queue.state import StateStore
from xlt_backend.rounds.known import EXAMPLES
from xlt_backend.service.explain import Explainer
from xlt_backend.service.nearest import Near, Nearest
from xlt_backend.trainer import scorecache
from xlt_backend.trainer.folder import write_json
from xlt_backend.web.app import create_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
TEXTS = {"7": "music at <b>sport</b> sport night", "8": "food here", "9": ""}
NEAR = (
    Near(task="8", lang="hau", answer="food", similarity=0.81),
    Near(task="5", lang="ar", answer="sport", similarity=0.2),
)


def fetch(project: str, task: str) -> dict:
    """Label Studio with three tasks."""
    if task not in TEXTS:
        raise NotFoundError(f"project {project} has no task {task}")
    return {"id": int(task), "project": 1, "data": {"text": TEXTS[task], "lang": "hau"}}


@pytest.fixture
def store(tmp_path) -> Store:
    """The store."""
    return Store(tmp_path / "models")


@pytest.fixture
def browser(redis, store):
    """A browser at a server whose model counts words."""
    gate = threading.Event()
    gate.set()
    parts = make_parts(redis, store, lambda _: WordCounter(gate), fetch)
    explainer = Explainer(
        parts.service.state, parts.inference, fetch, near=lambda key, version, task: NEAR
    )
    app = create_app(replace(parts, explainer=explainer))
    with TestClient(app, headers=BROWSER, raise_server_exceptions=False) as found:
        assert found.post("/setup", json=SETUP).status_code == 200
        StateStore(redis).explain(
            "1",
            {
                "7": {
                    "place": 3,
                    "of": 40,
                    "lang": "hau",
                    "slot": "quota",
                    "uncertainty": 0.42,
                    "reason": "covers 2.1 %",
                }
            },
            replace=True,
        )
        yield found


def test_the_reasons_are_those_of_explain(browser, store):
    """The page shows what /explain says, with the text as text."""
    version = promote(store, KEY)
    found = browser.get("/explain?project=1&task=7", headers={"Accept": "*/*"}).json()
    page = Page(browser.get("/projects/1/tasks/7").text)

    assert page.faults == []
    assert "<b>" in page.text
    assert f"{100 * found['probability']:.1f}" in page.text
    assert version in page.text
    [text] = [a for a in page.all("p") if a.get("class") == "text"]
    assert text == {"class": "text", "lang": "ha", "dir": "auto"}
    strongest = max(found["words"], key=lambda word: word["score"])
    assert strongest["text"] in page.text
    assert all(word["text"] in page.text for word in found["change"]["words"])


def test_labelled_texts_like_it_come_with_their_labels(browser, store):
    """In any language; of one that Label Studio no longer has, the label is left."""
    promote(store, KEY)
    page = Page(browser.get("/projects/1/tasks/7").text)

    assert "food here food" in page.text
    assert "0.81" in page.text
    assert "http://localhost:8080/projects/1/data?task=5" in page.addresses()
    assert "http://localhost:8080/projects/1/data?task=7" in page.addresses()


def test_why_the_task_is_asked(browser, store):
    """Place, slot, uncertainty and reason, also before there is a model."""
    page = Page(browser.get("/projects/1/tasks/7").text)

    assert "3 of 40" in page.text
    assert "covers 2.1 %" in page.text
    assert "0.42" in page.text
    assert "no model" in page.text


@pytest.mark.parametrize("task", ["99", "x", "<b>"])
def test_an_unknown_task_is_named(browser, store, task):
    """One clear line; no traceback."""
    promote(store, KEY)
    answer = browser.get(f"/projects/1/tasks/{task}")

    assert answer.status_code == 404
    assert "has no task" in answer.text


def test_a_task_without_text_says_why(browser, store):
    """And shows the rest."""
    promote(store, KEY)
    assert "is empty" in Page(browser.get("/projects/1/tasks/9").text).text


@pytest.mark.parametrize("most", [0.0, 2.0])
def test_pieces_joined_are_the_text(most):
    """Nothing is lost between words; the strongest is drawn strongest."""
    text = "  ab, cd. "
    words = [{"start": 2, "end": 4, "score": 2.0}, {"start": 6, "end": 8, "score": -0.9}]
    found = list(pieces_of(text, words, most))

    assert "".join(piece.text for piece in found) == text
    kinds = [piece.kind for piece in found if piece.kind]
    assert kinds == (["for3", "against2"] if most else [])


# Nearest tasks ----------------------------------------------------------------------------------


def kept(work, name: str, version: str, vectors: np.ndarray, langs: list[str]) -> None:
    """Writes the scores of tasks 1 to N."""
    examples = [
        Example(id=str(n), texts=(f"text {n}",), lang=lang) for n, lang in enumerate(langs, 1)
    ]
    scores = Scores(outputs=Outputs(np.zeros((len(langs), 3), np.float32)), vectors=vectors)
    scorecache.save(
        work / name / scorecache.file_of(version), scorecache.EMPTY.with_scores(examples, scores)
    )


def test_the_nearest_are_found_across_languages(store, tmp_path):
    """About the centre of its language a text is nearest to its translation; audit is left out."""
    version = promote(store, KEY)
    project = store.project(KEY)
    labels = {str(n): {"answer": f"a{n}", "digest": "d", "audit": n == 2} for n in range(1, 41)}
    write_json(project.open(version) / EXAMPLES, labels)
    meaning = np.random.default_rng(3).normal(size=(20, 40))
    vectors = np.concatenate([meaning, meaning + 1, meaning[4:5] + 1.01]).astype(np.float32)
    kept(tmp_path, project.name, version, vectors, ["en"] * 20 + ["hau"] * 21)
    found = Nearest(tmp_path).of(project, version, "41")

    assert [near.task for near in found[:2]] == ["25", "5"]
    assert found[0].answer == "a25"
    assert len(found) == 5
    alike = Nearest(tmp_path).of(project, version, "22")
    assert "2" not in {near.task for near in alike}
    assert "22" not in {near.task for near in alike}


def test_without_vectors_there_is_nothing(store, tmp_path):
    """On another machine than the worker's, or for a task that no round has read."""
    version = promote(store, KEY)
    project = store.project(KEY)
    assert Nearest(None).of(project, version, "1") == []
    assert Nearest(tmp_path).of(project, version, "1") == []
