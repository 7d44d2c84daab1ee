"""The web server classifies without torch, and says what runs a version and why."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.fakes import CONFIG
from xlt.config import TrainConfig
from xlt.data.examples import Example
from xlt.models import export as exporting
from xlt.models.export import export_model
from xlt.models.parity import Parity
from xlt.models.predictor import Predictor
from xlt.store.versions import Store, VersionMeta
from xlt.tasks.pairwise.task import Pairwise
from xlt.tasks.single_label.task import SingleLabel
from xlt.tasks.task import AnyTask
from xlt.training.train import train
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.run.web import Models, build
from xlt_backend.settings import Settings
from xlt_backend.web.app import create_app

KEY = "1.1795330494"
TASK = SingleLabel(labels=("sport", "music", "food"))
SETUP = {"project": KEY, "schema": CONFIG, "hostname": "http://localhost:8080"}

#: Answers /predict like the web server, and lists what it has imported.
_SERVE = """
import json, sys
from pathlib import Path
from redis import Redis
from fastapi.testclient import TestClient
from xlt.store.versions import Store
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.run.web import build
from xlt_backend.settings import Settings
from xlt_backend.web.app import create_app

socket, models, body = sys.argv[1:]
redis = Redis(unix_socket_path=socket)
settings = Settings(model_dir=models, webhook_secret="s3cret")
parts = build(settings, StateStore(redis), TrainQueue(redis), Store(models))
client = TestClient(create_app(parts))
answer = client.post("/predict", json=json.loads(body)).json()
heavy = sorted({"torch", "transformers", "sklearn", "pandas"} & set(sys.modules))
print(json.dumps({"answer": answer, "imported": heavy}))
"""


def promote(store: Store, folder: Path, task: AnyTask, encoder: Path, **changed: object) -> Path:
    """Trains a frozen model and makes it the active version; returns its folder."""
    texts = [(f"ball team goal {i}", f"song band {i}")[: changed.get("texts", 1)] for i in range(6)]
    labelled = [
        Example(id=str(i), texts=text, lang="en", answer=task.labels[i % len(task.labels)])
        for i, text in enumerate(texts)
    ]
    config = TrainConfig(encoder=str(encoder), learner="frozen", precision="fp32")
    train(labelled, [], task, config, folder)
    if changed.get("exported", True):
        export_model(folder, labelled, Predictor.load(folder).score(labelled))
    versions = store.project(KEY)
    version = versions.commit(folder, VersionMeta(data_hash=""))
    versions.promote(version, "for the test")
    return versions.open(version)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "models")


@pytest.fixture
def alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every export answers as its model: tiny ones are unsure of all texts."""
    parity = Parity(texts=9, changed=0.0, failing=(), cosine=1.0, least_cosine=1.0)
    monkeypatch.setattr(exporting, "compare", lambda *given: parity)


def test_predict_imports_no_torch(redis, redis_socket, store, tmp_path, tiny_encoder, alike):
    """Nor transformers, nor what scikit-learn brings; in a process of its own."""
    folder = promote(store, tmp_path / "model", TASK, tiny_encoder)
    tasks = [{"id": 1, "data": {"text": "ball team goal", "lang": "en"}}]
    body = {"tasks": tasks, "project": KEY, "label_config": CONFIG}

    done = subprocess.run(
        [sys.executable, "-c", _SERVE, redis_socket, str(tmp_path / "models"), json.dumps(body)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])

    assert found["imported"] == []
    assert found["answer"]["model_version"] == folder.name
    (result,) = found["answer"]["results"]
    assert result["result"][0]["value"]["choices"][0] in TASK.labels


@pytest.mark.parametrize(
    ("exported", "runtime", "reason"),
    [(True, "int8", "int8: 100.0% the same"), (False, "torch", "saved without an export")],
)
def test_status_says_what_runs_the_version(
    redis, store, tmp_path, tiny_encoder, alike, exported, runtime, reason
):
    """Once it is loaded; before that nothing does."""
    folder = promote(store, tmp_path / "model", TASK, tiny_encoder, exported=exported)
    settings = Settings(model_dir=str(tmp_path / "models"), webhook_secret="s3cret")
    parts = build(settings, StateStore(redis), TrainQueue(redis), store)
    client = TestClient(create_app(parts))
    client.post("/setup", json=SETUP)
    assert client.get("/status").json()["projects"]["1"]["served"] == {}
    body = {"tasks": [{"id": 1, "data": {"text": "goal"}}], "project": KEY, "label_config": CONFIG}
    client.post("/predict", json=body)

    served = client.get("/status").json()["projects"]["1"]["served"]

    assert (served["version"], served["runtime"]) == (folder.name, runtime)
    assert reason in served["reason"]


def test_a_model_that_reads_two_texts_is_loaded(store, tmp_path, tiny_encoder):
    """Its first two texts are made up, like the one of other models."""
    task = Pairwise(labels=("left", "right"))
    folder = promote(store, tmp_path / "model", task, tiny_encoder, texts=2, exported=False)

    assert Models().load(folder).texts == 2
