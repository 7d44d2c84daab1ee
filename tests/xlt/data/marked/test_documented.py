"""The examples of spans in the documentation are read as it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xlt.data.corpus import corpus_of
from xlt.data.tables import read_rows

PAGE = Path(__file__).parents[4] / "docs" / "files.md"
EXAMPLES = re.findall(r"^```(jsonl|json|conll|conllu)\n(.*?)^```$", PAGE.read_text(), re.M | re.S)
PEOPLE = {("Ama", "PER"), ("Accra", "LOC")}
EXPECTED = {"jsonl": PEOPLE, "conllu": PEOPLE, "conll": {("EU", "ORG"), ("German", "MISC")}}


def test_there_is_an_example_of_every_form():
    """Offsets, tokens, a token per line, and what a model predicts."""
    assert [form for form, _ in EXAMPLES] == ["jsonl", "jsonl", "conll", "conllu", "json"]


@pytest.mark.parametrize(("form", "example"), EXAMPLES)
def test_examples_have_the_spans_that_they_show(tmp_path, form, example):
    """Each row of them alone, as in a file of its own."""
    rows = (
        example.splitlines(keepends=True)
        if form.startswith("json") and form != "conll"
        else [example]
    )
    for row in rows:
        path = tmp_path / f"example.{form}"
        path.write_text(row, encoding="utf-8")
        [read] = corpus_of(read_rows(path), str(path), {}).examples
        spans = {(read.text[s.start : s.end], s.label) for s in read.answer}
        assert spans == EXPECTED.get(form, {("Ama", "PER")})
