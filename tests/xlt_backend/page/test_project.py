"""Page of a project: numbers as in /status and in the versions, and what is not known yet."""

from __future__ import annotations

import re

import pytest

from tests.fakes import CONFIG
from tests.xlt_backend.page.html import Page
from xlt.store.versions import Store, VersionMeta
from xlt_backend.page.languages import Estimate, choosing_of, reports_of
from xlt_backend.page.words import catalogues
from xlt_backend.queue.state import ProjectState
from xlt_backend.service.rows import Row

KEY = "7.1795330494"


def score(n: int, accuracy: float, low: float, high: float) -> dict[str, float]:
    """A score as versions keep it."""
    return {"n": n, "correct": n * accuracy, "accuracy": accuracy, "low": low, "high": high}


PAYOFF = {
    "choosing": {
        "fallen_back": False,
        "labels": 208,
        "gain": {"value": 0.031, "low": 0.006, "high": 0.056},
        "saved": {"more": {"value": 325.1, "low": 54.9, "high": 683.6}},
    },
    "languages": {
        "hau": {
            "last_labels": {"labels": 20, "value": -0.021, "low": -0.05, "high": 0.012},
            "saved": {"more": {"value": 41.0, "low": 5.0, "high": 96.2}},
            "forecast": {"gain": 0.02, "value": 80.4, "low": 60.2, "high": 110.0},
        },
        "yor": {"last_labels": {"words": "too early to say"}, "saved": {"words": "not known yet"}},
    },
}
STATE = {
    "key": KEY,
    "title": "Topics",
    "label_config": CONFIG,
    "labels": {"hau": 1034, "yor": 74},
    "audit_labels": {"hau": 38},
    "accuracy": {"hau": score(38, 0.7105, 0.5522, 0.83)},
    "payoff": PAYOFF,
    "weeks": {"hau": {"2026-11-02": 30, "2026-11-23": 1200}, "yor": {"2026-11-23": 4}},
    "unused": {
        "skipped": {"answers": 1400, "tasks": [str(n) for n in range(1, 13)]},
        "<i>odd</i>": {"answers": 2, "tasks": ["91"]},
    },
}


@pytest.fixture
def versions(tmp_path) -> list[str]:
    """Three versions in the store; the second one was kept back."""
    store = Store(tmp_path / "models").project(KEY)
    names = []
    for number in (1, 2, 3):
        meta = VersionMeta(
            data_hash=str(number),
            label_counts={"en": 100 * number, "hau": 10 * number},
            metrics={"audit": {"hau": score(10 * number, 0.5 + 0.1 * number, 0.3, 0.9)}},
            details={"refused": number == 2},
        )
        with store.stage() as stage:
            (stage / "model").write_text("x")
            names.append(store.commit(stage, meta))
        if number != 2:
            store.promote(names[-1], "better")
    return names


@pytest.fixture
def page(browser, states, versions) -> Page:
    """The page of a project with a model."""
    states.put("7", **STATE, model=versions[-1])
    return Page(browser.get("/projects/7").text)


def cells(page: Page, first: str) -> list[str]:
    """All rows of tables that begin with a text, as their texts."""
    rows = re.findall(r"<tr.*?</tr>", page.html, re.DOTALL)
    texts = [Page(row).text for row in rows]
    return [text for text in texts if text.startswith(first)]


def test_the_page_is_well_formed(page):
    """Tags are balanced and ids unique."""
    assert page.faults == []
    assert page.all("html")[0]["lang"] == "en"


def test_the_numbers_are_those_of_status(page, browser):
    """Labels, accuracy with interval, gains and saved labels by language."""
    status = browser.get("/status?project=7").json()["projects"]["7"]
    hau, last = status["accuracy"]["hau"], status["payoff"]["languages"]["hau"]["last_labels"]
    accuracy, gain, saved = (
        cells(page, "Hausa hau")[0],
        cells(page, "Hausa")[-3],
        cells(page, "Hausa")[-2],
    )

    assert f"{status['labels']['hau']:,} {status['audit_labels']['hau']} " in accuracy
    low, value, high = (f"{100 * hau[k]:.1f} %" for k in ("low", "accuracy", "high"))
    assert accuracy.endswith(f"{value} ({low} to {high})")
    assert gain.endswith(f"{last['labels']} \N{MINUS SIGN}2.1 (\N{MINUS SIGN}5.0 to +1.2)")
    assert saved.endswith("41 (5 to 96)")
    assert cells(page, "Hausa")[-1] == "Hausa hau 80 (60 to 110)"
    assert (
        "208 chosen labels against the same number of random ones: +3.1 (+0.6 to +5.6)" in page.text
    )
    assert cells(page, "All languages") == ["All languages 325 (55 to 684)"]


@pytest.mark.parametrize("lang", sorted(catalogues()))
@pytest.mark.parametrize("path", ["/", "/projects/7", "/projects/7/review"])
def test_pages_are_well_formed_in_every_language(page, browser, lang, path):
    """With its language and direction, and without English texts."""
    found = Page(browser.get(path, headers={"Accept-Language": lang}).text)
    words, english = catalogues()[lang], catalogues()["en"]

    assert found.faults == []
    assert found.all("html") == [{"lang": lang, "dir": words.dir}]
    for key in ("projects.trained", "accuracy.about", "review.about", "versions.menu"):
        assert (english.texts[key] not in found.text) or words.texts[key] == english.texts[key]


def test_what_is_not_known_is_said(page):
    """No number stands where none was measured."""
    accuracy, gain, saved, forecast = cells(page, "Yoruba")

    assert accuracy == "Yoruba yor 74 0 no audit labels yet"
    assert gain == saved == forecast == "Yoruba yor too early to say"


def test_the_curve_holds_the_versions_of_the_store(page, versions):
    """Each version is a point, and a row of the table behind the chart."""
    titles = [text for text in page.texts if re.match(r"v000\d-", text) and "labels" in text]

    assert [title.split(":")[0] for title in titles] == [
        versions[0],
        f"{versions[1]}, kept back",
        versions[2],
    ]
    assert "330 labels" in titles[2]
    rows = cells(page, "Hausa hau v000")
    assert [row.split()[2] for row in rows] == versions
    assert " 330 30 30 " in rows[2]


def test_answers_that_are_not_used_lead_to_label_studio(page):
    """By reason, with the first tasks; a reason is a text."""
    skipped, odd = cells(page, "skipped")[0], cells(page, "<i>odd")[0]
    links = [a for a in page.addresses() if a.startswith("http")]

    assert skipped.startswith("skipped 1,400 1 2 3")
    assert skipped.endswith("and 4 more")
    assert odd == "<i>odd</i> 2 91"
    assert links[0] == "http://localhost:8080/projects/7/data?task=1"
    assert {a.split("/")[2] for a in links} == {"localhost:8080"}


@pytest.mark.parametrize(
    "values", [{"last_error": "x"}, {"key": KEY}, {"title": "T", "labels": {"xx-bad-": 3}}]
)
def test_a_project_without_a_round_has_a_page(browser, states, values):
    """Nothing is known yet, and nothing fails."""
    states.put("7", **values)
    answer = browser.get("/projects/7")

    assert answer.status_code == 200
    assert Page(answer.text).faults == []
    assert "too early to say" in answer.text or "No labels yet" in answer.text


def test_an_unknown_project_is_named(browser, states):
    """With those that exist."""
    states.put("7", title="T")
    answer = browser.get("/projects/8")

    assert answer.status_code == 404
    assert "unknown project 8; known: 7" in Page(answer.text).text


def test_a_damaged_version_is_left_out_of_the_curve():
    """The others are still shown."""
    good = Row(
        name="v1", standing="active", labels={"hau": 3}, accuracy={"hau": score(4, 1, 0.5, 1)}
    )
    (report,) = reports_of(ProjectState(), [Row(name="v2", standing="damaged"), good])

    assert [point.version for point in report.curve] == ["v1"]


def test_a_fall_back_is_known():
    """Also before anything was measured."""
    assert choosing_of(ProjectState()).gain is None
    found = choosing_of(ProjectState(payoff={"choosing": {"fallen_back": True}}))
    assert found.fallen_back
    measured = choosing_of(ProjectState(payoff=PAYOFF))
    assert measured.gain == Estimate(value=0.031, low=0.006, high=0.056)


def test_labels_over_time_are_those_of_status(page, browser):
    """Each week has a column with all languages, and a row for each in the table."""
    assert browser.get("/status?project=7").json()["projects"]["7"]["weeks"] == STATE["weeks"]
    assert cells(page, "2026-11") == [
        "2026-11-02 Hausa hau 30",
        "2026-11-23 Hausa hau 1,200",
        "2026-11-23 Yoruba yor 4",
    ]
    assert "week from 2026-11-23: 1,204 labels" in page.texts
    columns = [rect for rect in page.all("rect") if rect.get("class") == "column"]
    assert len(columns) == 2
    gap = float(columns[1]["x"]) - float(columns[0]["x"])
    assert gap == pytest.approx(3 * (float(columns[0]["width"]) + 2))
