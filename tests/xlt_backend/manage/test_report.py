"""`xlt report`: one file that needs no server, with the numbers of /status."""

from __future__ import annotations

import json

import pytest

from tests.xlt_backend.page.html import Page
from xlt_backend.cli import main
from xlt_backend.manage import report
from xlt_backend.page.site import Site
from xlt_backend.service.controls import Controls
from xlt_backend.service.versions import Versions


@pytest.fixture
def project(world, monkeypatch) -> str:
    """A project with a version."""
    world.setup()
    version = world.trained()
    common = {"states": world.states, "queue": world.queue, "store": world.store}
    site = Site(
        service=world.service,
        queue=world.queue,
        versions=Versions(**common),
        controls=Controls(**common),
        secret="",
        label_studio_url="http://localhost:8080",
        now=lambda: world.time,
    )
    monkeypatch.setattr(report, "build", lambda settings: site)
    return version


def test_a_report_is_one_file(world, project, tmp_path, capsys):
    """Well-formed, without scripts and files beside it, with the numbers of /status."""
    out = tmp_path / "report.html"
    assert main(["report", "1", "--output", str(out)]) == 0
    page = Page(out.read_text("utf-8"))
    status = world.service.status("1")

    assert page.faults == []
    assert page.all("script") == page.all("link") == page.all("img") == page.all("form") == []
    assert {a.split("/")[2] for a in page.addresses()} <= {"localhost:8080"}
    assert project in page.text
    for lang, count in status["labels"].items():
        assert f"{lang} {count} {status['audit_labels'].get(lang, 0)} " in page.text
    assert capsys.readouterr().err == f"wrote {out}\n"


def test_a_report_in_another_language(project, tmp_path):
    """From right to left."""
    out = tmp_path / "report.html"
    assert main(["report", "1", "--output", str(out), "--language", "ar"]) == 0

    assert Page(out.read_text("utf-8")).all("html") == [{"lang": "ar", "dir": "rtl"}]


def test_the_numbers_as_json(world, project, capsys):
    """The status, and each version with its scores."""
    assert main(["report", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    quality = found["status"].pop("quality")

    assert quality["total"]["n"] == sum(n["n"] for n in found["status"]["accuracy"].values())
    assert found["status"] == json.loads(json.dumps(world.service.status("1")))
    assert [row["name"] for row in found["versions"]] == [project]
    assert found["versions"][0]["accuracy"] == found["status"]["accuracy"]


@pytest.mark.parametrize("argv", [["report", "9"], ["report", "9", "--json"]])
def test_an_unknown_project_is_named(project, argv, capsys):
    """One line on standard error, with those that exist."""
    assert main(argv) == 1
    assert capsys.readouterr().err == "xlt: xlt knows no project '9'; it knows 1\n"


def test_a_file_that_cannot_be_written_is_named(project, tmp_path, capsys):
    """With what to do."""
    assert main(["report", "1", "--output", str(tmp_path / "none" / "report.html")]) == 1
    assert "choose another --output" in capsys.readouterr().err
