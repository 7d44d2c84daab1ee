"""Predictions are written so that xlt, and tools for tags, read the same answers back."""

from __future__ import annotations

import csv
import io
import json

import pytest
from seqeval.metrics.sequence_labeling import get_entities

from xlt.cli.predicted import FORMATS, check_format, write_predictions
from xlt.data.corpus import corpus_of
from xlt.data.spans import Span
from xlt.data.tables import read_rows
from xlt.errors import ConfigError
from xlt.tasks.kinds import KINDS
from xlt.tasks.task import Suggestion

TASK = KINDS["spans"].task(["LOC", "PER"])
TEXT = " Ama lives\nin Nairobi-West,  𞤀𞤣𞤢𞤥 doesn't."
PERSON, PLACE, OTHER = Span(1, 4, "PER"), Span(14, 26, "LOC"), Span(29, 33, "PER")


def suggestion(*spans):
    """A model's answer with these spans."""
    parts = tuple(0.5 + 0.1 * n for n in range(len(spans)))
    return Suggestion(answer=spans, confidence=0.25, probabilities={"LOC": 0.4}, parts=parts)


def corpus(folder, rows, **asked):
    """A table of rows."""
    path = folder / "pool.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return corpus_of(read_rows(path), str(path), {"label": "", **asked}, kind="spans")


def written(form, read, *suggestions, task=TASK):
    """What is written of the suggestions."""
    stream = io.StringIO()
    write_predictions(stream, form, task, read, suggestions)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["jsonl", "csv", "conllu"])
def test_written_spans_are_read_back(tmp_path, form):
    """With the text in which they are counted, white space and all, and with id and language."""
    rows = [{"id": "a", "lang": "en", "text": TEXT}, {"id": "b", "lang": "ff", "text": "𞤀𞤣𞤢𞤥 Ama"}]
    answers = [(PERSON, PLACE, OTHER), ()]
    path = tmp_path / f"out.{form}"
    content = written(form, corpus(tmp_path, rows), *(suggestion(*spans) for spans in answers))
    path.write_text(content, encoding="utf-8", newline="")
    examples = corpus_of(read_rows(path), str(path), {}).examples
    assert [example.answer for example in examples] == answers
    assert [example.text for example in examples] == [row["text"] for row in rows]
    assert [(example.id, example.lang) for example in examples] == [("a", "en"), ("b", "ff")]


def test_rows_have_the_score_of_each_span(tmp_path):
    """And its text, by which people find it."""
    read = corpus(tmp_path, [{"id": "a", "lang": "en", "text": TEXT}])
    assert json.loads(written("jsonl", read, suggestion(PERSON, PLACE))) == {
        "id": "a",
        "lang": "en",
        "text": TEXT,
        "label": [PERSON.to_json(), PLACE.to_json()],
        "spans": [
            {**PERSON.to_json(), "score": 0.5, "text": "Ama"},
            {**PLACE.to_json(), "score": 0.6, "text": "Nairobi-West"},
        ],
        "confidence": 0.25,
        "probabilities": {"LOC": 0.4},
    }


def test_iob2_has_the_entities_that_seqeval_finds(tmp_path):
    """A token and a tag per line; a token that a span covers in part is tagged whole."""
    read = corpus(tmp_path, [{"text": TEXT}])
    lines = written("iob2", read, suggestion(PERSON, Span(14, 21, "LOC"))).splitlines()
    assert lines[-1] == ""
    tokens, tags = zip(*(line.split("\t") for line in lines[:-1]), strict=True)
    assert tokens == ("Ama", "lives", "in", "Nairobi-West", ",", "𞤀𞤣𞤢𞤥", "doesn't", ".")
    assert get_entities(list(tags)) == [("PER", 0, 0), ("LOC", 3, 3)]


@pytest.mark.parametrize("form", ["iob2", "conllu"])
def test_the_tokens_of_the_table_are_kept(tmp_path, form):
    """Also where xlt would find other words."""
    tokens = ["Ama", "does", "n't", "北京", "市", "."]
    read = corpus(tmp_path, [{"tokens": tokens}])
    path = tmp_path / f"out.{form}"
    path.write_text(written(form, read, suggestion(PERSON)), encoding="utf-8")
    [(_, row)] = read_rows(path)
    assert (row["tokens"], row["tags"]) == (tokens, ["B-PER", "O", "O", "O", "O", "O"])


def test_spans_that_share_a_token_are_counted(tmp_path, capsys):
    """The longest of them is written."""
    read = corpus(tmp_path, [{"text": "Kofi Annan Centre"}])
    centre, person, half = Span(0, 17, "LOC"), Span(0, 10, "PER"), Span(12, 17, "PER")
    lines = written("iob2", read, suggestion(person, centre)).splitlines()
    assert lines == ["Kofi\tB-LOC", "Annan\tI-LOC", "Centre\tI-LOC", ""]
    assert capsys.readouterr().err == (
        "left out 1 span that shares a token with a longer one: iob2 has one label for each token\n"
    )
    written("conllu", read, suggestion(person, half, centre))
    assert "left out 2 spans that share a token" in capsys.readouterr().err
    written("conllu", read, suggestion(person, half))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("kind", "answer", "cell"),
    [
        ("single_label", "a", "a"),
        ("multi_label", ("a", "b"), '["a", "b"]'),
        ("multi_label", (), "[]"),
    ],
)
def test_csv_holds_answers_of_every_kind(tmp_path, kind, answer, cell):
    """Lists and objects are JSON in their cells, as tables have them."""
    task = KINDS[kind].task(["a", "b"])
    read = corpus(tmp_path, [{"id": "7", "text": "x", "lang": "en"}])
    given = Suggestion(answer=answer, confidence=0.5, probabilities={"a": 0.5, "b": 0.5})
    [row] = csv.DictReader(io.StringIO(written("csv", read, given, task=task)))
    assert (row["id"], row["label"], row["confidence"]) == ("7", cell, "0.5")
    assert json.loads(row["probabilities"]) == {"a": 0.5, "b": 0.5}
    assert task.read(json.loads(cell) if cell.startswith("[") else cell) == answer


def test_tokens_are_written_of_spans_only():
    """One line, before anything is read."""
    for form in FORMATS:
        check_format(form, TASK)
    check_format("csv", KINDS["single_label"].task(["a", "b"]))
    with pytest.raises(ConfigError, match=r"--format iob2 is for spans, .* single_label: expected"):
        check_format("iob2", KINDS["single_label"].task(["a", "b"]))
