"""Everything that may die does: no label is lost, no half version is served, the loop goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import stack
from tests.e2e.stack import Service, answers, is_model, labelled, new_project, shown
from tests.waiting import eventually
from xlt.errors import XltError
from xlt.store.versions import Store
from xlt_backend.demo.studio import LabelStudioServer
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.wire import SECRET_HEADER
from xlt_backend.queue.connection import connect as connect_redis
from xlt_backend.queue.connection import embedded
from xlt_backend.queue.rounds import TrainQueue
from xlt_backend.settings import Settings

#: Small trainings of a random encoder: what is tested is not what it learns.
QUICK = {"min_labels": 8, "retrain_after_labels": 6, "audit_share": 0.1}
TRAIN = {"epochs": 1.0, "min_steps": 2, "max_steps": 4, "unlabelled_rows": 0}
SOON_S = 240.0


@pytest.fixture(scope="module")
def client(label_studio: LabelStudioServer) -> Iterator[Client]:
    """A client of that Label Studio."""
    with closing(Client(label_studio.url, label_studio.account.token)) as found:
        yield found


@pytest.fixture(scope="module")
def service(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path
) -> Iterator[Service]:
    """`xlt up` with a tiny encoder."""
    folder = tmp_path_factory.mktemp("xlt")
    with stack.running(folder, label_studio, XLT_ENCODER=str(tiny_encoder)) as running:
        yield running


def project_with_model(client: Client, service: Service, title: str) -> int:
    """A project that shows a trained version."""
    project = new_project(client, service, title, tasks=70, train=TRAIN, **QUICK)
    eventually(lambda: shown(client, project).startswith("start-"), within_s=SOON_S)
    labelled(client, project, 14)
    eventually(lambda: is_model(shown(client, project)), within_s=SOON_S)
    return project


def is_settled(state: dict[str, Any]) -> bool:
    """Whether all labels are used and nothing runs or waits."""
    return state["phase"] == "done" and state["queue"] == "idle" and not state["changed"]


def assert_whole(client: Client, project: int) -> None:
    """Every task that waits has one place in the order that Label Studio shows."""
    version = shown(client, project)
    waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
    scores = client.scores(project, version)

    assert waiting <= scores.keys(), f"{version} is not whole"
    assert len({scores[task] for task in waiting}) == len(waiting)


def post(service: Service, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    """Status and JSON of a request."""
    request = urllib.request.Request(
        service.settings.public_url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json", **headers},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def event(service: Service, body: Any) -> tuple[int, Any]:
    """Posts an event with the secret."""
    return post(service, "/webhook", body, **{SECRET_HEADER: service.settings.secret()})


# The worker -------------------------------------------------------------------------------------


@contextmanager
def process(service: Service, *words: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of the service."""
    with service.log.open("ab") as log:
        started = subprocess.Popen(
            [sys.executable, *words], env={**os.environ, **service.env}, stdout=log, stderr=log
        )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(timeout=30)


@pytest.fixture(scope="module")
def web_only(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path
) -> Iterator[Service]:
    """Redis and web server; workers come and go."""
    folder = tmp_path_factory.mktemp("web")
    env = stack.environment(folder, label_studio, XLT_ENCODER=str(tiny_encoder))
    settings, log = Settings.from_env(env), folder / "up.log"
    with embedded(folder):
        fake = Service(settings=settings, env=env, log=log, process=None)  # type: ignore[arg-type]
        with process(fake, "-m", "xlt_backend.cli", "serve") as web:
            running = replace(fake, process=web)
            eventually(lambda: answers(running))
            yield running


PHASES = [
    "snapshot", "train", "judge", "save", "score", "select", "recheck", "publish", "switch",
    "measure", "prune",
]  # fmt: skip


def test_worker_killed_in_every_phase(client, web_only):
    """SIGKILL at the start of each phase of a round: the next worker makes up for it.

    After each death what is shown is whole; no label is lost; nothing is trained twice once it
    was saved; in the end a new version is shown and active.
    """
    service = web_only
    worker = ("-m", "xlt_backend.cli", "worker")
    with process(service, *worker):
        project = project_with_model(client, service, "killed")
    count = 14
    for phase in PHASES:
        before = shown(client, project)
        versions = len(service.store(project).versions())
        assert_whole(client, project)
        labelled(client, project, 6)
        count += 6
        new = [{"text": f"new {phase} {n}", "topic": "health"} for n in range(6)]
        client.import_tasks(project, [{"data": data} for data in new])
        with process(service, str(Path(__file__).with_name("killed_worker.py")), phase) as doomed:
            assert doomed.wait(timeout=SOON_S) == -signal.SIGKILL, service.tail()
        assert shown(client, project) in (before, service.store(project).versions()[-1])
        if phase not in ("train", "snapshot"):
            versions += phase not in ("judge", "save")
            assert len(service.store(project).versions()) == versions
        with process(service, *worker):
            eventually(lambda old=before: shown(client, project) != old, within_s=SOON_S)
            eventually(lambda: is_settled(service.state(project)), within_s=SOON_S)
        assert_whole(client, project)
        assert service.store(project).current() == shown(client, project)
        state = service.state(project)
        assert sum(state["labels"].values()) + sum(state["audit_labels"].values()) == count
        assert state["last_error"] == ""


def test_worker_killed_from_outside_is_started_again(client, service):
    """`xlt up` brings the worker back, and its round with it."""
    project = project_with_model(client, service, "worker")
    before = shown(client, project)
    labelled(client, project, 6)
    eventually(lambda: service.state(project)["queue"] == "running", within_s=SOON_S)
    gone = service.kill("worker")

    eventually(lambda: (c := service.try_child("worker")) and c.pid != gone, within_s=30)
    eventually(lambda: shown(client, project) != before, within_s=SOON_S)
    assert_whole(client, project)


# Redis ------------------------------------------------------------------------------------------


def test_redis_killed(client, service):
    """While it is away predictions go on and events are refused in words; then all goes on."""
    project = project_with_model(client, service, "redis")
    before = shown(client, project)
    key = service.state(project)["key"]
    config = client.project(project).label_config
    ask = {"tasks": [{"id": 1, "data": {"text": "a"}}], "project": key, "label_config": config}
    eventually(lambda: post(service, "/predict", ask)[1]["results"][0]["result"])
    supervisor = service.process.pid
    os.kill(supervisor, signal.SIGSTOP)  # so that Redis stays away until we looked
    service.kill("redis")
    try:
        status, answer = event(service, {"action": "START_TRAINING", "project": {"id": project}})
        assert status == 503
        assert "Redis does not answer" in answer["error"]
        assert post(service, "/predict", ask)[1]["results"][0]["result"]
        assert post(service, "/setup", {"project": key, "schema": config}) == (
            200,
            {"model_version": before},
        )
        labelled(client, project, 6)  # their events are lost
    finally:
        os.kill(supervisor, signal.SIGCONT)

    eventually(lambda: shown(client, project) != before, within_s=SOON_S)
    eventually(lambda: service.state(project).get("phase") == "done", within_s=SOON_S)
    assert_whole(client, project)
    assert service.state(project)["model"] == shown(client, project)


def test_redis_flushed_during_a_round(client, service):
    """Everything in it is rebuilt from Label Studio and the store."""
    project = project_with_model(client, service, "flushed")
    before = shown(client, project)
    labelled(client, project, 6)
    eventually(lambda: service.state(project).get("queue") == "running", within_s=SOON_S)
    connect_redis(service.settings).flushall()

    eventually(lambda: shown(client, project) != before, within_s=SOON_S)
    eventually(lambda: service.state(project).get("phase") == "done", within_s=SOON_S)
    assert_whole(client, project)
    assert service.state(project)["model"] == shown(client, project)


# Label Studio -----------------------------------------------------------------------------------


def test_label_studio_restarted(client, service, label_studio):
    """A round that finds it down fails in words, and is done when it is back."""
    project = project_with_model(client, service, "restarted")
    before = shown(client, project)
    labelled(client, project, 5)
    eventually(lambda: service.state(project)["queue"] == "idle", within_s=SOON_S)
    labelled(client, project, 1)
    label_studio.stop()
    TrainQueue(connect_redis(service.settings)).request(str(project))
    eventually(lambda: "no Label Studio at" in service.state(project)["last_error"], within_s=60)
    label_studio.start()

    eventually(lambda: shown_if_up(client, project) not in ("", before), within_s=SOON_S)
    assert_whole(client, project)
    eventually(lambda: service.state(project)["last_error"] == "", within_s=SOON_S)


def shown_if_up(client: Client, project: int) -> str:
    """The version, empty while Label Studio is away."""
    try:
        return shown(client, project)
    except XltError:
        return ""


# Events -----------------------------------------------------------------------------------------


def test_the_same_event_a_hundred_times(client, service):
    """At most one round waits and one runs, whatever comes in."""
    project = project_with_model(client, service, "hundred")
    redis = connect_redis(service.settings)
    versions = len(service.store(project).versions())
    labelled(client, project, 1)
    body = {"action": "START_TRAINING", "project": {"id": project}}

    def once(_: int) -> int:
        assert redis.llen("rq:queue:xlt") <= 1
        return event(service, body)[0]

    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(once, range(100))) == {201}
    eventually(lambda: len(service.store(project).versions()) > versions, within_s=SOON_S)
    eventually(lambda: service.state(project)["queue"] == "idle", within_s=SOON_S)
    assert len(service.store(project).versions()) == versions + 1
    assert_whole(client, project)


def test_broken_version_is_replaced(client, service):
    """A damaged folder is not served: the web server keeps the loaded one, a new one is made."""
    project = project_with_model(client, service, "broken")
    before = shown(client, project)
    folder = service.store(project).open(before)
    (folder / "model.safetensors").write_bytes(b"damaged")
    Store(service.settings.model_dir)
    service.kill("worker")
    labelled(client, project, 6)

    eventually(lambda: shown(client, project) != before, within_s=SOON_S)
    assert_whole(client, project)
