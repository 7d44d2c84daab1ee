"""The whole loop: a real Label Studio, `xlt up`, the bundled encoder."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import httpx

from tests.e2e.stack import (
    Service,
    finished,
    first_model,
    is_model,
    labelled,
    new_project,
    next_model,
    ordered,
    shown,
)
from tests.waiting import eventually
from xlt_backend.labelstudio.client import Client


def test_from_connecting_to_the_second_version(client, service):
    """Connect, label, retrain, label, retrain: each next task is the one that was ranked next."""
    project = new_project(client, service, "loop", tasks=120)
    ordered(client, project)
    first_order = client.scores(project, shown(client, project))
    assert len(first_order) == 120
    task = client.next_task(project)
    assert task["id"] == min(first_order, key=first_order.get)

    labelled(client, project, 28)
    first = first_model(client, project)
    order = client.scores(project, first)
    for _ in range(10):
        task = client.next_task(project)
        waiting = {row["id"] for row in client.tasks(project) if not row["is_labeled"]}
        ranked = sorted(waiting, key=order.__getitem__)
        assert task["id"] == ranked[0]
        labelled(client, project, 1)
    labelled(client, project, 14)

    second = next_model(client, project, first)
    state = finished(service, project)
    assert service.store(project).current() == second
    assert state["last_round"]["peak_rss_bytes"] < 2 * 1024**3
    assert_doctor_is_quiet(service, project)
    assert_a_suggestion_is_explained(client, service, project)


def assert_doctor_is_quiet(service: Service, project: int) -> None:
    """Nothing is wrong with a healthy project, and that is said within 20 s on an idle machine."""
    command = [sys.executable, "-m", "xlt_backend.cli", "doctor", "--project", str(project)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [*command, "--json"], env=os.environ | dict(service.env), capture_output=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)

    checks = json.loads(done.stdout)
    assert [check for check in checks if check["status"] != "ok"] == []
    assert {"encoder", "round trip", "answers", "suggestions"} <= {c["name"] for c in checks}
    assert done.returncode == 0
    assert after.ru_utime - before.ru_utime < 15, "seconds of one core; the rest is waiting"


def assert_a_suggestion_is_explained(client: Client, service: Service, project: int) -> None:
    """The words are those of the text in Label Studio, by the version that it shows."""
    task = client.next_task(project)
    ids = {"project": project, "task": task["id"]}
    address = f"{service.settings.public_url}/explain"
    answer = httpx.get(address, params=ids, timeout=30, auth=service.settings.basic_auth)

    assert answer.status_code == 200, answer.text
    reasons, text = answer.json(), task["data"]["text"]
    assert reasons["version"] == shown(client, project)
    assert [text[w["start"] : w["end"]] for w in reasons["words"]] == [
        w["text"] for w in reasons["words"]
    ]
    assert max(word["score"] for word in reasons["words"]) > 0


def test_new_tasks_get_a_place(client, service):
    """Tasks that are imported later are scored and stand in the order."""
    project = new_project(client, service, "new tasks", tasks=30)
    ordered(client, project)
    before = shown(client, project)
    client.import_tasks(project, [{"data": {"text": "A new text", "lang": "eng"}}])
    eventually(lambda: shown(client, project) not in ("", before))

    assert len(client.scores(project, shown(client, project))) == 31


def test_lost_webhooks_are_made_up_for(client, service):
    """Without any webhook the labels are found, and the webhook is made again."""
    project = new_project(client, service, "lost", tasks=60)
    ordered(client, project)
    for row in client.http.request("GET", "/api/webhooks/", params={"project": project}):
        client.http.request("DELETE", f"/api/webhooks/{row['id']}/")
    labelled(client, project, 28)

    eventually(lambda: is_model(shown(client, project)), within_s=300)
    eventually(lambda: client.http.request("GET", "/api/webhooks/", params={"project": project}))
