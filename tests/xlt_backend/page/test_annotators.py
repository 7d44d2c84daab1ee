"""Page *Annotators*: the numbers of /status, the reader first, nobody ranked."""

from __future__ import annotations

import pytest

from tests.xlt_backend.page.html import Page
from xlt_backend.page.annotators import shown_of
from xlt_backend.page.words import catalogues
from xlt_backend.queue.state import ProjectState

PEOPLE = {
    "2": {"hau": {"answers": 40, "compared": 10, "agreement": 0.9, "low": 0.6, "high": 0.98}},
    "10": {"hau": {"answers": 3, "compared": 0}, "yor": {"answers": 1200, "compared": 0}},
    "<b>eve": {"hau": {"answers": 5, "compared": 1, "agreement": 1.0, "low": 0.2, "high": 1.0}},
}
CERTAINTY = {"hau": {"tasks": 48, "several": 11, "sure": 39}}


@pytest.fixture
def page(browser, states):
    """Opens the page."""
    states.put("7", title="T", people=PEOPLE, certainty=CERTAINTY)
    return lambda query="": Page(browser.get(f"/projects/7/annotators{query}").text)


def test_the_numbers_are_those_of_status(page, browser):
    """Answers, tasks compared, agreement with its interval, and how sure the group is."""
    status = browser.get("/status?project=7").json()["projects"]["7"]
    found = page()

    assert found.faults == []
    assert status["people"] == PEOPLE
    assert "Hausa hau 40 10 90.0 % (60.0 % to 98.0 %)" in found.text.replace("\xa0", " ")
    assert "Yoruba yor 1,200 0 no other person answered these tasks" in found.text
    assert "Hausa hau 48 11 39" in found.text


def test_nobody_is_ranked():
    """People come by their number, whatever they agree."""
    shown = shown_of(ProjectState(people=PEOPLE), "")

    assert [person.name for person in shown.others] == ["2", "10", "<b>eve"]
    assert shown.mine is None


def test_the_reader_comes_first(page):
    """Chosen by a link on the page; unknown names change nothing."""
    found = page("?me=10")
    heads = [text for text in found.texts if text.startswith(("You", "Annotator "))]

    assert heads == ["You (10)", "Annotator 2", "Annotator <b>eve"]
    assert "?me=2" in found.addresses()
    assert "You" not in page("?me=nobody").text


@pytest.mark.parametrize("lang", sorted(catalogues()))
def test_the_page_is_in_every_language(page, browser, lang):
    """With its direction; also for a project that no round has read."""
    page()
    headers = {"Accept-Language": lang}
    found = Page(browser.get("/projects/7/annotators", headers=headers).text)
    assert found.faults == []
    assert catalogues()[lang]("people.about") in found.text
