"""Files with paths of a tree: Label Studio's exports of a taxonomy, and tables."""

from __future__ import annotations

import json

import pytest

from tests.xlt.tasks.exported import annotation, json_file, lines_file, task
from xlt.errors import DataError
from xlt.tasks.exports import read_file
from xlt.tasks.kinds import infer_task, read_answers
from xlt.tasks.taxonomy.task import Taxonomy

DIET, ILLNESS, SPORT = ("Health", "Diet"), ("Health", "Illness"), ("Sport",)


def chosen(number, paths, who=1, **more):
    """An annotation with paths, as Label Studio's page writes it."""
    given = annotation(number, [], who, **more)
    value = {"taxonomy": [list(path) for path in paths]}
    result = {"from_name": "topic", "to_name": "text", "type": "taxonomy", "value": value}
    return given | {"result": [{"id": "r", **result}] if paths else []}


def flat(tasks):
    """The rows of JSON_MIN: a taxonomy is a list of objects."""
    rows = []
    for one in tasks:
        for given in one["annotations"]:
            row = {**one["data"], "id": one["id"], "annotator": given["completed_by"]}
            row |= {"annotation_id": given["id"], "lead_time": 3.0}
            if given["result"]:
                row["topic"] = [given["result"][0]["value"]]
            rows.append(row)
    return rows


def written(folder, form, tasks):
    """The tasks in a format of Label Studio."""
    if form == "JSON":
        return json_file(folder, tasks)
    rows = flat(tasks)
    if form == "JSON_MIN":
        return json_file(folder, rows)
    path = folder / "export.csv"
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [",".join(names)]
    for row in rows:
        cells = [row.get(name, "") for name in names]
        texts = [c if isinstance(c, str) else json.dumps(c) for c in cells]
        lines.append(",".join('"' + text.replace('"', '""') + '"' for text in texts))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path, **options):
    """The answers by id, the task that they make, and the summary."""
    corpus = read_file(path, {}, **options)
    kind = infer_task(corpus.labelled)
    answers = {e.id: e.answer for e in read_answers(corpus.examples, kind)}
    return answers, kind, corpus.summary


of_every_form = pytest.mark.parametrize("form", ["JSON", "JSON_MIN", "CSV"])


@of_every_form
def test_an_export_of_a_taxonomy_is_one(form, tmp_path):
    """With the votes of annotators; nobody chose several, so that no path is no answer."""
    tasks = [
        task(1, chosen(1, [DIET])),
        task(2, chosen(2, [DIET], 1), chosen(3, [ILLNESS], 2), chosen(4, [DIET], 3)),
        task(3, chosen(5, [SPORT], 1), chosen(6, [DIET], 2)),
        task(4, chosen(7, [])),
        task(5, chosen(8, [ILLNESS])),
        task(6, chosen(9, [SPORT])),
    ]
    answers, kind, summary = read(written(tmp_path, form, tasks))

    assert kind == Taxonomy(paths=(DIET, ILLNESS, SPORT))
    assert answers == {
        "1": (DIET,), "2": (DIET,), "3": None, "4": None, "5": (ILLNESS,), "6": (SPORT,)
    }  # fmt: skip
    assert "4 labelled" in summary
    assert "1 on which annotators disagree" in summary
    assert "labels from 'topic'" in summary


@of_every_form
def test_several_paths_are_several(form, tmp_path):
    """Then an annotation without one says that none fits; a way to a path is the path."""
    tasks = [
        task(1, chosen(1, [DIET, SPORT])),
        task(2, chosen(2, [["Health"], DIET])),
        task(3, chosen(3, [])),
        task(4, chosen(4, [["Health"]])),
    ]
    answers, kind, _ = read(written(tmp_path, form, tasks))

    assert kind == Taxonomy(paths=(("Health",), DIET, SPORT), most=None)
    assert answers == {"1": (DIET, SPORT), "2": (DIET,), "3": (), "4": (("Health",),)}


def test_annotators_agree_on_what_they_share(tmp_path):
    """As in the service: half chose each leaf, all of them the branch, which is an answer."""
    tasks = [
        task(1, chosen(1, [DIET], 1), chosen(2, [ILLNESS], 2)),
        task(2, chosen(3, [["Health"]])),
        task(3, chosen(4, [SPORT])),
    ]
    corpus = read_file(json_file(tmp_path, tasks), {})
    assert [e.answer for e in corpus.examples] == [(("Health",),), (("Health",),), (SPORT,)]
    assert corpus.examples[0].weight == pytest.approx(2 / 3)


def test_one_path_alone_is_read_too(tmp_path):
    """A file to judge a model by may have no other; it makes no task of its own."""
    corpus = read_file(json_file(tmp_path, [task(1, chosen(1, [DIET]))]), {}, kind="taxonomy")
    known = Taxonomy(paths=(DIET, SPORT))
    assert [e.answer for e in read_answers(corpus.examples, known)] == [(DIET,)]


def test_a_result_of_another_form_is_no_answer(tmp_path):
    """It is left out and counted, like an empty one."""
    broken = chosen(1, [DIET])
    broken["result"][0]["value"] = {"taxonomy": ["Health", 3]}
    tasks = [task(1, broken), task(2, chosen(2, [DIET])), task(3, chosen(3, [SPORT]))]
    answers, _, summary = read(json_file(tmp_path, tasks))
    assert answers == {"1": None, "2": (DIET,), "3": (SPORT,)}
    assert "1 without an answer" in summary


@pytest.mark.parametrize(
    ("cells", "kind", "expected"),
    [
        ([[["Health", "Diet"]], [["Sport"]]], None, [(DIET,), (SPORT,)]),
        (['[["Health", "Diet"]]', '[["Sport"]]'], None, [(DIET,), (SPORT,)]),
        ([[["Health", "Diet"], ["Sport"]], []], None, [(DIET, SPORT), ()]),
        (["Health / Diet", "Sport"], "taxonomy", [(DIET,), (SPORT,)]),
        ([["Health/Diet", "Sport"], ["Sport"]], "taxonomy", [(DIET, SPORT), (SPORT,)]),
    ],
)
def test_tables_hold_paths_or_labels_of_them(cells, kind, expected, tmp_path):
    """A list of paths makes a taxonomy; labels do if the kind is asked for."""
    rows = [{"text": f"text {n}", "label": cell} for n, cell in enumerate(cells)]
    corpus = read_file(lines_file(tmp_path, rows, "table.jsonl"), {}, kind=kind)
    found = infer_task(corpus.labelled, kind)
    assert found.kind == "taxonomy"
    assert [e.answer for e in read_answers(corpus.examples, found)] == expected


@pytest.mark.parametrize("cell", [[["Health", 3]], [[]], [{"a": 1}], [[["Health"]]]])
def test_lists_of_another_form_are_refused(cell, tmp_path):
    """By the row, with what is expected."""
    rows = [{"text": "one", "label": cell}, {"text": "two", "label": [["Sport"]]}]
    with pytest.raises(DataError, match="row 1: expected a label or a list of labels, got"):
        read_file(lines_file(tmp_path, rows, "table.jsonl"), {})
