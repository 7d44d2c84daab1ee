"""Quality by label on the page: the numbers of /status, of the report and of `xlt evaluate`."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from tests.fakes import LABELS, scores_of
from tests.xlt_backend.page.html import Page
from tests.xlt_backend.page.test_project import cells
from tests.xlt_backend.page.test_site import make_site
from tests.xlt_backend.service.test_registry import Loader
from tests.xlt_backend.web.server import make_parts
from xlt.cli.judged import judged
from xlt.data.examples import Example
from xlt.tasks.calibration import Calibration
from xlt.tasks.intervals import Interval
from xlt.tasks.kinds import task_from_json
from xlt.tasks.predictions import interpret
from xlt.tasks.quality import Bin, Quality, quality
from xlt_backend.page.judged import JudgedChart
from xlt_backend.page.report import report_html, report_json
from xlt_backend.page.words import catalogues
from xlt_backend.rounds.known import EXAMPLES
from xlt_backend.trainer.folder import read_json, write_json
from xlt_backend.web.app import create_app

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
EN = catalogues()["en"]


@pytest.fixture
def parts(world):
    """The server of a project with a model that is sometimes wrong."""
    world.setup()
    world.trainer.skill = 0.6
    world.trained()
    return make_parts(world.redis, world.store, Loader())


@pytest.fixture
def browser(parts) -> Iterator[TestClient]:
    """A browser at it."""
    with TestClient(create_app(parts), headers=BROWSER, raise_server_exceptions=False) as client:
        yield client


def status(browser: TestClient) -> dict:
    """The quality of the active version in the detailed status."""
    return browser.get("/status?project=1&detail=true").json()["projects"]["1"]


def test_the_matrix_adds_up_to_the_accuracy(browser):
    """Its diagonal is the number of right answers, in each language."""
    found = status(browser)

    assert found["quality"]["version"] == found["model"]
    for lang, score in found["accuracy"].items():
        own = found["quality"]["languages"][lang]
        assert own["n"] == score["n"]
        right = sum(cell["n"] for cell in own["confusions"] if cell["truth"] == cell["said"])
        assert right == score["correct"]
    assert "quality" not in browser.get("/status?project=1").json()["projects"]["1"]


def test_the_numbers_are_those_of_evaluate(browser, world):
    """`xlt evaluate` of the version on the audit tasks gives the same, decimal by decimal."""
    folder = world.versions.open(world.shown)
    rows = {id: row for id, row in read_json(folder / EXAMPLES).items() if "said" in row}
    task = task_from_json({"kind": "single_label", "labels": list(LABELS)})
    texts = [world.label_studio.stored[int(id)]["data"]["text"] for id in rows]
    examples = [
        Example(id=id, texts=(text,), lang=row["lang"], answer=row["answer"])
        for (id, row), text in zip(rows.items(), texts, strict=True)
    ]
    langs = [example.lang for example in examples]
    scores = scores_of(texts, LABELS, world.trainer.skill)
    predictions = interpret(task, scores, langs, Calibration.load(folder))
    found = judged(task, examples, predictions, title="", model=folder, seed=13)
    shown = status(browser)

    assert found["languages"] == shown["accuracy"]
    for mine, theirs in (
        (found["quality"]["total"], shown["quality"]["total"]),
        *((each, shown["quality"]["languages"][lang]) for lang, each in by_lang(found)),
    ):
        mine, theirs = (json.loads(json.dumps(each)) for each in (mine, theirs))
        bins = [mine.pop("bins"), theirs.pop("bins")]
        assert mine.pop("ece") == pytest.approx(theirs.pop("ece"), abs=2e-4)
        assert mine == theirs
        assert [each["n"] for each in bins[0]] == [each["n"] for each in bins[1]]


def by_lang(found: dict) -> list:
    """The languages of what `xlt evaluate` prints."""
    return list(found["quality"]["languages"].items())


def test_page_and_report_show_them(browser, parts):
    """Precision and recall of each label, and as many answers as there are."""
    total = status(browser)["quality"]["total"]
    page = Page(browser.get("/projects/1").text)
    report = Page(report_html(make_site(parts), "1", EN))

    for shown in (page, report):
        assert shown.faults == []
        for number, label in enumerate(total["labels"], start=1):
            row = cells(shown, f"{number} {label['label']} ")[0]
            assert row.endswith(f" {label['given']} {label['said']}")
            if label["recall"]:
                assert f"{100 * label['recall']['value']:.0f} %" in row.replace("\xa0", " ")
    assert report_json(make_site(parts), "1")["status"]["quality"]["total"]["n"] == total["n"]
    assert {f"?lang={lang}#judged" for lang in status(browser)["quality"]["languages"]} <= set(
        page.addresses()
    )


def test_a_language_has_its_own_charts(browser):
    """The page shows one language at a time; one that is unknown shows all."""
    found = status(browser)["quality"]
    lang, own = next(iter(found["languages"].items()))
    page = Page(browser.get(f"/projects/1?lang={lang}").text)

    given = sum(label["given"] for label in own["labels"])
    rows = [cells(page, f"{at} {label['label']} ")[0] for at, label in enumerate(own["labels"], 1)]
    assert sum(int(row.split()[-2]) for row in rows) == given == own["n"]
    assert browser.get("/projects/1?lang=<b>").status_code == 200


def test_a_version_of_an_earlier_xlt_has_no_calibration(browser, world):
    """It wrote no confidences: the page says so, and shows the rest."""
    file = world.versions.open(world.shown) / EXAMPLES
    rows = read_json(file)
    for row in rows.values():
        row.pop("confidence", None)
    write_json(file, rows)
    from xlt_backend.service.quality import _read

    _read.cache_clear()
    page = Page(browser.get("/projects/1").text)

    assert EN("judged.no_confidence") in page.text
    assert EN("judged.precision") in page.text


def test_points_stand_where_their_numbers_say():
    """A bin at half confidence and full credit is in the middle of the top."""
    sure = Bin(
        low=0.4, high=0.5, n=7, confidence=0.5, credit=Interval(value=1.0, low=0.65, high=1.0)
    )
    drawn = str(JudgedChart(EN, Quality(n=7, bins=(sure,))).calibration())

    assert 'cx="185.0" cy="24.0"' in drawn
    assert "7 answers with confidence 50" in drawn


def test_labels_are_texts():
    """A label of the interface cannot become an element."""
    task = task_from_json({"kind": "single_label", "labels": ["<b>x", "y"]})
    drawn = str(JudgedChart(EN, quality(task, ["<b>x", "y"], ["y", "<b>x"])).matrix())

    assert "<b>" not in drawn
    assert drawn.count("<rect") == 8
