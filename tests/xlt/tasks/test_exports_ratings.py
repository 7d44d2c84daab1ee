"""Ratings in the files of Label Studio: numbers, the annotators' median, what is none."""

from __future__ import annotations

import csv
import json

import pytest

from tests.xlt.tasks.exported import annotation, json_file, rated, task
from xlt.errors import DataError
from xlt.tasks.exports import read_file
from xlt.tasks.kinds import infer_task

FORMS = ("json", "json_min", "csv")


def written(folder, form, tasks, control="stars"):
    """The file that Label Studio exports in this form."""
    if form == "json":
        return json_file(folder, tasks)
    rows = []
    for one in tasks:
        for given in one["annotations"]:
            row = {**one["data"], "id": one["id"], "annotator": given["completed_by"]}
            row |= {"annotation_id": given["id"], "lead_time": 3.0}
            row |= {key: given[key] for key in ("created_at", "updated_at")}
            row |= {r["from_name"]: [r["value"]] for r in given["result"]}
            rows.append(row)
    if form == "json_min":
        return json_file(folder, rows)
    path = folder / "export.csv"
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, sorted({name for row in rows for name in row}))
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {k: json.dumps(v) if isinstance(v, list) else v for k, v in row.items()}
            )
    return path


def answers_of(path, **asked):
    """Id -> answer, and the line that says what the file is."""
    corpus = read_file(path, {"label": asked.pop("label", None)}, **asked)
    return {example.id: example.answer for example in corpus.examples}, corpus.summary


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["rating", "number"])
def test_ratings_are_numbers(tmp_path, form, kind):
    """Without an option: the file says that they are ratings; annotators agree on the median."""
    tasks = [
        task(1, rated(1, 5, kind=kind)),
        task(2, rated(2, 1, kind=kind)),
        task(3, rated(3, 2, 1, kind=kind), rated(4, 4, 2, kind=kind)),
        task(4, rated(5, 1, 1, kind=kind), rated(6, 5, 2, kind=kind)),
    ]
    path = written(tmp_path, form, tasks)
    answers, summary = answers_of(path)
    assert answers == {"1": 5, "2": 1, "3": 3, "4": None}
    assert summary == (
        "read 4 tasks of a Label Studio export: 3 labelled, 1 on which annotators disagree "
        "(labels from 'stars')"
    )
    labelled = read_file(path, {}).labelled
    assert infer_task(labelled).labels == ("1", "3", "5")
    assert [example.weight for example in labelled] == pytest.approx([1, 1, 0.75])


@pytest.mark.parametrize("form", FORMS)
def test_no_stars_are_no_answer(tmp_path, form):
    """They are counted; of numbers in a range, 0 is an answer."""
    tasks = [task(n, rated(n, n % 3)) for n in range(1, 7)]
    answers, summary = answers_of(written(tmp_path, form, tasks))
    assert {id for id, answer in answers.items() if answer is None} == {"3", "6"}
    assert "4 labelled, 2 without an answer" in summary
    tasks = [task(n, rated(n, n % 3, kind="number")) for n in range(1, 7)]
    answers, _ = answers_of(written(tmp_path, form, tasks))
    assert sorted(answers.values()) == [0, 0, 1, 1, 2, 2]


def test_choices_come_before_ratings(tmp_path):
    """As in a project; --label asks for the ratings."""
    tasks = [
        task(n, annotation(n, [label]) | {"result": [*annotation(n, [label])["result"], *stars]})
        for n, label, stars in [
            (1, "a", rated(1, 2)["result"]),
            (2, "b", rated(2, 5)["result"]),
        ]
    ]
    path = json_file(tmp_path, tasks)
    assert answers_of(path)[0] == {"1": "a", "2": "b"}
    assert answers_of(path, label="stars")[0] == {"1": 2, "2": 5}


def test_two_ratings_are_chosen_from(tmp_path):
    """By name."""
    tasks = [task(1, rated(1, 2)), task(2, rated(2, 3, control="other"))]
    with pytest.raises(DataError, match="several controls: 'stars', 'other'"):
        read_file(json_file(tmp_path, tasks), {})


def test_numbers_among_choices_are_ratings_if_they_are_asked_for(tmp_path):
    """`<Choice value="1"/>` up to 5 is a rating to some."""
    tasks = [
        task(1, annotation(1, ["1"])),
        task(2, annotation(2, ["2"], 1), annotation(3, ["4"], 2), annotation(4, ["3"], 3)),
    ]
    path = json_file(tmp_path, tasks)
    assert answers_of(path)[0] == {"1": "1", "2": None}
    assert answers_of(path, kind="rating")[0] == {"1": 1, "2": 3}
    assert answers_of(path, kind="single_label")[0] == {"1": "1", "2": None}
