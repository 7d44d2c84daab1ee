"""People overrule xlt on its page, in Chromium: a roll-back, which Label Studio follows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

from tests.chromium import Tab, chromium
from tests.e2e.stack import (
    Service,
    finished,
    first_model,
    labelled,
    new_project,
    ordered,
    shown,
)
from tests.waiting import eventually
from xlt_backend.labelstudio.client import Client


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


def watched(tab: Tab, client: Client, service: Service, project: int, before: str) -> str:
    """Follows a round on an open page until a new version is shown; the version."""
    seen: list[str] = []

    def another() -> str:
        text = tab.text(f"#progress-{project}")
        if text and text not in seen[-1:]:
            seen.append(text)
        version = shown(client, project)
        return version if version != before else ""

    found = str(eventually(another, within_s=300))
    assert len(seen) >= 2, seen  # it moved, though nobody loaded the page again
    eventually(lambda: found in tab.text(f"#progress-{project}"), within_s=30)
    return found


def test_label_studio_follows_a_rollback_on_the_page(client, service, tmp_path):
    """Progress moves on an open page; pause, resume and roll back work by two clicks each.

    Label Studio follows within a minute: version, order, suggestions and what /setup answers; then
    it stays so.
    """
    project = new_project(client, service, "rollback", tasks=80)
    ordered(client, project)
    labelled(client, project, 28)
    first = first_model(client, project)
    finished(service, project)
    url = f"{service.settings.public_url}/projects/{project}"
    with chromium(tmp_path / "chromium") as tab:
        tab.open(url)
        labelled(client, project, 22)
        second = watched(tab, client, service, project, first)
        finished(service, project)
        for page in ("", "/queue", "/review", "/annotators"):
            tab.open(url + page)
            assert tab.text("h1")
        tab.open(f"{url}/queue")
        task = tab.evaluate("document.querySelector('.tasks .quiet').getAttribute('href')")
        tab.open(f"{service.settings.public_url}{task}")
        assert tab.text(".text")
        assert "%" in tab.text(".answers")

        tab.open(f"{url}/queue")
        tab.press("a[href$='/ask/pause']")
        tab.press("form[method=post] button")
        assert service.state(project)["steering"]["paused_by"]
        tab.press("a[href$='/ask/resume']")
        tab.press("form[method=post] button")
        assert not service.state(project)["steering"]

        tab.open(f"{url}/versions")
        began = time.monotonic()
        tab.press("a[href$='/ask/rollback']")
        tab.evaluate("document.querySelector('input[name=reason]').value = 'a test'")
        tab.press("form[method=post] button")
        assert first in tab.text("main")
        assert tab.errors == []
        hosts = {urlsplit(address).netloc for address in tab.requests if address[:4] == "http"}
        assert hosts == {urlsplit(url).netloc}
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
