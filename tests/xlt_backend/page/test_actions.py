"""Pages *Versions* and *Queue*: what people see, press, are asked, and find in the log."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from tests.xlt_backend.service.test_registry import Loader
from tests.xlt_backend.web.server import make_parts
from tests.xlt_backend.world import World
from xlt_backend.page.actions import ACTIONS, weights
from xlt_backend.web.app import create_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def two(world) -> tuple[str, str]:
    """Two versions; the second is the active one."""
    world.setup()
    first = world.trained()
    world.label_studio.label_next(12)
    world.round()
    return first, world.shown


@pytest.fixture
def browser(world, two) -> Iterator[TestClient]:
    """A browser of a person whose name the server knows."""
    parts = make_parts(world.redis, world.store, Loader())
    app = create_app(replace(parts, basic_auth=("ada", "secret")))
    with TestClient(app, headers=BROWSER, raise_server_exceptions=False) as client:
        client.auth = ("ada", "secret")
        yield client


def press(browser: TestClient, action: str, **query: str):
    """Opens the page that asks, and presses yes; the answer of the server."""
    asked = browser.get(f"/projects/1/ask/{action}", params=query)
    if asked.status_code != 200:
        return asked
    return answer_yes(browser, asked.text)


def answer_yes(browser: TestClient, page: str, **more: str):
    """Sends the form of a page that asks."""
    form = page[page.index('<form method="post"') :]
    action = re.search(r'action="([^"]+)"', form)[1]
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))
    return browser.post(action, data=fields | more)


def logged(world: World, what: str):
    """The last line about an action in the log, as /status shows it."""
    return next(line for line in world.service.status("1")["log"] if line["what"] == what)


def test_rolling_back_takes_two_clicks(world, two, browser):
    """The link on the page, and yes; a person is named, and Label Studio follows."""
    page = browser.get("/projects/1/versions").text
    assert 'href="/projects/1/ask/rollback"' in page
    asked = browser.get("/projects/1/ask/rollback").text
    assert two[0] in asked
    assert two[1] in asked
    done = answer_yes(browser, asked, reason="Hausa  got worse")

    assert done.history[0].status_code == 303
    assert done.url.path == "/projects/1/versions"
    world.round()
    assert world.shown == two[0]
    log = logged(world, "rolled back")
    assert (log["by"], log["reason"]) == ("ada", "Hausa got worse")


def test_asking_changes_nothing(world, two, browser):
    """Neither does a link from elsewhere, nor a form without our token."""
    for action in ACTIONS:
        browser.get(f"/projects/1/ask/{action}", params={"version": two[0]})
        assert browser.post(f"/projects/1/do/{action}", data={"version": two[0]}).status_code == 403
        assert browser.get(f"/projects/1/do/{action}").status_code == 405

    assert world.versions.current() == two[1]
    assert world.versions.versions() == two
    assert {line["by"] for line in world.service.status("1")["log"]} == {"xlt"}


def test_of_two_people_at_once_the_second_is_told(world, two, browser):
    """Both have the question open; what the second one saw is no longer so."""
    asked = browser.get("/projects/1/ask/rollback").text
    assert answer_yes(browser, asked).status_code == 200
    late = answer_yes(browser, asked)

    assert late.status_code == 409
    assert "Nothing was changed" in late.text
    assert f"is {two[0]} by now" in late.text
    assert world.versions.current() == two[0]


def test_a_version_that_is_gone_is_named(world, two, browser):
    """It was deleted while the page was open."""
    asked = browser.get("/projects/1/ask/promote", params={"version": two[0]}).text
    world.versions.remove(two[0])
    assert answer_yes(browser, asked).status_code == 409
    for action in ("promote", "delete"):
        refused = browser.get(f"/projects/1/ask/{action}", params={"version": two[0]})
        assert refused.status_code == 409
        assert "no version" in refused.text
    assert press(browser, "rollback").status_code == 409

    assert world.versions.current() == two[1]


def test_versions_are_promoted_and_deleted(world, two, browser):
    """What cannot be deleted has no link, and is refused."""
    page = browser.get("/projects/1/versions").text
    assert f"ask/delete?version={two[0]}" in page
    assert f"ask/delete?version={two[1]}" not in page
    assert press(browser, "delete", version=two[1]).status_code == 409
    assert press(browser, "promote", version=two[0]).status_code == 200
    assert world.versions.current() == two[0]
    press(browser, "promote", version=two[1])
    assert press(browser, "delete", version=two[0]).status_code == 200
    assert world.versions.versions() == (two[1],)
    assert logged(world, "deleted")["by"] == "ada"


def test_two_versions_are_compared(two, browser):
    """Tables per language and per label; the numbers are those of the command."""
    page = browser.get("/projects/1/versions/compare", params={"one": two[0], "other": two[1]})
    assert page.status_code == 200
    for words in (*two, "By language", "By label", "sport", "audit tasks get another answer"):
        assert words in page.text
    gone = browser.get("/projects/1/versions/compare", params={"one": "v9", "other": two[1]})
    assert gone.status_code == 404


def test_a_version_is_downloaded_whole(world, two, browser):
    """As an archive with the folder inside."""
    answer = browser.get(f"/projects/1/versions/{two[0]}/download")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = set(archive.namelist())

    assert answer.headers["content-disposition"] == f'attachment; filename="{two[0]}.zip"'
    assert {f"{two[0]}/model.txt", f"{two[0]}/README.md"} <= names
    assert logged(world, "taken out")["before"] == two[0]


def test_the_queue_shows_the_next_tasks_with_reasons(world, two, browser):
    """Each links to Label Studio; filters keep what fits."""
    page = browser.get("/projects/1/queue").text
    tasks = re.findall(r"/projects/1/data\?task=(\d+)", page)
    assert len(tasks) == 50
    assert [int(task) for task in tasks[:5]] == world.label_studio.label_next(5)
    some = browser.get("/projects/1/queue", params={"lang": "sw"}).text
    tasks = re.findall(r"/projects/1/data\?task=(\d+)", some)
    assert {world.label_studio.stored[int(task)]["data"]["lang"] for task in tasks} == {"sw"}


def test_pause_and_resume(world, two, browser):
    """The page says who paused; training by hand is refused, also while the page was open."""
    asked = browser.get("/projects/1/ask/train").text
    assert "Paused by ada" in press(browser, "pause").text
    refused = answer_yes(browser, asked)
    assert refused.status_code == 409
    assert "paused by ada" in refused.text
    assert "Paused by" not in press(browser, "resume").text
    assert press(browser, "train").status_code == 200
    assert world.state.forced == 1
    assert logged(world, "asked to train")["by"] == "ada"


def test_a_quota_is_changed_and_said(world, two, browser):
    """It replaces the option until the fields are empty again."""
    page = press(browser, "quota", **{"weight.sw": "3", "weight.yo": "", "weight.en": "0,5"})
    assert "Set by ada here" in page.text
    assert world.service.status("1")["steering"]["quota"] == {"en": 0.5, "sw": 3.0}
    page = press(browser, "quota", **{"weight.sw": "", "weight.yo": ""})
    assert "Set by" not in page.text
    for wrong in ("x", "-1", "nan", "1e999", "1e308"):
        asked = browser.get("/projects/1/ask/quota", params={"weight.sw": wrong})
        assert asked.status_code == 409, "it is refused before a person says yes"
    assert world.service.status("1")["steering"] == {}


def test_cancelling_stops_the_round(world, two, browser):
    """Its link is there while a round runs."""
    assert "ask/cancel" not in browser.get("/projects/1/queue").text
    world.queue.request("1")
    lease = world.queue.start("1", world.redis.get("xlt:waiting:1").decode())
    assert "ask/cancel" in browser.get("/projects/1/queue").text
    press(browser, "cancel")

    assert lease.cancelled()


@pytest.mark.parametrize(
    "path",
    ["versions", "queue", "ask/promote", "ask/explode", "versions/compare", "versions/x/download"],
)
def test_unknown_projects_and_actions_are_pages_that_say_so(browser, path):
    """No traceback, and no page of another project."""
    answer = browser.get(f"/projects/9/{path}")

    assert answer.status_code == 404
    assert "known: 1" in answer.text


def test_a_script_is_shown_as_text(world, two, browser):
    """In a reason, in a query, in the name of a person."""
    script = "<script>alert(1)</script>"
    asked = browser.get("/projects/1/ask/rollback", params={"version": script, "x": script}).text
    page = answer_yes(browser, asked, reason=script).text
    assert "&lt;script&gt;alert" in page
    queue = browser.get("/projects/1/queue", params={"lang": script, "slot": script}).text
    compared = browser.get("/projects/1/versions/compare", params={"one": script}).text
    assert all("<script>alert" not in text for text in (asked, page, queue, compared))


def test_marks_that_turn_or_hide_text_are_not_logged(two, browser):
    """Terminals obey control characters; letters of all scripts are kept."""
    asked = browser.get("/projects/1/ask/rollback").text
    answer_yes(browser, asked, reason="\x1b[31m\u202ebad\x00\n می\u200cخواهم " + "r" * 3000)
    reason = browser.get("/status").json()["projects"]["1"]["log"][0]["reason"]

    assert reason.startswith("[31mbad می\u200cخواهم rrr")
    assert len(reason) == 500


def test_weights_are_read_from_a_form():
    """Empty fields do not count, and others are left alone."""
    assert weights({"weight.hau": " 2 ", "weight.yor": "", "token": "x"}) == {"hau": 2.0}


def test_chosen_tasks_come_first_in_label_studio(world, browser):
    """Ids in a field, or ticked; the page that asks names them, the queue shows them."""
    asked = browser.get("/projects/1/ask/first", params={"tasks": "90, 91", "task.92": "on"})
    assert all(f">{task}<" in asked.text for task in (90, 91, 92))

    answer_yes(browser, asked.text)
    assert ">91<" in browser.get("/projects/1/queue").text
    assert logged(world, "label next")["after"] == "90, 91, 92"
    assert logged(world, "label next")["by"] == "ada"
    assert world.queue.status("1") == "waiting"

    assert 'href="/projects/1/ask/first"' in browser.get("/projects/1/queue").text
    press(browser, "first")
    assert 'href="/projects/1/ask/first"' not in browser.get("/projects/1/queue").text


def test_ids_that_are_none_are_refused(world, browser):
    """Before anything is asked, in a line."""
    refused = browser.get("/projects/1/ask/first", params={"tasks": "90 <b>"})

    assert refused.status_code == 409
    assert "expected the id of a task, got &#39;&lt;b&gt;&#39;" in refused.text
