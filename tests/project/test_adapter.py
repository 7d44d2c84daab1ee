"""xlt as a model of label-studio-ml: its own server in a process, asked over HTTP.

PyPI's 1.0.9 is installed into a virtual environment of its own, which finds what xlt needs in
ours. The 2.x generation is not on PyPI: a stand-in calls the model as that one does.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from tests.fakes import CONFIG, LABELS
from xlt.store.versions import Store
from xlt_backend.demo.studio import free_port
from xlt_backend.labelstudio.wire import SECRET_HEADER
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.queue.state import StateStore
from xlt_backend.run.web import build
from xlt_backend.settings import Settings
from xlt_backend.web.app import create_app

CLONE = Path(__file__).parents[2]
VENV = CLONE / ".xlt" / "label-studio-ml"
STAND_IN = Path(__file__).parents[1] / "standins" / "label_studio_ml_2"
RELEASE = "label-studio-ml==1.0.9"

KEY = "1.1795330494"
SECRET = {SECRET_HEADER: "s3cret"}
TEXTS = {"sport": "the team won the match", "music": "good law of state", "food": "gasa wasan"}
SETUP = {
    "project": KEY,
    "schema": CONFIG,
    "hostname": "http://localhost:8080",
    "access_token": "legacy",
    "extra_params": {"retrain_after_labels": 1},
}

pytestmark = pytest.mark.timeout(900)


def run(*words: str) -> None:
    """Runs a command; what it said is in the error."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(words)}: {(done.stdout + done.stderr)[-800:]}")


@pytest.fixture(scope="session")
def their_python() -> Path:
    """The Python of an environment with label-studio-ml, made once."""
    # The mark names our environment too: a link into one that is gone would be of no use.
    ours = sysconfig.get_path("purelib")
    mark, python = VENV / "made", VENV / "bin" / "python"
    wanted = f"{RELEASE} {ours}"
    if mark.exists() and mark.read_text() == wanted:
        return python
    try:
        shutil.rmtree(VENV, ignore_errors=True)
        run(sys.executable, "-m", "venv", str(VENV))
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        run(*pip, RELEASE)
    except OSError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"label-studio-ml cannot be installed here: {error}")
    theirs = VENV / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    # Last in the path, so that its own Flask 1.1 and friends come first.
    (theirs / "zz_ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    mark.write_text(wanted)
    return python


@dataclass
class Place:
    """One store and one Redis, for their server and for ours."""

    home: Path
    redis_url: str
    version: str

    @property
    def env(self) -> dict[str, str]:
        """Settings of xlt."""
        return {
            "XLT_HOME": str(self.home),
            "REDIS_URL": self.redis_url,
            "XLT_WEBHOOK_SECRET": "s3cret",
        }


@pytest.fixture(scope="module")
def place(tmp_path_factory, redis_socket, tiny_encoder) -> Place:
    """A small real model that tells three texts apart is the active version of project 1."""
    home = tmp_path_factory.mktemp("adapter")
    store = Store(home / "models")
    return Place(
        home=home, redis_url=f"unix://{redis_socket}", version=make_version(store, tiny_encoder)
    )


def teach(head: Any, vectors: Any, targets: Any) -> None:
    """Fits a head to sentence vectors (N, H) by heart."""
    import torch

    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    states, mask = vectors[:, None], torch.ones(len(vectors), 1)
    for _ in range(200):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(head(states, mask), targets).backward()
        optimizer.step()


def make_version(store: Store, encoder_folder: Path) -> str:
    """Puts a head that knows `TEXTS` on a random encoder, and the whole in the store."""
    import torch

    from xlt.config import TrainConfig
    from xlt.data.examples import Example
    from xlt.encoder.encoder import embed, load_encoder
    from xlt.models.artifact import save_model
    from xlt.store.versions import VersionMeta
    from xlt.tasks.calibration import Calibration
    from xlt.tasks.heads import build_head
    from xlt.tasks.single_label.task import SingleLabel

    encoder, task = load_encoder(str(encoder_folder)), SingleLabel(labels=LABELS)
    head = build_head(task, encoder.width)
    examples = [
        Example(id=label, texts=(text,), lang="en", answer=label) for label, text in TEXTS.items()
    ]
    vectors = torch.from_numpy(embed([e.text for e in examples], encoder=str(encoder_folder)))
    teach(head, vectors, head.targets(examples))
    versions = store.project(KEY)
    with versions.stage() as stage:
        config = TrainConfig(encoder=str(encoder_folder), max_length=32)
        save_model(stage / "model", encoder, head, task=task, config=config, losses=[])
        for path in (stage / "model").iterdir():
            path.rename(stage / path.name)
        (stage / "model").rmdir()
        Calibration().save(stage)
        version = versions.commit(stage, VersionMeta(details={"labels": list(LABELS)}))
    versions.promote(version, "a test")
    return version


@contextlib.contextmanager
def serving(command: list[str], env: dict[str, str], log: Path) -> Iterator[httpx.Client]:
    """A client of a server that is started here and ended here, with all it started."""
    port = free_port()
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=CLONE,
            env={**os.environ, **env},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            wait_for(client, process, log)
            yield client
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(client: httpx.Client, process: subprocess.Popen, log: Path) -> None:
    """Returns as soon as the server answers."""
    deadline = time.monotonic() + 180
    while True:
        with contextlib.suppress(httpx.TransportError):
            client.get("/health")
            return
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)


def command_of(generation: str, python: Path) -> tuple[list[str], dict[str, str]]:
    """How a generation starts our folder, and the environment it wants."""
    path = {"PATH": f"{python.parent}:{os.environ['PATH']}"}
    if generation == "1.0.9":
        return [str(python.parent / "label-studio-ml"), "start", "backend"], path
    return [str(python), "backend/_wsgi.py"], path | {"PYTHONPATH": str(STAND_IN)}


@pytest.fixture(scope="module", params=["1.0.9", "2.x"])
def generation(request) -> str:
    """Which label-studio-ml."""
    return request.param


@pytest.fixture(scope="module")
def server(generation, place, their_python) -> Iterator[httpx.Client]:
    """Their server with our folder, without a password."""
    command, env = command_of(generation, their_python)
    with serving(command, env | place.env, place.home / f"{generation}.log") as client:
        yield client


@pytest.fixture
def ours(place) -> Iterator[TestClient]:
    """`xlt serve` on the same store and Redis."""
    from redis import Redis

    settings = Settings.from_env(place.env)
    with Redis.from_url(place.redis_url) as redis:
        parts = build(settings, StateStore(redis), TrainQueue(redis), Store(settings.model_dir))
        with TestClient(create_app(parts)) as client:
            yield client


def tasks(*texts: str | None) -> list[dict[str, Any]]:
    """What Label Studio sends of tasks."""
    return [
        {"id": n, "data": {} if text is None else {"text": text, "lang": "en"}, "project": 1}
        for n, text in enumerate(texts, 1)
    ]


def predict_body(*texts: str | None, **more: Any) -> dict[str, Any]:
    """What Label Studio posts to /predict."""
    params = {"login": None, "password": None, "context": None}
    body = {"tasks": tasks(*texts), "project": KEY, "label_config": CONFIG, "params": params}
    return body | more


def event(action: str = "ANNOTATION_CREATED") -> dict[str, Any]:
    """What Label Studio posts to /webhook."""
    region = {"from_name": "topic", "to_name": "text", "value": {"choices": ["sport"]}}
    project = {"id": 1, "title": "Topics", "label_config": CONFIG, "token": "private"}
    if action == "START_TRAINING":
        return {"action": action, "project": project}
    annotation = {"id": 9, "result": [region], "was_cancelled": False}
    return {"action": action, "annotation": annotation, "task": tasks("a")[0], "project": project}


def test_health(server):
    """Label Studio asks this before everything."""
    answer = server.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "UP"


def test_setup_answers_the_active_version_and_notes_the_project(server, redis, place):
    """The version is the store's, not one that label-studio-ml makes up."""
    answer = server.post("/setup", json=SETUP)
    assert answer.json() == {"model_version": place.version}
    state = StateStore(redis).get("1")
    assert (state.key, state.label_config) == (KEY, CONFIG)
    assert state.extra_params == {"retrain_after_labels": 1}
    assert state.config_error == ""


def test_predict_says_what_the_model_says(server, redis, place):
    """Three tasks, three answers in their order, each with the label that the model learned."""
    answer = server.post("/predict", json=predict_body(*TEXTS.values())).json()
    assert [r["result"][0]["value"] for r in answer["results"]] == [
        {"choices": [label]} for label in TEXTS
    ]
    for result in answer["results"]:
        (region,) = result["result"]
        assert (region["from_name"], region["to_name"]) == ("topic", "text")
        assert region["type"] == "choices"
        assert 1 / 3 < region["score"] <= 1
        assert 0 <= result["score"] <= 1
        assert result["model_version"] == place.version


@pytest.mark.parametrize("more", [{}, {"project": "1"}, {"label_config": "<View/>"}])
def test_predict_is_what_xlt_serve_answers(server, ours, redis, more):
    """Same version, same answers; also where a task has no text, or nothing can be said."""
    server.post("/setup", json=SETUP)
    body = predict_body(TEXTS["food"], None, TEXTS["sport"], "never seen", **more)
    theirs = server.post("/predict", json=body).json()["results"]
    expected = ours.post("/predict", json=body).json()["results"]
    assert len(theirs) == 4
    for one, other in zip(theirs, expected, strict=True):
        assert without_numbers(one) == without_numbers(other)
        assert numbers(one) == pytest.approx(numbers(other), abs=1e-4)
    assert theirs[1]["result"] == []


def without_numbers(result: dict[str, Any]) -> dict[str, Any]:
    """All of a prediction but its scores and the names of its regions, which are random."""
    regions = [{k: v for k, v in r.items() if k not in ("score", "id")} for r in result["result"]]
    return {"result": regions, "model_version": result["model_version"]}


def numbers(result: dict[str, Any]) -> list[float]:
    """The scores of a prediction."""
    return [result["score"], *(region["score"] for region in result["result"])]


def test_a_project_without_a_model_gets_empty_answers(server, redis):
    """Another project does not get the predictions of this one."""
    body = predict_body(*TEXTS.values(), project="2.1795330495")
    results = server.post("/predict", json=body).json()["results"]
    assert [r["result"] for r in results] == [[], [], []]


def test_an_event_asks_for_a_round_and_trains_nothing(server, redis, place, generation):
    """A hundred events wait as one job on the queue; the request that brought them is quick."""
    server.post("/setup", json=SETUP)
    redis.flushall()
    StateStore(redis).put("1", key=KEY, label_config=CONFIG, needed=1)
    files = set((CLONE / "backend").iterdir())
    begin = time.monotonic()
    answers = [server.post("/webhook", json=event(), headers=SECRET) for _ in range(100)]
    assert time.monotonic() - begin < 50
    assert {answer.status_code for answer in answers} == {201}
    heard = [a.json() if generation == "1.0.9" else a.json()["result"] for a in answers]
    assert heard[0]["status"] == "ok: a round is queued"
    assert {answer["status"] for answer in heard[1:]} == {"ok: a round is waiting already"}
    assert len({answer["job"] for answer in heard}) == 1
    assert TrainQueue(redis).status("1") == "waiting"
    assert TrainQueue(redis).waiting_total() == 1
    assert Store(place.home / "models").project(KEY).versions() == (place.version,)
    assert set((CLONE / "backend").iterdir()) - files <= {CLONE / "backend" / "__pycache__"}


def test_the_order_to_train_is_an_event_too(server, redis):
    """Label Studio sends it without an annotation, and without the secret."""
    StateStore(redis).put("1", key=KEY, label_config=CONFIG)
    answer = server.post("/webhook", json=event("START_TRAINING"))
    assert answer.status_code == 201
    assert StateStore(redis).get("1").forced == 1
    assert TrainQueue(redis).status("1") == "waiting"


def test_events_need_the_secret(server, redis):
    """As on our own server; nothing happens without it."""
    StateStore(redis).put("1", key=KEY, label_config=CONFIG, needed=1)
    assert server.post("/webhook", json=event()).status_code == 401
    assert TrainQueue(redis).status("1") == "idle"


def test_with_a_password(place, their_python, redis):
    """Every route but /health asks for it; a webhook may have the secret instead."""
    command, env = command_of("1.0.9", their_python)
    env |= place.env | {"XLT_BASIC_AUTH_USER": "user", "XLT_BASIC_AUTH_PASS": "pass"}
    log = place.home / "password.log"
    StateStore(redis).put("1", key=KEY, label_config=CONFIG, needed=1)
    with serving(command, env, log) as client:
        assert client.get("/health").status_code == 200
        assert client.post("/setup", json=SETUP).status_code == 401
        assert client.post("/setup", json=SETUP, auth=("user", "wrong")).status_code == 401
        answer = client.post("/setup", json=SETUP, auth=("user", "pass"))
        assert answer.json() == {"model_version": place.version}
        assert client.post("/webhook", json=event("START_TRAINING")).status_code == 401
        assert client.post("/webhook", json=event(), headers=SECRET).status_code == 201
