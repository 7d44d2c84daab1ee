"""People overrule xlt: a roll-back by one command, which Label Studio follows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from tests.e2e.stack import (
    Service,
    finished,
    first_model,
    labelled,
    new_project,
    next_model,
    ordered,
    shown,
)
from tests.waiting import eventually


def versions(service: Service, project: int, *words: str) -> str:
    """What `xlt versions` prints, as a person calls it."""
    done = subprocess.run(
        [sys.executable, "-m", "xlt_backend.cli", "versions", *words, "--project", str(project)],
        env=os.environ | dict(service.env),
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_label_studio_follows_a_rollback(client, service):
    """Within a minute: version, order, suggestions and what /setup answers; then it stays so."""
    project = new_project(client, service, "rollback", tasks=80)
    ordered(client, project)
    labelled(client, project, 28)
    first = first_model(client, project)
    finished(service, project)
    labelled(client, project, 22)
    second = next_model(client, project, first)
    finished(service, project)

    began = time.monotonic()
    done = json.loads(versions(service, project, "rollback", "--reason", "a test", "--json"))
    assert (done["before"], done["after"]) == (second, first)
    eventually(lambda: shown(client, project) == first, within_s=60)
    assert time.monotonic() - began < 60
    finished(service, project)
    order = client.scores(project, first)
    waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
    assert set(order) >= waiting
    assert client.next_task(project)["id"] == min(waiting, key=order.__getitem__)
    eventually(lambda: service.state(project)["served"].get("version") == first)

    rows = json.loads(versions(service, project, "list", "--json"))
    assert {row["name"]: row["standing"] for row in rows} == {
        first: "active",
        second: "went back from",
    }
    log = service.state(project)["log"]
    assert (log[0]["what"], log[0]["reason"]) == ("rolled back", "a test")
