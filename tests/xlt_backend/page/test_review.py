"""Page *Labels to review*: the suspect labels of /status, with a way to correct each."""

from __future__ import annotations

import pytest

from tests.xlt_backend.page.html import Page
from xlt_backend.page.review import words_of

SUSPECTS = [
    {
        "task": "101",
        "lang": "hau",
        "answers": {"3": "sport", "5": "<b>food</b>"},
        "expected": "music",
        "doubt": 0.9712,
        "unlabelled_before": 0,
        "reason": "models expect 'music'",
    },
    {
        "task": "7",
        "lang": "fr",
        "answers": {"3": ["sport", "food"]},
        "expected": [],
        "doubt": 0.5,
        "unlabelled_before": 4,
        "reason": "models expect nothing",
    },
]


def test_each_suspect_label_of_status_is_shown(browser, states):
    """In the same order, with answers, reason and one link into Label Studio."""
    states.put("1", title="Topics", doubtful=SUSPECTS)
    page = Page(browser.get("/projects/1/review").text)
    status = browser.get("/status?project=1").json()["projects"]["1"]["doubtful"]

    assert page.faults == []
    places = [page.text.index(f"Task {label['task']} ") for label in status]
    assert places == sorted(places)
    assert "Annotator 5 <b>food</b>" in page.text
    assert "Annotator 3 sport, food" in page.text
    assert "97 %" in page.text
    assert all(label["reason"] in page.text for label in status)
    links = [a for a in page.addresses() if a.startswith("http")]
    assert links == [f"http://localhost:8080/projects/1/data?task={n}" for n in (101, 7)]


def test_a_filter_by_language_does_not_change_the_language_of_the_page(browser, states):
    """Labels in French are read by people who read English."""
    states.put("1", title="Topics", doubtful=SUSPECTS)
    answer = browser.get("/projects/1/review?lang=fr")
    page = Page(answer.text)

    assert answer.headers["Content-Language"] == "en"
    assert "Task 7 " in page.text
    assert "Task 101 " not in page.text
    assert "All languages 2" in page.text


def test_without_suspect_labels_the_page_says_so(browser, states):
    """Also for a filter that fits none."""
    states.put("1", title="Topics")

    assert "No label looks wrong" in browser.get("/projects/1/review?lang=%3Cb%3E").text
    assert browser.get("/projects/9/review").status_code == 404


@pytest.mark.parametrize(
    ("answer", "words"),
    [("a", "a"), (["a", "b"], "a, b"), ([], "–"), (4, "4"), ([["a", "b"]], '[["a", "b"]]')],
)
def test_answers_of_all_kinds_have_words(answer, words):
    """A list of labels is read as one; what is nested keeps its form."""
    assert words_of(answer) == words
