"""GET /explain: the words of one task, one at a time, in bounded time."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from fastapi.testclient import TestClient

from tests.fakes import LABELS
from tests.xlt_backend.service.test_registry import promote
from tests.xlt_backend.web.server import make_parts
from tests.xlt_backend.web.test_app import KEY, SETUP
from xlt.store.versions import Store
from xlt.tasks.calibration import Calibration
from xlt.tasks.outputs import Outputs, Scores
from xlt.tasks.predictions import interpret
from xlt.tasks.single_label.task import SingleLabel
from xlt_backend.errors import NotFoundError
from xlt_backend.service.explain import MOST_WORDS, Explainer
from xlt_backend.web.app import create_app

TEXTS = {"7": "sport en 1", "8": "", "9": "sport " * (MOST_WORDS + 1), "10": "a" * 20_001}


def fetch(project: str, task: str) -> dict:
    """Label Studio with three tasks."""
    if task not in TEXTS:
        raise NotFoundError(f"project {project} has no task {task}")
    return {"id": int(task), "project": 1, "data": {"text": TEXTS[task], "lang": "en"}}


class WordCounter:
    """Says the label whose name is most often in the text; waits at a gate."""

    def __init__(self, gate: threading.Event) -> None:
        self.task = SingleLabel(labels=LABELS)
        self._gate = gate

    def predict(self, examples):
        """Logits are counts."""
        assert self._gate.wait(10)
        counts = [[example.text.split().count(name) for name in LABELS] for example in examples]
        logits = np.array(counts, dtype=np.float32)
        scores = Scores(outputs=Outputs(logits), vectors=np.zeros((len(logits), 1), np.float32))
        return interpret(self.task, scores, ["en"] * len(examples), Calibration())


@pytest.fixture
def gate() -> threading.Event:
    """Open."""
    event = threading.Event()
    event.set()
    return event


@pytest.fixture
def store(tmp_path) -> Store:
    """An empty store."""
    return Store(tmp_path / "models")


@pytest.fixture
def client(redis, store, gate):
    """A server that knows the project."""
    app = create_app(make_parts(redis, store, lambda _: WordCounter(gate), fetch))
    with TestClient(app, raise_server_exceptions=False) as found:
        assert found.post("/setup", json=SETUP).status_code == 200
        yield found


def test_the_words_of_a_task_are_those_that_its_label_needs(client, store):
    """By the version that /predict answers with."""
    version = promote(store, KEY)
    answer = client.get("/explain", params={"project": "1", "task": "7"}).json()

    assert (answer["id"], answer["label"], answer["version"]) == ("7", "sport", version)
    assert [word["text"] for word in answer["words"]] == ["sport", "en", "1"]
    scores = [word["score"] for word in answer["words"]]
    assert scores[0] > 0 == scores[1] == scores[2]


@pytest.mark.parametrize(
    ("project", "task", "status", "message"),
    [
        ("1", "6", 404, "project 1 has no task 6"),
        ("1", "8", 400, "task 8 is not used"),
        ("1", "9", 400, f"task 9 has {MOST_WORDS + 1} words; at most {MOST_WORDS}"),
        ("1", "10", 400, "task 10 has 20001 characters; at most 20000"),
        ("2", "7", 404, "unknown project 2"),
    ],
)
def test_what_cannot_be_explained_is_said_in_a_line(client, store, project, task, status, message):
    """With the status that fits."""
    promote(store, KEY)
    answer = client.get("/explain", params={"project": project, "task": task})

    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_without_a_version_there_is_nothing_to_explain(client):
    """As for /predict, but said."""
    answer = client.get("/explain", params={"project": "1", "task": "7"})

    assert answer.status_code == 400
    assert "no model that knows its labels" in answer.json()["error"]


def test_one_task_is_explained_at_a_time(client, store, gate):
    """A second request is told to ask again; the first is answered."""
    promote(store, KEY)
    gate.clear()
    ask = lambda: client.get("/explain", params={"project": "1", "task": "7"})  # noqa: E731
    with ThreadPoolExecutor(2) as pool:
        each = [pool.submit(ask) for _ in range(2)]
        threading.Timer(0.5, gate.set).start()
        answers = [one.result(20) for one in each]

    assert sorted(one.status_code for one in answers) == [200, 503]
    busy = next(one for one in answers if one.status_code == 503)
    assert "ask again" in busy.json()["error"]


def test_an_explanation_ends_in_time(redis, store, gate):
    """Whatever the model does; and the next one is not told that it is busy."""
    parts = make_parts(redis, store, lambda _: WordCounter(gate), fetch)
    with TestClient(create_app(parts)) as client:
        client.post("/setup", json=SETUP)
    promote(store, KEY)
    explainer = Explainer(parts.service.state, parts.inference, fetch, limit_s=0.05)
    gate.clear()
    for _ in range(2):
        with pytest.raises(Exception, match="no time to answer"):
            explainer.explain("1", "7")
    gate.set()


def test_the_use_case_imports_no_torch():
    """The web server holds none, as long as no version needs it."""
    code = "import sys, xlt_backend.service.explain; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
