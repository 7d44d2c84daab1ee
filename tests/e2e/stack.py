"""The service as a user starts it, `xlt up`, in a process of its own."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

import xlt_backend
from tests.waiting import eventually
from xlt.store.versions import Store
from xlt_backend.demo import stack
from xlt_backend.demo.studio import LabelStudioServer, free_port
from xlt_backend.labelstudio.client import Client
from xlt_backend.labelstudio.interface import template
from xlt_backend.options import ProjectOptions
from xlt_backend.setup.connect import connect

#: Settings that make waiting short.
QUICK = {"XLT_RECONCILE_S": "2", "XLT_TICK_S": "0.5", "XLT_LEASE_S": "3", "XLT_NICE": "0"}


TOPICS = Path(xlt_backend.__file__).parent / "demo" / "texts" / "topics.jsonl"

OPTIONS = ProjectOptions(
    source_languages=("eng",),
    retrain_after_labels=20,
    min_labels=20,
    train={"epochs": 1.0, "max_steps": 20, "unlabelled_rows": 0},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service(stack.Service):
    """A running `xlt up`, to be looked into and to be harmed."""

    def state(self, project: int) -> dict[str, Any]:
        """What /status says of a project; empty while it is not known."""
        return self.status()["projects"].get(str(project), {})

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


def environment(folder: Path, server: LabelStudioServer, **more: str) -> dict[str, str]:
    """Settings of a service beside a Label Studio that make waiting short."""
    variables = stack.service_variables(folder, server, free_port())
    return variables | QUICK | {"OMP_NUM_THREADS": "2"} | more


@contextmanager
def running(folder: Path, server: LabelStudioServer, **more: str) -> Iterator[Service]:
    """`xlt up` beside a Label Studio, until the block ends."""
    with stack.serving(folder / "up.log", environment(folder, server, **more)) as started:
        service = Service(
            settings=started.settings, env=started.env, log=started.log, process=started.process
        )
        try:
            yield service
        except BaseException:
            sys.stderr.write(service.tail())
            raise


def answers(service: Service) -> bool:
    """Whether the web server answers."""
    assert service.process.poll() is None, service.tail()
    try:
        service.status()
    except httpx.HTTPError:
        return False
    return True


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
    """An annotation of the interface that `template` makes."""
    value = {"choices": [label]}
    return [{"from_name": "label", "to_name": "text", "type": "choices", "value": value}]


def new_project(client: Client, service: Service, title: str, *, tasks: int, **changes) -> int:
    """A connected project with texts in three languages; its id."""
    rows = [json.loads(line) for line in TOPICS.read_text(encoding="utf-8").splitlines()]
    config = template("single_label", sorted({row["label"] for row in rows}))
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


def ordered(client: Client, project: int, *, within_s: float = 120.0) -> None:
    """Waits until Label Studio shows the first order, which needs no model."""
    eventually(lambda: shown(client, project).startswith("start-"), within_s=within_s)


def first_model(client: Client, project: int, *, within_s: float = 300.0) -> str:
    """The first trained version, as soon as Label Studio shows one."""
    return eventually(lambda: is_model(v := shown(client, project)) and v, within_s=within_s)


def next_model(client: Client, project: int, before: str) -> str:
    """The version that Label Studio shows after another one; it is a trained one."""
    found = eventually(lambda: (v := shown(client, project)) != before and v, within_s=300)
    assert is_model(found)
    return found


def finished(service: Service, project: int) -> dict[str, Any]:
    """The state of a project whose round has ended, without an error."""
    state = eventually(lambda: (s := service.state(project))["phase"] == "done" and s)
    assert state["last_error"] == ""
    return state


def unused(state: Mapping[str, Any]) -> dict[str, list[str]]:
    """Reasons for which annotations are not used, with their tasks."""
    return {reason: found["tasks"] for reason, found in state["unused"].items()}
