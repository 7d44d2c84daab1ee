"""The commands on files with spans, with a tiny encoder."""

from __future__ import annotations

import json

import pytest

from tests.xlt.cli.rows import lines, table
from tests.xlt.tasks.exported import annotation, json_file, task
from xlt.data.corpus import corpus_of
from xlt.data.marked.iob import tags_of
from xlt.data.marked.words import words_in
from xlt.data.marked.writing import as_conllu
from xlt.data.spans import Span
from xlt.data.tables import read_rows
from xlt_backend.cli import main

TEXTS = [
    (f"the cat of {name} sat {n}", name) for n in range(6) for name in ("Ama", "Accra", "𞤀𞤣𞤢𞤥")
]
ROWS = [
    {"id": f"{lang}{n}", "lang": lang, "text": text, "spans": [span.to_json()]}
    for lang in ("en", "ha")
    for n, (text, name) in enumerate(TEXTS)
    for span in [Span(11, 11 + len(name), "LOC" if name == "Accra" else "PER")]
]


def spans_of(row):
    """The spans of a row."""
    return [Span.from_json(span) for span in row["spans"]]


def conllu(folder):
    """The rows in CoNLL-U."""
    path = folder / "data.conllu"
    parts = []
    for row in ROWS:
        places = words_in(row["text"])
        tags, _ = tags_of(spans_of(row), places)
        parts.append(as_conllu(row["text"], places, tags, id=row["id"], lang=row["lang"]))
    path.write_text("".join(parts), encoding="utf-8")
    return str(path)


def tokens(folder):
    """The rows with tokens and tags."""
    rows = []
    for row in ROWS:
        places = words_in(row["text"])
        words = [row["text"][start:end] for start, end in places]
        cells = {"tokens": words, "ner_tags": tags_of(spans_of(row), places)[0]}
        rows.append({"id": row["id"], "lang": row["lang"], **cells})
    return table(folder, rows)


def export(folder):
    """The rows as Label Studio exports them."""
    tasks = [
        task(
            n,
            annotation(
                n,
                [],
                result=[
                    {
                        "from_name": "label",
                        "to_name": "text",
                        "type": "labels",
                        "value": {"start": s.start, "end": s.end, "labels": [s.label]},
                    }
                    for s in spans_of(row)
                ],
            ),
            text=row["text"],
            lang=row["lang"],
        )
        for n, row in enumerate(ROWS)
    ]
    return str(json_file(folder, tasks))


FORMS = {"offsets": lambda f: table(f, ROWS), "CoNLL-U": conllu, "tokens": tokens, "export": export}


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_encoder) -> str:
    """A model of spans."""
    folder = tmp_path_factory.mktemp("spans")
    argv = ["train", table(folder, ROWS), "--out", str(folder / "m"), "--held-out", "0.2"]
    assert main([*argv, "--encoder", str(tiny_encoder)]) == 0
    return str(folder / "m")


@pytest.mark.parametrize("form", FORMS)
def test_a_model_is_trained_on_every_form(form, tmp_path, tiny_encoder, capsys):
    """The same spans, and a line that counts them."""
    data = FORMS[form](tmp_path)
    argv = ["train", data, "--out", str(tmp_path / "m"), "--held-out", "0", "--json"]
    assert main([*argv, "--encoder", str(tiny_encoder)]) == 0
    shown = capsys.readouterr()
    assert lines(shown.out)[0]["labels"] == ["LOC", "PER"]
    assert "read 36 spans of " in shown.err
    assert "36 labels, 0 held out" in shown.err
    assert json.loads((tmp_path / "m" / "task.json").read_text())["kind"] == "spans"


@pytest.mark.parametrize("form", FORMS)
def test_a_model_is_judged_on_every_form(form, trained, tmp_path, capsys):
    """With the same result."""
    assert main(["evaluate", trained, FORMS[form](tmp_path), "--json"]) == 0
    shown = capsys.readouterr()
    assert main(["evaluate", trained, table(tmp_path, ROWS, "same.jsonl"), "--json"]) == 0
    [found], [same] = lines(shown.out), lines(capsys.readouterr().out)
    assert found["total"] == same["total"]
    assert found["total"]["n"] == 36


@pytest.mark.parametrize("form", ["jsonl", "csv", "conllu"])
def test_predictions_are_a_table_of_the_same_texts(form, trained, tmp_path, capsys):
    """Whose spans are those that the model suggests."""
    data = table(tmp_path, [{"id": row["id"], "text": f"\n {row['text']} "} for row in ROWS])
    answers = []
    for wanted in ("jsonl", form):
        assert main(["predict", trained, data, "--format", wanted]) == 0
        path = tmp_path / f"out.{wanted}"
        path.write_text(capsys.readouterr().out, encoding="utf-8", newline="")
        read = corpus_of(read_rows(path), str(path), {}, kind="spans").examples
        assert [example.text for example in read] == [f"\n {row['text']} " for row in ROWS]
        answers.append([example.answer for example in read])
    if form != "conllu":  # which has one label for each token, and none of half a token
        assert answers[0] == answers[1]


def test_a_form_that_the_kind_does_not_have_is_one_line(model, trained, tmp_path, capsys):
    """Before the texts are read."""
    assert main(["predict", model, "nothing.csv", "--format", "iob2"]) == 1
    error = capsys.readouterr().err
    assert "--format iob2 is for spans" in error
    assert error.count("\n") == 1


def test_what_to_label_next_is_chosen_among_texts_without_spans(trained, tmp_path, capsys):
    """`[]` is an answer; an empty cell is none."""
    waiting = [row | {"spans": [row["spans"], [], None][n % 3]} for n, row in enumerate(ROWS)]
    assert main(["select", trained, table(tmp_path, waiting), "--all"]) == 0
    found = {row["id"] for row in lines(capsys.readouterr().out)}
    assert found == {row["id"] for row in ROWS[2::3]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"text": "Ama", "spans": [[0, 9, "PER"]]}], "can be used: 1 beyond the text"),
        ([{"tokens": ["Ama"], "tags": ["B-PER", "O"]}], "row 1: expected one tag for each token"),
        ([{"tokens": ["Ama"], "tags": [3]}], "got the numbers [3]"),
        ([{"text": "A", "spans": [[0, 1, "PER"]]}, {"text": "b", "spans": 3}], "row 2: expected"),
    ],
)  # fmt: skip
def test_spans_that_cannot_be_read_are_one_line(rows, message, tmp_path, tiny_encoder, capsys):
    """No traceback, and nothing is written."""
    argv = ["train", table(tmp_path, rows), "--out", str(tmp_path / "m")]
    assert main([*argv, "--encoder", str(tiny_encoder)]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "m").exists()
