"""`xlt connect` against the real Label Studio."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.builders import CHOICES, region
from tests.e2e.conftest import VENV, MakeProject, fresh_data_dir
from tests.e2e.standin import SECRET, basic, standing_in
from xlt.errors import ConfigError
from xlt_backend import errors
from xlt_backend.demo.studio import LabelStudioServer, free_port
from xlt_backend.labelstudio.client import UNCERTAINTY_SAMPLING, Client
from xlt_backend.labelstudio.links import backends, webhooks
from xlt_backend.labelstudio.wire import SECRET_HEADER, WEBHOOK_ACTIONS
from xlt_backend.options import ProjectOptions
from xlt_backend.settings import Settings
from xlt_backend.setup.connect import connect


def settings(url: str, **more: Any) -> Settings:
    """Settings of an installation at this address."""
    return Settings(public_url=url, webhook_secret=SECRET, **more)


def test_connect(client: Client, make_project: MakeProject) -> None:
    """A project gets one model, one webhook, our order; twice changes nothing."""
    project = make_project(tasks=2)
    options = ProjectOptions(language_field="lang", batch=30)
    with standing_in() as server:
        first = connect(client, settings(server.url), project_id=project.id, options=options)
        again = connect(client, settings(server.url), project_id=project.id)
        assert len(first.changes) == 4
        assert again.changes == ()
        assert again.backend_id == first.backend_id
        (model,) = backends(client, project.id)
        assert (model["state"], model["is_interactive"]) == ("CO", True)
        assert ProjectOptions.from_extra_params(model["extra_params"]) == options
        (hook,) = webhooks(client, project.id)
        assert hook["url"] == f"{server.url}/webhook"
        assert hook["headers"] == {SECRET_HEADER: SECRET}
        assert sorted(hook["actions"]) == sorted(WEBHOOK_ACTIONS)
        assert again.project.sampling == UNCERTAINTY_SAMPLING

        views = client.http.request("GET", "/api/dm/views/", params={"project": project.id})
        assert [view["data"]["title"] for view in views] == ["Default", "Next to label"]

        (task, _) = client.tasks(project.id)
        client.annotate(task["id"], [region("sport")])
        event = server.wait_for(lambda r: r.path == "/webhook" and "annotation" in (r.body or {}))
        assert event.headers[SECRET_HEADER.lower()] == SECRET
        assert event.body["action"] == "ANNOTATION_CREATED"


def test_basic_auth(client: Client, make_project: MakeProject) -> None:
    """User and password reach Label Studio, and our routes; also when they change."""
    project = make_project()
    for password in ("one", "two"):
        with standing_in(("xlt", password)) as server:
            ours = settings(server.url, basic_auth_user="xlt", basic_auth_password=password)
            connect(client, ours, project_id=project.id)
            asked = server.wait_for(lambda r: r.path == "/setup")
            assert asked.headers["authorization"] == basic("xlt", password)


def test_wrong_password_is_named(client: Client, make_project: MakeProject) -> None:
    """Passwords that differ between connect and the server are recognised."""
    project = make_project()
    with standing_in(("xlt", "right")) as server:
        ours = settings(server.url, basic_auth_user="xlt", basic_auth_password="wrong")
        with pytest.raises(errors.LabelStudioError, match="XLT_BASIC_AUTH_PASS"):
            connect(client, ours, project_id=project.id)


def test_webhooks_are_fixed(client: Client, make_project: MakeProject) -> None:
    """Label Studio's own webhook is adopted, doubles go, others are left alone."""
    project = make_project()
    with standing_in() as server:
        body = {"url": server.url, "project": project.id, "title": "by hand"}
        client.http.request("POST", "/api/ml/", json=body)
        other = {"url": "http://localhost:9/webhook", "project": project.id}
        for hook in ({"url": f"{server.url}/webhook/", "project": project.id}, other):
            client.http.request("POST", "/api/webhooks/", json=hook)
        own = webhooks(client, project.id)[0]
        found = connect(client, settings(server.url), project_id=project.id)
        ours, kept = webhooks(client, project.id)
        assert ours["id"] == own["id"] == found.webhook_id
        assert ours["headers"] == {SECRET_HEADER: SECRET}
        assert kept["url"] == other["url"]
        assert "removed a second webhook" in found.changes
        assert len(backends(client, project.id)) == 1


def test_project_is_made_once(client: Client) -> None:
    """A title and an interface make a project; the second time it is found."""
    with standing_in() as server:
        made = connect(client, settings(server.url), title="By title", label_config=CHOICES)
        found = connect(client, settings(server.url), title="By title")
        assert found.project.id == made.project.id
        assert "created the project 'By title'" in made.changes


def test_which_project(client: Client) -> None:
    """Without an id, a title that exists, or an interface to make one, it is asked for."""
    with pytest.raises(ConfigError, match="give --project ID, or --title"):
        connect(client, settings("http://localhost:9"))
    with pytest.raises(ConfigError, match="no project has the title 'Nobody'"):
        connect(client, settings("http://localhost:9"), title="Nobody")


def test_unsupported_interface(client: Client, make_project: MakeProject) -> None:
    """Nothing is changed in a project that xlt cannot learn."""
    dates = (
        '<View><Text name="text" value="$text"/>'
        '<DateTime name="day" toName="text" only="date"/></View>'
    )
    project = make_project(label_config=dates)
    with pytest.raises(errors.UnsupportedConfigError, match="DateTime name='day'"):
        connect(client, settings("http://localhost:9"), project_id=project.id)
    assert webhooks(client, project.id) == []


def test_server_is_not_running(client: Client, make_project: MakeProject) -> None:
    """Label Studio does not reach us: the message says what to start, or to set."""
    project = make_project()
    unused = f"http://localhost:{free_port()}"
    with pytest.raises(errors.RejectedError, match="XLT_PUBLIC_URL"):
        connect(client, settings(unused), project_id=project.id)


@pytest.mark.parametrize("relaxed", ["", "ML_BLOCK_LOCAL_IP"])
def test_private_addresses_are_forbidden(tmp_path: Path, relaxed: str) -> None:
    """A Label Studio with its protection on (the default) refuses us, and we tell how to fix it."""
    strict = {"ML_BLOCK_LOCAL_IP": "true", "SSRF_PROTECTION_ENABLED": "true"}
    if relaxed:
        strict[relaxed] = "false"
    with (
        LabelStudioServer(fresh_data_dir(tmp_path), venv=VENV, extra_env=strict) as server,
        standing_in() as ours,
        closing(Client(server.url, server.account.token)) as client,
    ):
        project = client.create_project("Strict", CHOICES)
        with pytest.raises(errors.ForbiddenError, match="SSRF_PROTECTION_ENABLED=false"):
            connect(client, settings(ours.url), project_id=project.id)


def test_tighter_protection_is_enough(tmp_path: Path) -> None:
    """Private addresses but not those of cloud metadata: the variant that we recommend works."""
    tight = {
        "ML_BLOCK_LOCAL_IP": "true",
        "SSRF_PROTECTION_ENABLED": "true",
        "USE_DEFAULT_BANNED_SUBNETS": "false",
        "USER_ADDITIONAL_BANNED_SUBNETS": "169.254.0.0/16",
    }
    with (
        LabelStudioServer(fresh_data_dir(tmp_path), venv=VENV, extra_env=tight) as server,
        standing_in() as ours,
        closing(Client(server.url, server.account.token)) as client,
    ):
        project = client.create_project("Tight", CHOICES)
        assert connect(client, settings(ours.url), project_id=project.id).webhook_id
