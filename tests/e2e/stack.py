"""The service as a user starts it, `xlt up`, in a process of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

import xlt_backend
from xlt.store import Store
from xlt_backend.connect import connect
from xlt_backend.interface import choices_config
from xlt_backend.labelstudio import Client
from xlt_backend.labelstudio_server import LabelStudioServer, free_port
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import Settings

#: Settings that make waiting short.
QUICK = {"XLT_RECONCILE_S": "2", "XLT_TICK_S": "0.5", "XLT_LEASE_S": "3", "XLT_NICE": "0"}


TOPICS = Path(xlt_backend.__file__).parent / "demo" / "texts" / "topics.jsonl"

OPTIONS = ProjectOptions(
    source_languages=("eng",),
    retrain_after_labels=20,
    min_labels=20,
    train={"epochs": 1.0, "max_steps": 20, "unlabelled_rows": 0},
)


@dataclass
class Service:
    """A running `xlt up`.

    Attributes:
        settings: What it was started with.
        env: The same as variables.
        log: What it wrote.
        process: The supervisor.
    """

    settings: Settings
    env: Mapping[str, str]
    log: Path
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        """JSON of a route."""
        with urllib.request.urlopen(self.settings.public_url + path, timeout=10) as answer:
            return json.load(answer)

    def state(self, project: int) -> dict[str, Any]:
        """What /status says of a project; empty while it is not known."""
        return self.get("/status")["projects"].get(str(project), {})

    def store(self, project: int) -> Any:
        """The project's versions."""
        return Store(self.settings.model_dir).project(self.state(project)["key"])

    def child(self, name: str) -> psutil.Process:
        """The process `redis`, `web` or `worker`."""
        word = {"redis": "redis-server", "web": "serve", "worker": "worker"}[name]
        for process in psutil.Process(self.process.pid).children():
            if process.name() == word or word in process.cmdline():
                return process
        raise LookupError(f"no {name} among the children")

    def kill(self, name: str) -> int:
        """Kills a child at once; its id."""
        process = eventually(lambda: self.try_child(name))
        os.kill(process.pid, signal.SIGKILL)
        return int(process.pid)

    def try_child(self, name: str) -> psutil.Process | None:
        """The child, None while it is not there."""
        try:
            return self.child(name)
        except (LookupError, psutil.Error):
            return None

    def tail(self) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-60:])


def environment(
    folder: Path, server: LabelStudioServer, **more: str
) -> tuple[Settings, dict[str, str]]:
    """Settings of a service beside a Label Studio, also as variables."""
    port = free_port()
    env = {
        "LABEL_STUDIO_URL": server.url,
        "LABEL_STUDIO_API_KEY": server.account.token,
        "XLT_HOME": str(folder),
        "XLT_PORT": str(port),
        "XLT_PUBLIC_URL": f"http://localhost:{port}",
        **QUICK,
        **more,
    }
    return Settings.from_env(env), env | {"OMP_NUM_THREADS": "2"}


@contextmanager
def running(folder: Path, server: LabelStudioServer, **more: str) -> Iterator[Service]:
    """`xlt up` beside a Label Studio, until the block ends."""
    settings, env = environment(folder, server, **more)
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "up.log"
    others = {k: v for k, v in os.environ.items() if not k.startswith(("XLT_", "LABEL_STUDIO_"))}
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "xlt_backend.cli", "up"],
            env=others | env,
            stdout=file,
            stderr=file,
        )
    service = Service(settings=settings, env=env, log=log, process=process)
    try:
        eventually(lambda: answers(service, "/health"), within_s=60)
        yield service
    except BaseException:
        sys.stderr.write(service.tail())
        raise
    finally:
        process.terminate()
        process.wait(timeout=30)


def answers(service: Service, path: str) -> bool:
    """Whether a route answers."""
    assert service.process.poll() is None, service.tail()
    try:
        service.get(path)
    except OSError:
        return False
    return True


def eventually(what: Callable[[], Any], *, within_s: float = 60.0, pause_s: float = 0.1) -> Any:
    """Waits until `what` is truthy; returns it."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if seen := what():
            return seen
        time.sleep(pause_s)
    raise AssertionError(f"not true within {within_s} s")


def labelled(client: Client, project: int, count: int) -> list[int]:
    """Labels what Label Studio serves next; the ids of the tasks."""
    done = []
    for _ in range(count):
        task = client.next_task(project)
        assert task is not None
        client.annotate(task["id"], choice(task["data"]["topic"]), lead_time=1.0)
        done.append(int(task["id"]))
    return done


def choice(label: str) -> list[dict[str, Any]]:
    """An annotation of the interface that `choices_config` makes."""
    value = {"choices": [label]}
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": value}]


def new_project(client: Client, service: Service, title: str, *, tasks: int, **changes) -> int:
    """A connected project with texts in three languages; its id."""
    rows = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    config = choices_config(sorted({row["label"] for row in rows}))
    rows = [row for row in rows if row["lang"] in ("eng", "hau", "som")]
    random.Random(13).shuffle(rows)
    rows = rows[:tasks]
    project = client.create_project(title, config, show_collab_predictions=True).id
    data = [{"text": r["text"], "lang": r["lang"], "topic": r["label"]} for r in rows]
    client.import_tasks(project, [{"data": item} for item in data])
    options = OPTIONS.model_copy(update=changes)
    connect(client, service.settings, project_id=project, options=options)
    return project


def shown(client: Client, project: int) -> str:
    """The version that Label Studio shows."""
    return client.project(project).model_version


def is_model(version: str) -> bool:
    """Whether it is a trained version."""
    return version.startswith("v")
