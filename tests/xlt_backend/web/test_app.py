"""The web server's routes, over a test client, with a real Redis and a stand-in model."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient
from redis import Redis

from tests.fakes import CONFIG
from tests.xlt_backend.service.test_registry import Loader, promote
from tests.xlt_backend.web.server import make_parts
from xlt.store.versions import Store
from xlt_backend.labelstudio.wire import SECRET_HEADER
from xlt_backend.queue.state import StateStore
from xlt_backend.web.app import MAX_EVENT_BYTES, create_app
from xlt_backend.web.parts import Parts

KEY = "1.1795330494"
SECRET = {SECRET_HEADER: "s3cret"}
SETUP = {
    "project": KEY,
    "schema": CONFIG,
    "hostname": "http://localhost:8080",
    "access_token": "legacy",
    "extra_params": None,
}


@pytest.fixture
def store(tmp_path) -> Store:
    """An empty store."""
    return Store(tmp_path / "models")


@pytest.fixture
def loader() -> Loader:
    """Loads stand-ins."""
    return Loader()


@pytest.fixture
def parts(redis, store, loader) -> Parts:
    """The same."""
    return make_parts(redis, store, loader)


@pytest.fixture
def client(parts) -> Iterator[TestClient]:
    """An open server."""
    with TestClient(create_app(parts), raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def locked(parts) -> Iterator[TestClient]:
    """A server that asks for a password."""
    app = create_app(replace(parts, basic_auth=("user", "pässword")))
    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture
def without_redis(store, loader, tmp_path) -> Iterator[TestClient]:
    """A server whose Redis is away."""
    gone = Redis(unix_socket_path=str(tmp_path / "none"), retry=None)
    app = create_app(make_parts(gone, store, loader))
    with TestClient(app, raise_server_exceptions=False) as found:
        yield found


def predict_body(*texts: object, **more) -> dict:
    """What Label Studio posts to /predict."""
    tasks = [{"id": n, "data": {"text": text}, "predictions": []} for n, text in enumerate(texts)]
    params = {"login": None, "password": None, "context": None}
    return {"tasks": tasks, "project": KEY, "label_config": CONFIG, "params": params} | more


# The contract -----------------------------------------------------------------------------------


def test_health(client):
    """Label Studio asks this before everything."""
    assert client.get("/health").json()["status"] == "UP"


def test_setup_then_predict(client, store):
    """The version in the answers is the one that is active."""
    assert client.post("/setup", json=SETUP).json() == {"model_version": ""}
    version = promote(store, KEY)
    assert client.post("/setup", json=SETUP).json() == {"model_version": version}
    answer = client.post("/predict", json=predict_body("sport en 1", "food en 2")).json()

    assert answer["model_version"] == version
    assert [r["model_version"] for r in answer["results"]] == [version, version]
    assert [r["result"][0]["value"] for r in answer["results"]] == [
        {"choices": ["sport"]},
        {"choices": ["food"]},
    ]


def test_interactive_predict(client, store):
    """One task with a context is answered like any other."""
    promote(store, KEY)
    body = predict_body("music en 1", params={"context": {"result": []}})

    assert len(client.post("/predict", json=body).json()["results"]) == 1


@pytest.mark.parametrize("texts", [[], ["", None, 7, "$undefined$", "s3://a/b", "sport en 1"]])
def test_as_many_results_as_tasks(client, store, texts):
    """N in, n out, whatever they are."""
    promote(store, KEY)
    answer = client.post("/predict", json=predict_body(*texts)).json()

    assert len(answer["results"]) == len(texts)
    assert [bool(r["result"]) for r in answer["results"]] == [t == "sport en 1" for t in texts]


def test_weights_are_loaded_once(client, store, loader):
    """Over many requests."""
    promote(store, KEY)
    for n in range(30):
        assert client.post("/predict", json=predict_body(f"sport en {n}")).status_code == 200

    assert len(loader.loaded) == 1


@pytest.mark.parametrize("config", ["", "<View/>", "no xml"])
def test_predict_without_a_usable_interface(client, store, config):
    """As many empty results as tasks, never an error."""
    promote(store, KEY)
    answer = client.post("/predict", json=predict_body("a", "b", label_config=config))

    assert answer.status_code == 200
    assert [r["result"] for r in answer.json()["results"]] == [[], []]


def test_webhook_asks_for_a_round(client):
    """201 with the job, in the words of Label Studio's own backends."""
    client.post("/setup", json=SETUP)
    body = {"action": "START_TRAINING", "project": {"id": 1, "title": "x", "token": "t"}}
    answer = client.post("/webhook", json=body, headers=SECRET)

    assert answer.status_code == 201
    assert answer.json()["status"] == "ok: a round is waiting already"
    assert answer.json()["job"].startswith("round-1-")


def test_versions(client, store):
    """GET, without naming a project."""
    client.post("/setup", json=SETUP)
    version = promote(store, KEY)

    assert client.get("/versions").json()["versions"] == [version]


@pytest.mark.parametrize("project", [KEY, "1"])
def test_versions_of_a_project(client, store, project):
    """By its number, and by Label Studio's key; another project has others."""
    client.post("/setup", json=SETUP)
    version = promote(store, KEY)

    assert client.get("/versions", params={"project": project}).json()["versions"] == [version]
    assert client.get("/versions", params={"project": "2"}).json()["versions"] == []
    assert client.get("/versions", params={"project": "no key"}).json()["versions"] == []


def test_project_as_a_number(client, store):
    """A script may send the number; /setup and /predict read it alike."""
    client.post("/setup", json=SETUP)
    version = promote(store, KEY)

    answer = client.post("/predict", json=predict_body("sport en 1", project=1))

    assert answer.json()["model_version"] == version


@pytest.mark.parametrize("project", [None, ""])
def test_predict_without_a_project(client, project, caplog):
    """One empty result per task, and no word about a project that nobody named."""
    caplog.set_level("INFO")
    answer = client.post("/predict", json=predict_body("a", "b", project=project))

    assert [r["result"] for r in answer.json()["results"]] == [[], []]
    assert [r.message for r in caplog.records if r.name.startswith("xlt_backend")] == [
        "/predict without a project returned empty results"
    ]


def test_status(client):
    """One project or all; an unknown one is named."""
    client.post("/setup", json=SETUP)

    assert client.get("/status").json()["projects"]["1"]["key"] == KEY
    assert client.get("/status?project=1").json()["projects"]["1"]["queue"] == "waiting"
    answer = client.get("/status?project=7")
    assert answer.status_code == 404
    assert "unknown project 7" in answer.json()["error"]


def test_status_of_a_task(client):
    """A task is asked for with its project; one without a place has words all the same."""
    client.post("/setup", json=SETUP)

    answer = client.get("/status?project=1&task=5").json()
    assert answer["task"] == "5"
    assert answer["reason"].startswith("not explained")
    assert client.get("/status?task=5").status_code == 400
    assert client.get("/status?project=7&task=5").status_code == 404


def test_metrics(client):
    """Prometheus' text, with counts by route, and of Redis."""
    client.post("/setup", json=SETUP)
    client.post("/webhook", json={"action": "TASKS_CREATED"}, headers=SECRET)
    text = client.get("/metrics").text

    assert 'xlt_answers_total{route="/setup",status="200"} 1.0' in text
    assert 'xlt_events_total{action="TASKS_CREATED",outcome="ignored"} 1.0' in text
    assert 'xlt_open_tasks{project="1"} 0.0' in text
    assert "xlt_redis_up 1.0" in text


def test_metrics_of_what_labels_are_worth(client, redis):
    """Where it is known; that tasks are drawn at random is always said."""
    StateStore(redis).put("1", title="nothing measured yet")
    worth = {
        "choosing": {"fallen_back": True, "gain": {"value": -0.04}},
        "languages": {
            "hau": {"last_labels": {"value": 0.002}},
            "yor": {"last_labels": {"words": "too early to say"}},
        },
    }
    StateStore(redis).put("2", payoff=worth)
    text = client.get("/metrics").text

    assert 'xlt_fallen_back{project="1"} 0.0' in text
    assert 'xlt_fallen_back{project="2"} 1.0' in text
    assert 'xlt_choosing_gain{project="2"} -0.04' in text
    assert 'xlt_last_labels_gain{language="hau",project="2"} 0.002' in text
    assert "yor" not in text


def test_cancel(client):
    """Where nothing runs it says so; an unknown project is named."""
    assert client.post("/cancel?project=1").status_code == 404
    client.post("/setup", json=SETUP)
    assert client.post("/cancel?project=1").json()["status"] == "nothing runs"


# Bad input --------------------------------------------------------------------------------------

BAD = {
    "nothing": (b"", "not JSON"),
    "half": (b'{"action": ', "not JSON"),
    "no object": (b"[1, 2]", "the body"),
    "no text": (b"\xff\xfe\x00", "not JSON"),
    "deep": (b"[" * 100_000, "not JSON"),
    "wrong type": (b'{"action": {"a": 1}}', "action"),
    "missing": (b'{"project": {"id": 1}}', "action"),
    "wrong project": (b'{"action": "START_TRAINING", "project": {"id": "x"}}', "project"),
}


@pytest.mark.parametrize("case", BAD)
def test_malformed_event(client, case):
    """400 and one line that says what is wrong; no traceback."""
    body, words = BAD[case]
    answer = client.post("/webhook", content=body, headers=SECRET)

    assert answer.status_code == 400
    assert words in answer.json()["error"]
    assert "\n" not in answer.json()["error"]


@pytest.mark.parametrize("route", ["/setup", "/predict"])
@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"tasks": 3}'])
def test_malformed_requests(client, route, body):
    """The same for the other routes."""
    answer = client.post(route, content=body)

    assert answer.status_code == 400
    assert "error" in answer.json()


def test_huge_event_is_not_read(client):
    """413, whether the length is declared or not."""
    big = b"x" * (MAX_EVENT_BYTES + 1)
    declared = client.post("/webhook", content=big, headers=SECRET)
    streamed = client.post("/webhook", content=iter([big]), headers=SECRET)

    assert declared.status_code == streamed.status_code == 413
    assert "bytes" in declared.json()["error"]


@pytest.mark.parametrize(
    "body",
    [
        {"action": "START_TRAINING", "project": {"id": 99}},
        {"action": "SOMETHING_ELSE", "project": {"id": 1}},
        {"action": "START_TRAINING"},
        {"action": "ANNOTATION_CREATED", "annotation": None, "project": {"id": 1}},
    ],
)
def test_events_that_are_ignored(client, body):
    """Accepted, with the reason."""
    client.post("/setup", json=SETUP)
    answer = client.post("/webhook", json=body, headers=SECRET)

    assert answer.status_code == 201
    assert answer.json()["status"].startswith(("ignored", "ok"))


def test_unknown_route_and_method(client):
    """JSON like everything else."""
    assert client.get("/nothing").json() == {"error": "Not Found"}
    assert client.get("/predict").status_code == 405


@pytest.mark.parametrize("query", ["", "?project=1", "?task=7"])
def test_a_missing_part_of_the_address_is_named(client, query):
    """In one line: JSON for programs, a page for browsers."""
    answer = client.get(f"/explain{query}")
    assert (answer.status_code, list(answer.json())) == (400, ["error"])
    assert answer.json()["error"].endswith(": Field required")
    page = client.get(f"/explain{query}", headers={"Accept": "text/html"})
    assert "Field required" in page.text
    assert page.headers["content-type"].startswith("text/html")


def test_unexpected_errors_carry_an_id_and_no_traceback(client, parts, monkeypatch, caplog):
    """The log has the traceback under the id that the answer gives."""
    monkeypatch.setattr(parts.service, "setup", lambda _: 1 / 0)
    answer = client.post("/setup", json=SETUP)

    assert answer.status_code == 500
    words = answer.json()["error"]
    assert "ZeroDivision" not in words
    number = words.split()[2].rstrip(";")
    assert number in caplog.text
    assert "ZeroDivisionError" in caplog.text


# Who may ask ------------------------------------------------------------------------------------


def basic(user: str, password: str) -> dict[str, str]:
    """The header of Basic auth."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


WRONG = [
    {},
    basic("user", "wrong"),
    basic("", ""),
    {"Authorization": "Basic"},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Bearer " + base64.b64encode("user:pässword".encode()).decode()},
]


@pytest.mark.parametrize("route", ["/status", "/versions", "/metrics", "/nothing"])
@pytest.mark.parametrize("headers", WRONG)
def test_wrong_password(locked, route, headers):
    """Every route but /health asks for the password."""
    answer = locked.get(route, headers=headers)

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


def test_right_password(locked):
    """Also one that is not ASCII."""
    assert locked.get("/status", headers=basic("user", "pässword")).status_code == 200
    assert locked.get("/health").status_code == 200


@pytest.mark.parametrize("headers", [*WRONG, {SECRET_HEADER: "guess"}, {SECRET_HEADER: ""}])
def test_webhook_without_the_secret(client, locked, headers):
    """Events need the secret even where all else is open."""
    body = {"action": "TASKS_CREATED", "project": {"id": 1}}
    for server in (client, locked):
        answer = server.post("/webhook", json=body, headers=headers)

        assert answer.status_code == 401
        assert SECRET_HEADER in answer.json()["error"]


def test_refused_events_are_in_the_log_once_a_minute(client, caplog):
    """Label Studio shows nobody that its events are refused."""
    body = {"action": "TASKS_CREATED", "project": {"id": 1}}
    for _ in range(3):
        client.post("/webhook", json=body)

    warnings = [r.message for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 1
    assert "refused (1 so far)" in warnings[0]
    assert "xlt connect" in warnings[0]


def test_order_to_train_needs_what_the_other_routes_need(client, locked):
    """Label Studio sends it with the password, where there is one, and never with the secret."""
    body = {"action": "START_TRAINING", "project": {"id": 1}}

    assert client.post("/webhook", json=body).status_code == 201
    assert locked.post("/webhook", json=body).status_code == 401


def test_webhook_with_secret_or_password(locked):
    """The order to train comes with the password, events with the secret."""
    body = {"action": "START_TRAINING", "project": {"id": 1}}
    for headers in (SECRET, basic("user", "pässword")):
        assert locked.post("/webhook", json=body, headers=headers).status_code == 201


def test_open_metrics(parts):
    """A Prometheus in the same network needs no password, if wanted."""
    app = create_app(replace(parts, basic_auth=("u", "p"), open_metrics=True))
    with TestClient(app) as server:
        assert server.get("/metrics").status_code == 200
        assert server.get("/status").status_code == 401


# Redis away -------------------------------------------------------------------------------------


def test_without_redis_predictions_go_on(without_redis, store):
    """What needs no Redis works; what does says so with 503."""
    version = promote(store, KEY)

    assert without_redis.get("/health").status_code == 200
    assert without_redis.post("/setup", json=SETUP).json() == {"model_version": version}
    answer = without_redis.post("/predict", json=predict_body("sport en 1"))
    assert answer.json()["results"][0]["result"]
    assert "xlt_redis_up 0.0" in without_redis.get("/metrics").text
    event = {"action": "START_TRAINING", "project": {"id": 1}}
    for answer in (
        without_redis.post("/webhook", json=event, headers=SECRET),
        without_redis.get("/status"),
        without_redis.get("/versions"),
    ):
        assert answer.status_code == 503
        assert "Redis does not answer" in answer.json()["error"]


# What is imported -------------------------------------------------------------------------------


def test_the_parts_are_built_without_a_web_framework():
    """The server of label-studio-ml has a framework of its own."""
    code = """
import json, sys
import xlt_backend.run.web, xlt_backend.web.credentials
print(json.dumps([m for m in ("fastapi", "starlette", "uvicorn") if m in sys.modules]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert json.loads(done.stdout) == []


def test_server_is_built_without_torch_and_trainer(tmp_path):
    """Models are loaded in the background; the trainer never."""
    code = """
import json, sys
from pathlib import Path
from xlt.store.versions import Store
from xlt_backend.web.app import create_app
from xlt_backend.queue.state import StateStore
from xlt_backend.queue.connection import connect
from xlt_backend.settings import Settings
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.run.web import build
settings = Settings(home=Path(sys.argv[1]))
c = connect(settings)
create_app(build(settings, StateStore(c), TrainQueue(c), Store(settings.model_dir)))
print(json.dumps([m for m in ("torch", "transformers", "xlt.training.loop") if m in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert json.loads(done.stdout) == []
