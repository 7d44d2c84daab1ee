"""`xlt doctor` finds each fault in a real Label Studio, and tells how to fix it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.builders import CHOICES, region
from tests.e2e.conftest import VENV, MakeProject, fresh_data_dir
from tests.e2e.standin import SECRET, standing_in
from tests.e2e.test_labelstudio import queue, task_ids
from tests.stubserver import Stub
from xlt_backend.demo.studio import LabelStudioServer, free_port
from xlt_backend.labelstudio.client import Client, ProjectInfo
from xlt_backend.labelstudio.links import backends, webhooks
from xlt_backend.settings import Settings
from xlt_backend.setup.checks import Status
from xlt_backend.setup.connect import connect
from xlt_backend.setup.doctor import diagnose

PROJECT_CHECKS = (
    "interface",
    "model",
    "webhook",
    "round trip",
    "sampling",
    "model version",
    "order",
)


class Installation:
    """A connected project with one version of predictions, and our stand-in."""

    def __init__(self, client: Client, project: ProjectInfo, server: Stub, home: Path) -> None:
        self.client = client
        self.server = server
        self.settings = Settings(
            label_studio_url=client.url,
            label_studio_token=client.token,
            public_url=server.url,
            webhook_secret=SECRET,
            home=home,
        )
        connect(client, self.settings, project_id=project.id)
        client.publish(project.id, "v1", queue(task_ids(client, project)))
        client.switch(project.id, "v1")
        self.id = project.id

    def checks(self, *, ask_next: bool = False) -> dict[str, tuple[Status, str, str]]:
        """Name of each check of the project -> status, detail, fix."""
        found = diagnose(self.settings, project_ids=[self.id], ask_next=ask_next)
        return {check.name: (check.status, check.detail, check.fix) for _, check in found}

    def faults(self) -> dict[str, tuple[Status, str, str]]:
        """The checks of the project that are not well."""
        checks = self.checks()
        return {n: checks[n] for n in PROJECT_CHECKS if n in checks and checks[n][0] != Status.OK}


@pytest.fixture
def installation(
    client: Client, make_project: MakeProject, tmp_path: Path
) -> Iterator[Installation]:
    """All is well."""
    with standing_in() as server:
        yield Installation(client, make_project(tasks=3), server, tmp_path)


def test_all_is_well(installation: Installation) -> None:
    """A connected project passes every check, the round trip of an event included."""
    checks = installation.checks(ask_next=True)
    assert {name: checks[name][0] for name in PROJECT_CHECKS} == dict.fromkeys(
        PROJECT_CHECKS, Status.OK
    )
    assert checks["Label Studio"][0] == Status.OK
    assert "personal access token" in checks["token"][1]
    assert "0 before it" in checks["order"][1]


def test_found_without_being_named(installation: Installation) -> None:
    """Without an id, the projects that have us as their model are checked."""
    found = {about for about, _ in diagnose(installation.settings)}
    assert any(about.startswith(f"project {installation.id},") for about in found)


def test_webhook_is_gone(installation: Installation) -> None:
    """No webhook: no label would be heard of."""
    (hook,) = webhooks(installation.client, installation.id)
    installation.client.http.request("DELETE", f"/api/webhooks/{hook['id']}/")
    status, detail, fix = installation.faults()["webhook"]
    assert (status, fix) == (Status.FAIL, f"xlt connect --project {installation.id}")
    assert "does not learn of new labels" in detail


def test_webhook_without_secret(installation: Installation) -> None:
    """A webhook without the secret is found; connecting again fixes it."""
    (hook,) = webhooks(installation.client, installation.id)
    body = {"headers": {}, "actions": hook["actions"]}
    installation.client.http.request("PATCH", f"/api/webhooks/{hook['id']}/", json=body)
    assert "lacks the secret" in installation.faults()["webhook"][1]
    connect(installation.client, installation.settings, project_id=installation.id)
    assert installation.faults() == {}


def test_two_webhooks(installation: Installation) -> None:
    """A second webhook would double each event."""
    body = {"url": f"{installation.server.url}/webhook", "project": installation.id}
    installation.client.http.request("POST", "/api/webhooks/", json=body)
    assert installation.faults()["webhook"][0] == Status.FAIL


def test_events_do_not_arrive(installation: Installation) -> None:
    """A webhook that looks well and does not arrive is found by sending an event."""
    from xlt_backend.setup.label_studio_checks import check_round_trip

    project = installation.client.project(installation.id)
    found = check_round_trip(installation.client, project, lambda: 0.0, wait_s=0.5)
    assert found.status is Status.FAIL
    assert "WEBHOOK_TIMEOUT" in found.fix


def test_wrong_order(installation: Installation) -> None:
    """Another sampling, and a model version without predictions, are what they are: random."""
    (model,) = backends(installation.client, installation.id)
    installation.client.update_project(
        installation.id, sampling="Sequential sampling", model_version=model["title"]
    )
    faults = installation.faults()
    assert faults["sampling"][0] == Status.FAIL
    assert faults["model version"][0] == Status.FAIL
    assert faults["order"][0] == Status.WARN


def test_overlap(installation: Installation) -> None:
    """Several annotators per task make Label Studio serve started tasks first."""
    installation.client.update_project(installation.id, maximum_annotations=2)
    assert set(installation.faults()) == {"sampling"}


def test_labelled_tasks_are_no_fault(installation: Installation) -> None:
    """After some labels the order is still the order."""
    task = installation.client.next_task(installation.id)
    assert task is not None
    installation.client.annotate(task["id"], [region("sport")])
    assert installation.faults() == {}
    assert installation.checks(ask_next=True)["order"][0] == Status.OK


def test_server_went_away(client: Client, make_project: MakeProject, tmp_path: Path) -> None:
    """Label Studio no longer reaches us: it is said by our own check and by Label Studio's."""
    with standing_in() as server:
        installation = Installation(client, make_project(tasks=1), server, tmp_path)
    checks = installation.checks()
    assert checks["xlt server"][0] == Status.FAIL
    assert checks["model"][0] == Status.FAIL
    assert "xlt up" in checks["model"][2]


def test_not_connected(client: Client, make_project: MakeProject, tmp_path: Path) -> None:
    """A project that is not ours gets the command that makes it ours."""
    project = make_project()
    settings = Settings(
        label_studio_url=client.url,
        label_studio_token=client.token,
        public_url=f"http://localhost:{free_port()}",
        home=tmp_path,
    )
    found = {check.name: check for _, check in diagnose(settings, project_ids=[project.id])}
    assert found["model"].fix == f"xlt connect --project {project.id}"


def test_wrong_project(client: Client, tmp_path: Path) -> None:
    """A project that is not there is a failure, not an error."""
    settings = Settings(label_studio_url=client.url, label_studio_token=client.token, home=tmp_path)
    found = {check.name: check for _, check in diagnose(settings, project_ids=[999_999])}
    assert "no project 999999" in found["projects"].detail


def test_protection_came_on(tmp_path: Path) -> None:
    """A Label Studio that was restarted with its protection on is recognised."""
    data = fresh_data_dir(tmp_path / "data")
    port = free_port()
    with standing_in() as ours:
        with (
            LabelStudioServer(data, venv=VENV, port=port) as server,
            closing(Client(server.url, server.account.token)) as client,
        ):
            project = client.create_project("Was open", CHOICES)
            client.import_tasks(project.id, [{"text": "One."}])
            installation = Installation(client, project, ours, tmp_path)
        strict = {"ML_BLOCK_LOCAL_IP": "true", "SSRF_PROTECTION_ENABLED": "true"}
        with LabelStudioServer(data, venv=VENV, port=port, extra_env=strict):
            checks = installation.checks()
    assert checks["model"][0] == Status.FAIL
    assert "private address" in checks["model"][1]
    assert "SSRF_PROTECTION_ENABLED=false" in checks["model"][2]
