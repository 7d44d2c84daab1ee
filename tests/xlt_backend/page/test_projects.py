"""Page *Projects*: numbers as in /status, phases, errors with fixes, and its stream."""

from __future__ import annotations

import json

import pytest

from tests.fakes import CONFIG
from tests.xlt_backend.page.html import Page
from xlt_backend.page.phases import phase_of
from xlt_backend.page.troubles import troubles_of
from xlt_backend.page.words import catalogues
from xlt_backend.queue.state import ProjectState

LABELS = {"en": 120, "hau": 1034, "yor": 0}


def test_without_a_project_the_page_says_how_to_connect_one(browser):
    """The first thing that a new user sees."""
    page = Page(browser.get("/").text)

    assert page.faults == []
    assert "xlt connect --project ID" in page.text


def test_the_numbers_are_those_of_status(browser, states):
    """People and machines see the same."""
    states.put(
        "7",
        title="Topics",
        label_config=CONFIG,
        labels=LABELS,
        audit_labels={"hau": 31, "sw": 2},
        tasks=3000,
        open_tasks=1876,
        model="v0007-20261129T120000",
    )
    page = Page(browser.get("/projects").text)
    status = browser.get("/status").json()["projects"]["7"]

    assert page.faults == []
    shown = page.text
    assert f"Training labels {sum(status['labels'].values()):,} " in shown
    assert f"Audit labels {sum(status['audit_labels'].values())} " in shown
    assert f"{status['open_tasks']:,} of {status['tasks']:,}" in shown
    assert status["model"] in shown
    assert "Languages 3 " in shown
    assert "one label per text sport music food" in shown


@pytest.mark.parametrize(
    ("phase", "queue", "state", "step"),
    [
        ("train", "running", "running", "train"),
        ("done", "idle", "idle", "done"),
        ("done", "waiting", "waiting", "done"),
        ("failed in publish", "idle", "failed", "publish"),
        ("failed in publish", "held", "failed", "publish"),
        ("failed in publish", "running", "running", "publish"),
        ("train", "idle", "idle", "train"),
    ],
)
def test_phases(phase, queue, state, step):
    """A failure is shown until the next round runs or waits."""
    found = phase_of(ProjectState(phase=phase), queue)

    assert (found.state, found.step) == (state, step)


@pytest.mark.parametrize(("done", "total"), [(-1, 5), (9, 5), (3, -2), (0, 0)])
def test_progress_stays_within_its_bar(done, total):
    """0 <= done <= total, also while a round changes the step."""
    phase = phase_of(ProjectState(phase="train", done=done, total=total), "running")

    assert 0 <= phase.done <= phase.total


def test_every_error_has_a_fix():
    """Each fix is a text of the catalogue."""
    words = catalogues()["en"]
    errors = {
        "publish: Label Studio does not answer at http://localhost:8080": "fix.label_studio",
        "train: the training diverged at step 3": "fix.diverged",
        "save: OSError: No space left on device": "fix.disk",
        "version v1 is damaged": "fix.damaged",
        "KeyError: 'x'": "fix.other",
    }
    for error, fix in errors.items():
        assert [t.fix for t in troubles_of(ProjectState(last_error=error))] == [fix]
        assert words(fix, project="7")
    both = troubles_of(ProjectState(config_error="no control", last_error="x"))
    assert [trouble.fix for trouble in both] == ["fix.config", "fix.other"]


def test_an_error_is_shown_with_its_fix(browser, states):
    """The message, its time, and the command that helps."""
    states.put("7", phase="failed in publish", last_error="publish: boom", last_error_at=1.8e9)
    text = Page(browser.get("/").text).text

    assert "Failed: Sending suggestions" in text
    assert "publish: boom" in text
    assert "2027-01-15 08:00 UTC" in text
    assert "xlt doctor --project 7" in text


def test_a_pause_names_the_person(browser, states, parts):
    """People see why nothing is trained."""
    states.put("7", key="7.1795330494", title="Topics")
    parts.controls.pause("7", by="ada")

    assert "Paused by ada" in Page(browser.get("/").text).text


def events(text: str) -> list[dict[str, str]]:
    """The events of a stream."""
    lines = [line for line in text.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_the_stream_sends_what_the_page_shows(browser, states, parts):
    """Each part replaces the element with its id."""
    states.put("7", title="Topics", phase="train", done=30, total=120)
    parts.queue.request("7")
    page = browser.get("/").text
    answer = browser.get("/events")

    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = events(answer.text)
    assert event["id"] == "progress-7"
    assert f'id="{event["id"]}"' in event["html"]
    assert event["html"].strip() in page


def test_the_stream_of_one_project(browser, states):
    """The project's page follows that project only."""
    states.put("7", title="Topics")
    states.put("8", title="Others")

    assert [e["id"] for e in events(browser.get("/events?project=8").text)] == ["progress-8"]
    assert browser.get("/events?project=9").status_code == 404
